"""Files and folders into a library, from the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from documents import indexing, leases, recognition, short
from documents.ingest import receive
from documents.management.asking import find_user
from documents.models import Library, Membership, User, Version
from documents.progress import worker_is_running
from documents.queueing import queue
from documents.rag.errors import PermanentError, UnreadableDocument
from documents.rag.parsing.recognising import PDF
from documents.threads import in_thread
from documents.unlocking import unlock
from documents.wiring import open_system

LOOK_EVERY = 0.25
FILES_AT_A_TIME = 25
LOTS_AT_A_TIME = 4


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


class Command(BaseCommand):
    help = "Add files, and the files in folders, to a library. A file that was changed becomes a new version."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder with all below it")
        parser.add_argument("--library", required=True, metavar="NAME", help="made, private, if there is none")
        parser.add_argument("--user", metavar="E-MAIL", help="who adds them (default: the first administrator)")
        parser.add_argument("--wait", action="store_true", help="return when every document is ready or has failed")
        parser.add_argument(
            "--password", metavar="P", help="tried on PDFs that need one; - reads it from standard input"
        )
        parser.add_argument("--json", action="store_true", help="print JSON lines, one a document")

    def handle(
        self,
        *,
        paths: Sequence[Path],
        library: str,
        user: str | None,
        wait: bool,
        password: str | None,
        json: bool,
        **options: Any,
    ) -> None:
        password = sys.stdin.readline().rstrip("\n") if password == "-" else password
        if not wait and not worker_is_running():
            self.stderr.write(
                "No worker is running, so the documents wait. Start Footnote with `make run`, or use --wait."
            )
        try:
            for result in self.ingest(paths, library, user, wait=wait, password=password):
                self.say(result, as_json=json)
        except (OperationalError, InterfaceError) as error:
            raise CommandError("Postgres went away. What was taken in is kept; run this again for the rest.") from error

    def ingest(
        self, paths: Sequence[Path], library: str, user: str | None, *, wait: bool, password: str | None
    ) -> Iterator[Line]:
        person = find_user(user)
        files = list(found(paths))
        into = find_library(person, library)
        results = [result for lot in lots(files) for result in take_in(person, into, lot, password=password)]
        taken = [result.pk for result in results if isinstance(result, Version)]
        if wait:
            asyncio.run(finish(taken, password=password))
        yield from (result if isinstance(result, Line) else line(result.pk) for result in results)
        if wait:
            yield from map(line, with_members(taken)[len(taken) :])

    def say(self, line: Line, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(asdict(line), ensure_ascii=False) if as_json else str(line))


def find_library(user: User, name: str) -> Library:
    """The library of that name to which the user may add; made where there is none of the name that they may read."""
    if not name.strip():
        raise CommandError("The library needs a name.")
    library = Library.objects.editable_by(user).filter(name=name).first()
    if library is None and Library.objects.readable_by(user).filter(name=name).exists():
        raise CommandError(f"{user.email} may read the library “{name}”, but not add to it.")
    if library is None:
        library = Library.objects.create(name=name)
        Membership.objects.create(library=library, user=user, role=Membership.Role.OWNER)
    return library


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """The files, and those in the folders, without hidden ones."""
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*"))
            yield from (file for file in inside if file.is_file() and not _is_hidden(file.relative_to(path)))
        elif path.is_file():
            yield path
        else:
            raise CommandError(f"There is no file or folder {path}.")


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def lots(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """The files, some at a time, so that the first are indexed while others are taken in."""
    for start in range(0, len(files), FILES_AT_A_TIME):
        yield files[start : start + FILES_AT_A_TIME]


def take_in(
    user: User, library: Library, files: Sequence[Path], *, password: str | None = None
) -> list[Version | Line]:
    """The versions that were queued, or why they were not."""
    results = [_take_in(user, library, path) for path in files]
    if password:
        asyncio.run(unlock_all([result for result in results if isinstance(result, Version)], password))
    queue(result for result in results if isinstance(result, Version))
    return results


def _take_in(user: User, library: Library, path: Path) -> Version | Line:
    try:
        with path.open("rb") as opened:
            return receive(user, library, File(opened, path.name), source=str(path.resolve())).version
    except PermanentError as error:
        return Line(path.name, Version.Status.FAILED, error=str(error))
    except OSError as error:
        return Line(path.name, Version.Status.FAILED, error=f"{path.name} can't be opened: {error.strerror}.")


def line(version_id: int) -> Line:
    version = Version.objects.select_related("document").get(pk=version_id)
    return Line(version.document.name, version.status, version.pages_read, version.chunks_indexed, error=version.error)


async def unlock_all(versions: Iterable[Version], password: str) -> None:
    """Unlock the PDFs that this password opens."""
    for version in versions:
        if version.media_type == PDF:
            with suppress(UnreadableDocument):
                await unlock(version, password)


async def finish(versions: Sequence[int], *, password: str | None = None) -> None:
    """Wait for the workers; do their work, under the same leases, while none is running."""
    async with open_system():
        await work_off(versions)
        if password:
            await unlock_all(await in_thread(locked, versions), password)
            await work_off(versions)


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
