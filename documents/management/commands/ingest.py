"""Files, folders and web pages into a library, from the command line."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from documents.ingest import receive
from documents.management.asking import find_user
from documents.management.fetching import fetch, is_address
from documents.management.finishing import Complaints, Line, finish, line, unlock_all, with_members
from documents.management.watching import watch
from documents.models import Library, Membership, Source, User, Version
from documents.progress import worker_is_running
from documents.queueing import queue
from documents.rag.errors import PermanentError
from documents.sources.folder import LeadsOut, leads_out
from documents.sources.types import Vanished
from documents.sync import Event

FILES_AT_A_TIME = 25


class Command(BaseCommand):
    help = (
        "Add files, the files in folders, and web pages to a library. What was changed becomes a new version. "
        "An address that ends in .xml or .xml.gz is a sitemap, of which all pages are added."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "paths", nargs="+", metavar="PATH", help="a file, a folder with all below it, or a web address"
        )
        parser.add_argument("--library", required=True, metavar="NAME", help="made, private, if there is none")
        parser.add_argument("--user", metavar="E-MAIL", help="who adds them (default: the first administrator)")
        parser.add_argument("--wait", action="store_true", help="return when every document is ready or has failed")
        parser.add_argument(
            "--password", metavar="P", help="tried on PDFs that need one; - reads it from standard input"
        )
        parser.add_argument("--watch", action="store_true", help="keep the library in step with folders until Ctrl-C")
        parser.add_argument(
            "--json", action="store_true", help="print JSON lines, one a document, or with --watch one a change"
        )

    def handle(
        self,
        *,
        paths: Sequence[str],
        library: str,
        user: str | None,
        wait: bool,
        watch: bool,
        password: str | None,
        json: bool,
        **options: Any,
    ) -> None:
        password = sys.stdin.readline().rstrip("\n") if password == "-" else password
        if not wait and not watch and not worker_is_running():
            self.stderr.write(
                "No worker is running, so the documents wait. Start Footnote with `make run`, or use --wait."
            )
        try:
            if watch:
                self.watch(paths, library, user, as_json=json)
                return
            errors = []
            for result in self.ingest(paths, library, user, wait=wait, password=password):
                self.say(result, as_json=json)
                errors.append(result.error)
            if errors and all(errors):
                raise CommandError("None of it was taken in.")
        except (OperationalError, InterfaceError) as error:
            raise CommandError("Postgres went away. What was taken in is kept; run this again for the rest.") from error

    def ingest(
        self, paths: Sequence[str], library: str, user: str | None, *, wait: bool, password: str | None
    ) -> Iterator[Line]:
        person = find_user(user)
        files, links = found(path for path in paths if not is_address(path))
        into = find_library(person, library)
        results: list[Version | Line] = [passed_over(link) for link in links]
        wrong: Complaints = {}
        for lot in lots(files):
            results += take_in(person, into, lot, password=password, wrong=wrong)
        results += asyncio.run(fetch(person, into, list(filter(is_address, paths))))
        taken = [result.pk for result in results if isinstance(result, Version)]
        if wait:
            wrong = asyncio.run(finish(taken, password=password))
        yield from (result if isinstance(result, Line) else line(result.pk, wrong) for result in results)
        if wait:
            yield from (line(member, wrong) for member in with_members(taken)[len(taken) :])

    def watch(self, paths: Sequence[str], library: str, user: str | None, *, as_json: bool) -> None:
        person = find_user(user)
        folders = [whole_folder(path) for path in paths]
        into = find_library(person, library)
        try:
            asyncio.run(
                watch(
                    [source(into, folder, person) for folder in folders], lambda event: self.say(event, as_json=as_json)
                )
            )
        except KeyboardInterrupt:
            return
        except Vanished as error:
            raise CommandError(str(error)) from error

    def say(self, line: Line | Event, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(asdict(line), ensure_ascii=False) if as_json else str(line))
        self.stdout.flush()


def source(library: Library, folder: Path, user: User) -> Source:
    """The folder as a source of the library."""
    found, _ = Source.objects.get_or_create(
        {"created_by": user}, library=library, kind=Source.Kind.FOLDER, address=str(folder)
    )
    return found


def whole_folder(path: str) -> Path:
    folder = Path(path).resolve()
    if is_address(path) or not path.strip() or not folder.is_dir():
        raise CommandError(f"Only folders can be watched, and there is no folder {path}.")
    return folder


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


def found(paths: Iterable[str]) -> tuple[list[Path], list[Path]]:
    """The files, and those in the folders, without hidden ones; and apart the links that lead out of a folder."""
    files, links = list[Path](), list[Path]()
    for given in paths:
        path = Path(given)
        if not given.strip():
            raise CommandError("A path is empty. Name a file, a folder or a web address.")
        if path.is_dir():
            root = path.resolve()
            visible = (each for each in sorted(path.rglob("*")) if not _is_hidden(each.relative_to(path)))
            for each in visible:
                (links if leads_out(each, root) else files).append(each)
        elif path.is_file():
            files.append(path)
        else:
            raise CommandError(f"There is no file or folder {given}.")
    return [file for file in files if file.is_file()], links


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def passed_over(link: Path) -> Line:
    return Line(link.name, Version.Status.FAILED, error=str(LeadsOut(link)))


def lots(files: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """The files, some at a time, so that the first are indexed while others are taken in."""
    for start in range(0, len(files), FILES_AT_A_TIME):
        yield files[start : start + FILES_AT_A_TIME]


def take_in(
    user: User, library: Library, files: Sequence[Path], *, password: str | None, wrong: Complaints
) -> list[Version | Line]:
    """The versions that were queued, or why they were not; `wrong` learns which of them the password does not open."""
    results = [_take_in(user, library, path) for path in files]
    if password:
        wrong |= asyncio.run(unlock_all([result for result in results if isinstance(result, Version)], password))
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
