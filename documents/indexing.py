"""A version's way from its file into the index: read page by page, then cut, embedded and stored in ranges of pages.

Every step is kept, so that whoever takes it up after a crash goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError

from documents import versions, wiring
from documents.leases import Lease, LeaseLost
from documents.models import Version
from documents.progress import announce
from documents.rag.errors import PermanentError, TransientError, UnreadableDocument
from documents.rag.parsing import Opened
from documents.rag.parsing.reading import read
from documents.rag.types import Page
from documents.threads import in_thread
from documents.versions import RANGE_CHARACTERS, Standing

logger = logging.getLogger(__name__)

Status = Version.Status

TRANSIENT = (TransientError, OperationalError, InterfaceError, psycopg.OperationalError, ConnectionError)
TRIES = 6
TELL_EVERY = 0.2
"""Seconds between two writes of how far it is."""

LOT = 200
"""Pages that are stored at a time, at most."""

CHUNK_CHARACTERS = 1_900
"""About what a chunk holds, to say how many there will be."""

_BUG = "Something went wrong inside Footnote ({error}). The worker's log says more; try again after an update."


class TryAgain(Exception):
    """It did not work just now; the version may be taken again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def index(version_id: int) -> None:
    """Bring a version to its end: ready and current, or failed with a sentence.

    Does nothing where another worker has it, it is finished, or a later one is wanted. Raises TryAgain for what may
    pass by itself. Cancelled, it leaves what was done to whoever takes the version next.
    """
    lease = Lease(version_id)
    try:
        if version := await in_thread(versions.take, lease):
            async with lease.renewed():
                await _Work(lease, version).run()
    except asyncio.CancelledError:
        await in_thread(lease.release)
        raise
    except (OperationalError, InterfaceError) as error:
        logger.warning("Postgres can't be reached: %s", error)
        raise TryAgain(5) from error


class _Work:
    """The work of one lease on one version; `version` is kept as it stands in the database.

    `all_pages` are the pages of a short document that nobody worked on before, so that they needn't be fetched again.
    """

    def __init__(self, lease: Lease, version: Version) -> None:
        self.lease = lease
        self.version = version
        self.all_pages: list[Page] | None = [] if version.pages_read == 0 else None
        self.told = time.monotonic()

    async def run(self) -> None:
        try:
            await self.read()
            await self.embed()
            await self.finish()
        except LeaseLost:
            await in_thread(versions.forget_unless_wanted, self.version.pk)
        except PermanentError as error:
            await self.fail(str(error))
        except TRANSIENT as error:
            await self.postpone(error)
        except Exception as error:
            logger.exception("Version %s could not be indexed", self.version.pk)
            await self.fail(_BUG.format(error=type(error).__name__))

    # --- Reading --------------------------------------------------------------------------------

    async def read(self) -> None:
        """Store the pages that aren't there yet."""
        version = self.version
        if version.pages_read == version.pages_total:
            return
        pages: list[Page] = []
        async for item in self.opened():
            if isinstance(item, Opened):
                version.title, version.pages_total = item.title[:500], item.page_count
                continue
            pages.append(item)
            if len(pages) == LOT or self.is_time():
                await self.keep(pages)
                pages = []
        version.pages_total = version.pages_read + len(pages)
        await self.keep(pages)

    async def opened(self) -> AsyncIterator[Opened | Page]:
        version, name = self.version, self.version.document.name
        path = Path(version.file.path)
        if not await asyncio.to_thread(path.exists):
            raise UnreadableDocument(f"The file of {name} is gone from the storage. Upload it again.")
        async for item in read(path, version.media_type, version.pages_read + 1, name=name):
            yield item

    async def keep(self, pages: Sequence[Page]) -> None:
        self.version.pages_read += len(pages)
        if self.all_pages is not None:
            self.all_pages += pages
            if _characters(self.all_pages) > RANGE_CHARACTERS:
                self.all_pages = None
        await self.write("title", "pages_total", "pages_read", status=Status.READING, pages=pages)

    # --- Indexing -------------------------------------------------------------------------------

    async def embed(self) -> None:
        """Put the pages that aren't there yet into the index."""
        version = self.version
        standing = await self.standing()
        if standing.complaint:
            raise UnreadableDocument(standing.complaint)
        version.chunks_indexed = standing.chunks
        version.chunks_total = standing.chunks + max(standing.characters // CHUNK_CHARACTERS, 1)
        async for pages in self.ranges():
            await self.embed_range(pages)
            version.pages_indexed = pages[-1].number
            if version.pages_indexed < version.pages_read:
                await self.write("pages_indexed", "chunks_indexed", "chunks_total", status=Status.EMBEDDING)

    async def standing(self) -> Standing:
        if self.all_pages is None:
            return await in_thread(versions.stand, self.version)
        complaint = versions.complaint(self.version, self.all_pages)
        return Standing(chunks=0, characters=_characters(self.all_pages), complaint=complaint)

    async def ranges(self) -> AsyncIterator[list[Page]]:
        if self.all_pages is not None:
            yield self.all_pages
            return
        while pages := await in_thread(versions.next_range, self.version):
            yield pages

    async def embed_range(self, pages: Sequence[Page]) -> None:
        version = self.version
        before = version.chunks_indexed
        system = await wiring.current().system([version.document.library_id])
        async for indexed in system.index([pages], [_metadata(version)]):
            version.chunks_indexed = before + indexed.done
            version.chunks_total = max(version.chunks_total or 0, before + indexed.total)
            if self.is_time():
                await self.write("chunks_indexed", "chunks_total", status=Status.EMBEDDING)

    async def finish(self) -> None:
        version = self.version
        version.chunks_total = version.chunks_indexed
        values = self.values("pages_indexed", "chunks_indexed", "chunks_total")
        await in_thread(versions.make_current, self.lease, version, values)
        version.status = Status.READY
        await announce(version)

    # --- When it doesn't work -------------------------------------------------------------------

    async def fail(self, sentence: str) -> None:
        self.version.error = sentence
        await self.let_go(status=Status.FAILED, error=sentence)

    async def postpone(self, error: Exception) -> None:
        """Let it be tried again in a while, or fail where that has been done often enough."""
        logger.warning("Version %s has to wait: %s", self.version.pk, error)
        sentence = str(error) if isinstance(error, TransientError) else "The database can't be reached."
        attempts = self.version.attempts = self.version.attempts + 1
        if attempts == TRIES:
            await self.fail(f"{sentence} It was tried {TRIES} times; try again when that is mended.")
            return
        seconds = 2.0**attempts
        await self.let_go(wait=seconds, status=Status.QUEUED, attempts=attempts, error=sentence)
        raise TryAgain(seconds)

    async def let_go(self, *, status: Status, wait: float = 0, **values: Any) -> None:
        try:
            await in_thread(self.lease.give_back, wait=wait, status=status, **values)
        except LeaseLost:
            return
        self.version.status = status
        await announce(self.version)

    # --- Writing it down ------------------------------------------------------------------------

    def is_time(self) -> bool:
        """Whether it is long enough since something was told."""
        return time.monotonic() > self.told + TELL_EVERY

    async def write(self, *fields: str, status: Status, pages: Sequence[Page] = ()) -> None:
        """Keep these fields of the version, and pages, and tell how far it is."""
        self.version.status = status
        await in_thread(versions.write, self.lease, self.values(*fields, "status"), pages)
        if self.is_time():
            self.told = time.monotonic()
            await announce(self.version)

    def values(self, *fields: str) -> dict[str, Any]:
        return {field: getattr(self.version, field) for field in fields}


def _characters(pages: Sequence[Page]) -> int:
    return sum(len(page.text) for page in pages)


def _metadata(version: Version) -> dict[str, Any]:
    return {
        "library": version.document.library_id,
        "document": version.document_id,
        "version": version.pk,
        "source": version.document.name,
        "title": version.title or version.document.name,
        "chunk_id": version.chunks_indexed,
    }
