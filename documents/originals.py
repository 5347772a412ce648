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
from documents.rag.types import HowRead, Page


def unread(version: Version) -> AsyncGenerator[Opened | Page]:
    """What the file is, then the pages that weren't read yet. Raises UnreadableDocument."""
    return _read(version, version.pages_read + 1)


async def _read(version: Version, first: int) -> AsyncGenerator[Opened | Page]:
    path, name = await asyncio.to_thread(original, version), version.document.name
    async with aclosing(read(path, version.media_type, first, name=name)) as items:
        async for item in items:
            yield item


def original(version: Version) -> Path:
    """Where the file is. Raises UnreadableDocument where it is gone."""
    path = Path(version.readable.path)
    if not path.exists():
        raise UnreadableDocument(f"The file of {version.document.name} is gone from the storage. Upload it again.")
    return path


async def read_page(version: Version, number: int) -> Page:
    """One page of the file by itself, read as any other; FAILED where it is not there, or nothing can be read."""
    try:
        async with aclosing(_read(version, number)) as items:
            async for item in items:
                if isinstance(item, Page):
                    return item
    except UnreadableDocument as error:
        return Page(number, "", how_read=HowRead.FAILED, error=str(error))
    return Page(number, "", how_read=HowRead.FAILED, error=f"There is no page {number} in {version.document.name}.")


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
