"""What was taken in by a command, brought to its end, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from documents import indexing, leases, recognition, short
from documents.models import Version
from documents.progress import worker_is_running
from documents.rag.errors import UnreadableDocument, WrongPassword
from documents.rag.parsing.recognising import PDF
from documents.threads import in_thread
from documents.unlocking import unlock
from documents.wiring import open_system

LOOK_EVERY = 0.25
LOTS_AT_A_TIME = 4

Complaints = dict[int, str]
"""Version → that the password which was given does not open it."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of a document."""

    document: str
    status: str
    pages: int = 0
    chunks: int = 0
    error: str = ""

    def __str__(self) -> str:
        return f"{self.document}: {self.error or self.status}"


def line(version_id: int, wrong: Complaints) -> Line:
    version = Version.objects.select_related("document").get(pk=version_id)
    error = wrong.get(version_id, version.error)
    return Line(version.document.name, version.status, version.pages_read, version.chunks_indexed, error)


async def unlock_all(versions: Iterable[Version], password: str) -> Complaints:
    """Unlock the PDFs that this password opens; of which of those that need one it does not."""
    wrong: Complaints = {}
    for version in versions:
        if version.media_type == PDF and not version.unlocked:
            try:
                await unlock(version, password)
            except WrongPassword as error:
                wrong[version.pk] = str(error)
            except UnreadableDocument:
                pass  # It is said why when the document is read.
    return wrong


async def finish(versions: Sequence[int], *, password: str | None = None) -> Complaints:
    """Wait for the workers; do their work, under the same leases, while none is running."""
    async with open_system():
        await work_off(versions)
        if not password:
            return {}
        wrong = await unlock_all(await in_thread(locked, versions), password)
        await work_off(versions)
        return wrong


async def work_off(versions: Sequence[int]) -> None:
    while await in_thread(unfinished, versions):
        if await asyncio.to_thread(worker_is_running):
            await asyncio.sleep(LOOK_EVERY)
        elif ours := await in_thread(free, versions):
            await index_all(ours[:LOTS_AT_A_TIME])
        else:
            await recognition.recognise(lambda: leases.recognisable().filter(pk__in=with_members(versions)))
            await asyncio.sleep(LOOK_EVERY)


def with_members(versions: Sequence[int]) -> list[int]:
    """The versions, and those of what they hold, at any depth."""
    found, generation = list[int](), list(versions)
    while generation:
        found += generation
        members = leases.wanted().filter(document__container__versions__in=generation)
        generation = list(members.values_list("pk", flat=True))
    return found


def unfinished(versions: Sequence[int]) -> bool:
    return leases.unfinished().filter(pk__in=with_members(versions)).exists()


def free(versions: Sequence[int]) -> list[list[Version]]:
    return list(short.lots(leases.free().filter(pk__in=with_members(versions))))


def locked(versions: Sequence[int]) -> list[Version]:
    """Those that wait for a password."""
    waiting = Version.objects.filter(needs_password=True, pk__in=with_members(versions))
    return list(waiting.select_related("document"))


async def index_all(lots: Sequence[Sequence[Version]]) -> None:
    """Index some lots side by side; those that have to wait are taken again later."""
    indexed = (indexing.index(*(version.pk for version in lot)) for lot in lots)
    results = await asyncio.gather(*indexed, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, indexing.TryAgain):
            raise result
