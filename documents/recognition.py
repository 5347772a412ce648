"""Pages that wait to be read from their pictures: a few of each version in turn, as long as any waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace as changed

from django.db import transaction
from django.db.models import QuerySet

from documents import indexing, leases, versions
from documents.leases import Lease
from documents.models import Page as Row
from documents.models import Version
from documents.originals import original, read_page
from documents.places import parsed
from documents.progress import announce
from documents.rag.errors import UnreadableDocument
from documents.rag.ocr.recogniser import Recogniser
from documents.rag.parsing.cleaning import is_scant
from documents.rag.parsing.recognising import PICTURES
from documents.rag.types import HowRead, Page
from documents.replacing import replace
from documents.threads import in_thread

PAGES_A_TURN = 4


async def recognise(among: Callable[[], QuerySet[Version]] = leases.recognisable) -> None:
    """Bring versions of which pages wait to their end, until there is none that nobody works on.

    Cancelled, it leaves what was done to whoever takes the versions next.
    """
    last = 0
    async with Recogniser() as recogniser:
        while version_id := await in_thread(_next, among, last):
            await _take_turn(recogniser, version_id)
            last = version_id


def _next(among: Callable[[], QuerySet[Version]], last: int) -> int | None:
    """The version whose turn it is after that one's."""
    waiting = among().order_by("pk")
    found = waiting.filter(pk__gt=last).first() or waiting.first()
    return found.pk if found else None


async def _take_turn(recogniser: Recogniser, version_id: int) -> None:
    lease = Lease(version_id)
    try:
        taken = await in_thread(versions.take, lease, leases.recognisable())
        async with lease.renewed():
            for version in taken:
                await _Turn(lease, [version], recogniser).run()
    except asyncio.CancelledError:
        await in_thread(lease.release)
        raise


class _Turn(indexing.Work):
    """A version's few pages."""

    waiting = Version.Status.RECOGNISING

    def __init__(self, lease: Lease, together: list[Version], recogniser: Recogniser) -> None:
        super().__init__(lease, together)
        [self.version] = together
        self.recogniser = recogniser

    async def do(self) -> None:
        version = self.version
        await announce(version)
        for row in await in_thread(lambda: list(versions.waiting_pages(version)[:PAGES_A_TURN])):
            await replace(self.lease, version, await self.read(row))
            if version.chunks_indexed and not version.document.current_id:
                await in_thread(versions.let_be_searched, self.lease, version)
            await announce(version)
        await in_thread(self.end)
        await announce(version)

    async def read(self, row: Row) -> Page:
        """The page read anew: by its text, or where it has one, or there is none to be had, from its picture."""
        page = parsed(row)
        if not page.text and self.version.media_type not in PICTURES:
            page = await read_page(self.version, row.number)
            if page.how_read is not HowRead.WAITING:
                return page
        return await self.recognised(page)

    async def recognised(self, page: Page) -> Page:
        version = self.version
        try:
            path = await asyncio.to_thread(original, version)
        except UnreadableDocument as error:
            found = changed(page, how_read=HowRead.FAILED, error=str(error))
        else:
            found = await self.recogniser.page(path, version.media_type, page.number, name=version.document.name)
        if page.text and not _is_better(found.text, page.text):
            return changed(page, how_read=HowRead.TEXT, error=found.error)
        if found.how_read is HowRead.FAILED:
            return found
        return changed(found, width=page.width, height=page.height, error=page.error or found.error)

    def end(self) -> None:
        """Let the version go: until its next turn, or as ready. Raises UnreadableDocument where it has no text."""
        with transaction.atomic():
            if versions.has_waiting_pages(self.version):
                self.lease.give_back(status=self.waiting)
            elif not self.version.chunks_indexed:
                raise UnreadableDocument(versions.complaint_of(self.version))
            else:
                versions.make_current(self.lease)
                self.version.status = Version.Status.READY


def _is_better(recognised: str, own: str) -> bool:
    """Whether what was recognised is to stand in the place of a page's own text: never less for a few letters."""
    return len(recognised) >= len(own) if is_scant(own) else bool(recognised)
