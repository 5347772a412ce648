"""A long document on its way into the index: read page by page, then cut, embedded and stored in ranges of pages.

Every step is kept, so that whoever takes it up after a crash goes on where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from documents import versions, wiring
from documents.leases import Lease
from documents.models import Version
from documents.originals import metadata, unread
from documents.progress import announce
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import Opened
from documents.rag.types import Page
from documents.threads import in_thread

Status = Version.Status

TELL_EVERY = 0.2
"""Seconds between two writes of how far it is."""

LOT = 200
"""Pages that are stored at a time, at most."""

CHUNK_CHARACTERS = 1_900
"""About what a chunk holds, to say how many there will be."""


async def index(lease: Lease, version: Version) -> None:
    """Make a version ready and current. Raises what is wrong with it, or with a model."""
    work = _Work(lease, version)
    await work.read()
    await work.embed()
    await work.finish()


class _Work:
    """The work on one version, which is kept as it stands in the database."""

    def __init__(self, lease: Lease, version: Version) -> None:
        self.lease = lease
        self.version = version
        self.told = time.monotonic()

    async def read(self) -> None:
        """Store the pages that aren't there yet."""
        version = self.version
        if version.pages_read == version.pages_total:
            return
        pages: list[Page] = []
        async for item in unread(version):
            if isinstance(item, Opened):
                version.title, version.pages_total = item.title[:500], item.page_count
                continue
            pages.append(item)
            if len(pages) == LOT or self.is_time():
                await self.keep(pages)
                pages = []
        version.pages_total = version.pages_read + len(pages)
        await self.keep(pages)

    async def keep(self, pages: Sequence[Page]) -> None:
        self.version.pages_read += len(pages)
        await self.write("title", "pages_total", "pages_read", status=Status.READING, pages=pages)

    async def embed(self) -> None:
        """Put the pages that aren't there yet into the index."""
        version = self.version
        standing = await in_thread(versions.stand, version)
        if standing.complaint:
            raise UnreadableDocument(standing.complaint)
        version.chunks_indexed = standing.chunks
        version.chunks_total = standing.chunks + max(standing.characters // CHUNK_CHARACTERS, 1)
        while pages := await in_thread(versions.next_range, version):
            await self.embed_range(pages)
            version.pages_indexed = pages[-1].number
            await self.write("pages_indexed", "chunks_indexed", "chunks_total", status=Status.EMBEDDING)

    async def embed_range(self, pages: Sequence[Page]) -> None:
        version = self.version
        before = version.chunks_indexed
        system = await wiring.current().system([version.document.library_id])
        async for indexed in system.index([pages], [metadata(version)]):
            version.chunks_indexed = before + indexed.done
            version.chunks_total = max(version.chunks_total or 0, before + indexed.total)
            if self.is_time():
                await self.write("chunks_indexed", "chunks_total", status=Status.EMBEDDING)

    async def finish(self) -> None:
        await in_thread(versions.make_current, self.lease)
        self.version.status = Status.READY
        await announce(self.version)

    def is_time(self) -> bool:
        """Whether it is long enough since something was told."""
        return time.monotonic() > self.told + TELL_EVERY

    async def write(self, *fields: str, status: Status, pages: Sequence[Page] = ()) -> None:
        """Keep these fields of the version, and pages, and tell how far it is."""
        self.version.status = status
        await in_thread(versions.write, self.lease, self.version, *fields, "status", pages=pages)
        if self.is_time():
            self.told = time.monotonic()
            await announce(self.version)
