"""A version's way from its file into the index: read page by page, then cut, embedded and stored in ranges of pages.

Every step is kept, so that whoever takes it up after a crash goes on where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count
from django.db.models.functions import Now

from documents import models, wiring
from documents.blocks import FANOUT, merge
from documents.leases import Lease, LeaseLost
from documents.models import Block, Chunk, Document, Version
from documents.places import parsed, stored
from documents.progress import announce
from documents.rag.errors import PermanentError, TransientError, UnreadableDocument
from documents.rag.parsing import Opened
from documents.rag.parsing.reading import read
from documents.rag.types import HowRead, Page
from documents.threads import in_thread

logger = logging.getLogger(__name__)

Status = Version.Status

TRANSIENT = (TransientError, OperationalError, InterfaceError, psycopg.OperationalError, ConnectionError)
TRIES = 6
TELL_EVERY = 0.2
"""Seconds between two writes of how far it is."""

LOT = 200
"""Pages that are stored at a time, at most."""

RANGE_CHARACTERS = 400_000
"""Of the pages that are cut together. A chunk never crosses a range; a crash costs at most one."""

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
    pass by itself.
    """
    lease = Lease(version_id)
    try:
        if await in_thread(lease.take):
            async with lease.renewed():
                await _Work(lease, await in_thread(_load, version_id)).run()
    except (OperationalError, InterfaceError) as error:
        logger.warning("Postgres can't be reached: %s", error)
        raise TryAgain(5) from error


async def merge_blocks() -> None:
    """Merge small blocks of postings, which many small uploads leave behind."""
    for library_id in await in_thread(_libraries_of_many_blocks):
        await merge(wiring.current().pool, library_id)


def _libraries_of_many_blocks() -> list[int]:
    counted = Block.objects.values("library").annotate(blocks=Count("pk")).filter(blocks__gte=FANOUT)
    return list(counted.values_list("library", flat=True))


class _Work:
    """The work of one lease on one version; `version` is kept as it stands in the database."""

    def __init__(self, lease: Lease, version: Version) -> None:
        self.lease = lease
        self.version = version
        self.told = time.monotonic()

    async def run(self) -> None:
        try:
            await self.read()
            await self.embed()
            await self.finish()
        except LeaseLost:
            await in_thread(_forget_unless_wanted, self.version.pk)
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

    def opened(self) -> AsyncIterator[Opened | Page]:
        version, name = self.version, self.version.document.name
        path = Path(version.file.path)
        if not path.exists():
            raise UnreadableDocument(f"The file of {name} is gone from the storage. Upload it again.")
        return read(path, version.media_type, version.pages_read + 1, name=name)

    async def keep(self, pages: Sequence[Page]) -> None:
        self.version.pages_read += len(pages)
        fields = ("title", "pages_total", "pages_read")
        await self.write(*fields, status=Status.READING, beside=lambda: _store_pages(self.version, pages))

    # --- Indexing -------------------------------------------------------------------------------

    async def embed(self) -> None:
        """Put the pages that aren't there yet into the index."""
        version = self.version
        characters = await in_thread(_check_text, version)
        version.chunks_indexed = await in_thread(_drop_unfinished, version)
        version.chunks_total = version.chunks_indexed + max(characters // CHUNK_CHARACTERS, 1)
        system = await wiring.current().system([version.document.library_id])
        while pages := await in_thread(_next_range, version):
            before = version.chunks_indexed
            async for indexed in system.index([pages], [_metadata(version)]):
                version.chunks_indexed = before + indexed.done
                version.chunks_total = max(version.chunks_total, before + indexed.total)
                if self.is_time():
                    await self.write("chunks_indexed", "chunks_total", status=Status.EMBEDDING)
            version.pages_indexed = pages[-1].number
            if version.pages_indexed < version.pages_read:
                await self.write("pages_indexed", "chunks_indexed", "chunks_total", status=Status.EMBEDDING)

    async def finish(self) -> None:
        """Make it the current version, and take the one before out of the index, in one step."""
        version = self.version
        version.chunks_total = version.chunks_indexed
        fields = {field: getattr(version, field) for field in ("pages_indexed", "chunks_indexed", "chunks_total")}
        await in_thread(_make_current, self.lease, version, fields)
        version.status = Status.READY
        await announce(version)

    # --- When it doesn't work -------------------------------------------------------------------

    async def fail(self, sentence: str) -> None:
        self.version.status, self.version.error = Status.FAILED, sentence
        await self.let_go(status=Status.FAILED, error=sentence)

    async def postpone(self, error: Exception) -> None:
        """Let it be tried again in a while, or fail where that has been done often enough."""
        logger.warning("Version %s has to wait: %s", self.version.pk, error)
        attempts = self.version.attempts = self.version.attempts + 1
        if attempts == TRIES:
            await self.fail(f"{_sentence(error)} It was tried {TRIES} times; try again when that is mended.")
            return
        seconds = 2.0**attempts
        self.version.status = Status.QUEUED
        await self.let_go(wait=seconds, status=Status.QUEUED, attempts=attempts, error=_sentence(error))
        raise TryAgain(seconds)

    async def let_go(self, *, wait: float = 0, **fields: Any) -> None:
        try:
            await in_thread(self.lease.give_back, wait=wait, **fields)
        except LeaseLost:
            return
        await announce(self.version)

    # --- Writing it down ------------------------------------------------------------------------

    def is_time(self) -> bool:
        """Whether it is long enough since something was told."""
        return time.monotonic() > self.told + TELL_EVERY

    async def write(self, *fields: str, status: Status, beside: Callable[[], None] | None = None) -> None:
        """Keep these fields of the version, and what `beside` writes, in one transaction, and tell of it."""
        self.version.status = status
        values = {field: getattr(self.version, field) for field in (*fields, "status")}
        await in_thread(_write, self.lease, values, beside)
        if self.is_time():
            self.told = time.monotonic()
            await announce(self.version)


def _load(version_id: int) -> Version:
    return Version.objects.select_related("document").get(pk=version_id)


def _write(lease: Lease, values: dict[str, Any], beside: Callable[[], None] | None) -> None:
    with transaction.atomic():
        lease.write(**values)
        if beside:
            beside()


def _store_pages(version: Version, pages: Sequence[Page]) -> None:
    models.Page.objects.bulk_create([stored(version.pk, page) for page in pages])


def _check_text(version: Version) -> int:
    """How many characters the version's pages have that aren't indexed yet."""
    pages = version.pages.defer("words", "blocks")
    if not pages.exclude(text="").exists():
        failed = pages.filter(how_read=HowRead.FAILED).first()
        raise UnreadableDocument(failed.error if failed else _no_text(version))
    return sum(len(page.text) for page in pages.filter(number__gt=version.pages_indexed))


def _no_text(version: Version) -> str:
    return (
        f"{version.document.name} has no text: each page is empty or a picture, as in a scan. "
        "Upload a copy that has its text in it."
    )


def _drop_unfinished(version: Version) -> int:
    """Take out what a broken-off range left, and count the chunks of the others."""
    chunks = Chunk.objects.filter(version=version)
    chunks.filter(spans__0__0__gt=version.pages_indexed).delete()
    return chunks.count()


def _next_range(version: Version) -> list[Page]:
    """The next pages to index; empty after the last one."""
    pages: list[Page] = []
    characters = 0
    for row in version.pages.filter(number__gt=version.pages_indexed).defer("words").iterator(50):
        pages.append(parsed(row, with_words=False))
        characters += len(row.text)
        if characters >= RANGE_CHARACTERS:
            break
    return pages


def _metadata(version: Version) -> dict[str, Any]:
    return {
        "library": version.document.library_id,
        "document": version.document_id,
        "version": version.pk,
        "source": version.document.name,
        "title": version.title or version.document.name,
        "chunk_id": version.chunks_indexed,
    }


def _make_current(lease: Lease, version: Version, fields: dict[str, Any]) -> None:
    with transaction.atomic():
        lease.give_back(**fields, status=Status.READY, error="", attempts=0, ready_at=Now())
        Document.objects.filter(pk=version.document_id).update(current=version, title=version.title)
        Chunk.objects.filter(version__document=version.document_id).exclude(version=version).delete()


def _forget_unless_wanted(version_id: int) -> None:
    """What was stored after a later version had become the current one."""
    Chunk.objects.filter(version=version_id).exclude(version__document__latest=version_id).delete()


def _sentence(error: Exception) -> str:
    if isinstance(error, TransientError):
        return str(error)
    return "The database can't be reached."
