"""What the heart is given of a version: the pages of its file, and what its chunks say of where they come from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from documents.models import Version
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import Opened
from documents.rag.parsing.reading import read
from documents.rag.types import Page


async def unread(version: Version) -> AsyncGenerator[Opened | Page]:
    """What the file is, then the pages that weren't read yet. Raises UnreadableDocument."""
    path, name = Path(version.readable.path), version.document.name
    if not await asyncio.to_thread(path.exists):
        raise UnreadableDocument(f"The file of {name} is gone from the storage. Upload it again.")
    async with aclosing(read(path, version.media_type, version.pages_read + 1, name=name)) as items:
        async for item in items:
            yield item


def metadata(version: Version) -> dict[str, Any]:
    document = version.document
    return {
        "library": document.library_id,
        "document": document.pk,
        "version": version.pk,
        "source": document.name,
        "title": document.title if document.title_given else version.title or document.name,
        "chunk_id": version.chunks_indexed,
    }
