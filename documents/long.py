"""A long document on its way into the index: read page by page, and cut, embedded and stored in ranges of pages.

The one goes on while the other does, with the database between them. Every step is kept, so that whoever takes it up
after a crash goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from math import ceil

from documents import versions, wiring
from documents.leases import Lease
from documents.models import Version
from documents.originals import metadata, unread
from documents.progress import announce
from documents.queueing import queue_recognition
from documents.rag.chunking import chunk_document
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import Opened
from documents.rag.types import Chunk, Page
from documents.threads import in_thread

Status = Version.Status

TELL_EVERY = 0.2
"""Seconds between two writes of how far it is."""

LOT = 50
"""Pages that are stored at a time, at most."""

CHUNK_CHARACTERS = 1_900
"""About what a chunk holds, to say how many there will be."""

FIRST_CHARACTERS, GROWTH = 4_000, 4
"""Of the first range, so that something can be found at once; and how many times longer each is than the one before."""


async def index(lease: Lease, version: Version) -> None:
    """Make a version ready and current. Raises what is wrong with it, or with a model."""
    work = _Work(lease, version)
    await work.begin()
    reading = asyncio.create_task(work.read())
    try:
        await work.embed(reading)
    finally:
        reading.cancel()
        await asyncio.wait([reading])
    await work.finish()


class _Work:
    """The work on one version, which is kept as it stands in the database."""

    def __init__(self, lease: Lease, version: Version) -> None:
        self.lease = lease
        self.version = version
        self.status = Status.READING
        self.told = time.monotonic()
        self.waiting = 0
        """Characters that are stored and not cut."""
        self.chunks_cut = 0
        """From the version's first chunk on."""
        self.ranges: list[tuple[int, int]] = []
        """Of each range on its way into the index, how many chunks there are up to its end, and its last page."""
        self.more = asyncio.Event()

    async def begin(self) -> None:
        standing = await in_thread(versions.stand, self.version)
        self.version.chunks_indexed = self.chunks_cut = standing.chunks
        self.waiting = standing.characters

    # --- Reading --------------------------------------------------------------------------------

    async def read(self) -> None:
        """Store the pages that aren't there yet."""
        version = self.version
        try:
            if version.pages_read != version.pages_total:
                await self.read_file()
            self.status = Status.EMBEDDING
            version.chunks_total = self.chunks_cut + ceil(self.waiting / CHUNK_CHARACTERS)
        finally:
            self.more.set()

    async def read_file(self) -> None:
        version = self.version
        pages: list[Page] = []
        async with aclosing(unread(version)) as items:
            async for item in items:
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
        await self.write("title", "pages_total", "pages_read", pages=pages)
        self.waiting += sum(len(page.text) for page in pages)
        self.more.set()

    # --- Embedding ------------------------------------------------------------------------------

    async def embed(self, reading: asyncio.Task[None]) -> None:
        """Put the pages that aren't there yet into the index, as soon as there are enough for a range."""
        system = await wiring.current().system([self.version.document.library_id])
        before = self.version.chunks_indexed
        async with aclosing(self.cut(reading)) as cut, aclosing(system.index(cut)) as stored:
            async for count in stored:
                await self.keep_stored(before + count)
        await self.keep_stored(self.chunks_cut)

    async def cut(self, reading: asyncio.Task[None]) -> AsyncGenerator[list[Chunk]]:
        """The chunks of each range in turn, while those before it are being embedded."""
        version = self.version
        last, characters = version.pages_indexed, FIRST_CHARACTERS
        while True:
            if reading.done():
                await reading
            elif self.waiting < characters:
                self.more.clear()
                await self.more.wait()
                continue
            pages = await in_thread(versions.next_range, version, last, characters)
            if not pages:
                return
            about = metadata(version) | {"chunk_id": self.chunks_cut}
            chunks = await asyncio.to_thread(chunk_document, pages, metadata=about)
            self.chunks_cut += len(chunks)
            self.waiting -= sum(len(page.text) for page in pages)
            last = pages[-1].number
            self.ranges.append((self.chunks_cut, last))
            yield chunks
            characters = min(characters * GROWTH, versions.RANGE_CHARACTERS)

    async def keep_stored(self, chunks: int) -> None:
        """Keep that so many chunks, from the first one on, are in the index, and which ranges are with them."""
        version = self.version
        version.chunks_indexed = chunks
        version.chunks_total = max(version.chunks_total or 0, chunks)
        done = [page for until, page in self.ranges if until <= chunks]
        if done:
            del self.ranges[: len(done)]
            version.pages_indexed = done[-1]
        if done or self.is_time():
            await self.write("pages_indexed", "chunks_indexed", "chunks_total")
        if done and chunks and not version.document.current_id:
            await in_thread(versions.let_be_searched, self.lease, version)

    # --- Both -----------------------------------------------------------------------------------

    async def finish(self) -> None:
        if await in_thread(versions.let_wait, self.lease, self.version):
            await in_thread(queue_recognition)
        elif self.version.chunks_indexed:
            await in_thread(versions.make_current, self.lease)
            self.version.status = Status.READY
        else:
            raise UnreadableDocument(await in_thread(versions.complaint_of, self.version))
        await announce(self.version)

    def is_time(self) -> bool:
        """Whether it is long enough since something was told."""
        return time.monotonic() > self.told + TELL_EVERY

    async def write(self, *fields: str, pages: Sequence[Page] = ()) -> None:
        """Keep these fields of the version, and pages, and tell how far it is."""
        self.version.status = self.status
        await in_thread(versions.write, self.lease, self.version, *fields, "status", pages=pages)
        if self.is_time():
            self.told = time.monotonic()
            await announce(self.version)
