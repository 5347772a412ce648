"""`manage.py ingest` with web addresses, and with --watch."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from documents.management.watching import watch
from documents.models import Document, Library, Source, User
from documents.sources.types import Vanished
from documents.sync import Event
from tests.installation import ROOT
from tests.openai_server import OpenAIServer
from tests.web_server import WebSite

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 60


@pytest.fixture
def administrator(model: OpenAIServer) -> User:
    return User.objects.create_superuser("admin@example.com", "a long password")


@pytest.fixture
def site(settings: Settings) -> Iterator[WebSite]:
    settings.SOURCE_PRIVATE_HOSTS = ["127.0.0.1"]
    with WebSite() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files" / "below").mkdir(parents=True)
    write(tmp_path / "files" / "leave.md", "# Leave")
    return tmp_path / "files"


def write(path: Path, text: str) -> None:
    """A file that was written, and left alone since."""
    before = path.stat().st_mtime if path.exists() else time.time() - 1000
    unseen = path.with_name(f".{path.name}")
    unseen.write_text(text)
    os.utime(unseen, (before + 10, before + 10))
    unseen.rename(path)


def move(path: Path, to: Path) -> None:
    path.rename(to)


def ingest(*arguments: object) -> dict[str, dict[str, Any]]:
    """Document → what is said of it."""
    out = io.StringIO()
    call_command("ingest", *map(str, arguments), "--library", "Plans", "--json", stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return {line["document"]: line for line in lines}


@asynccontextmanager
async def watching(source: Source) -> AsyncIterator[asyncio.Queue[Event]]:
    """The changes that are told while the folder is watched."""
    told = asyncio.Queue[Event]()
    task = asyncio.create_task(watch([source], told.put_nowait))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.wait([task])


async def heard(told: asyncio.Queue[Event]) -> tuple[str, str]:
    event = await asyncio.wait_for(told.get(), SECONDS)
    return event.event.value, event.document


# --- The web ----------------------------------------------------------------------------------


def test_a_page_is_added_by_its_address(administrator: User, site: WebSite) -> None:
    site.put_page("/docs/leave", "Leave: everyone has 25 days")
    said = ingest(f"{site.url}/docs/leave", "--wait")
    assert said["leave.html"]["status"] == "ready"
    document = Document.objects.get()
    assert (document.source, document.title) == (f"{site.url}/docs/leave", "Leave: everyone has 25 days")
    assert not Source.objects.exists()


def test_a_sitemap_is_added_page_by_page(administrator: User, site: WebSite) -> None:
    site.put_sitemap("/sitemap.xml", "/one", "/two", "/missing")
    site.put_page("/one", "One")
    site.put_page("/two", "Two")
    said = ingest(f"{site.url}/sitemap.xml")
    assert said["one.html"]["status"] == said["two.html"]["status"] == "queued"
    assert "is not there" in said[f"{site.url}/missing"]["error"]


def test_a_private_address_is_refused(administrator: User, site: WebSite, settings: Settings) -> None:
    settings.SOURCE_PRIVATE_HOSTS = []
    for address in (f"{site.url}/leave", "http://127.0.0.1/"):
        with pytest.raises(CommandError, match="None of it was taken in"):
            ingest(address)
    assert site.history == []


# --- Watching ---------------------------------------------------------------------------------


@pytest.fixture
def source(administrator: User, library: Library, folder: Path) -> Source:
    return Source.objects.create(library=library, kind=Source.Kind.FOLDER, address=str(folder))


async def test_the_library_follows_the_folder(source: Source, folder: Path) -> None:
    async with watching(source) as told:
        assert await heard(told) == ("added", "leave.md")
        write(folder / "plan.md", "# Plan")
        assert await heard(told) == ("added", "plan.md")
        write(folder / "plan.md", "# Another plan")
        assert await heard(told) == ("changed", "plan.md")
        move(folder / "plan.md", folder / "below" / "strategy.md")
        assert await heard(told) == ("moved", "strategy.md")
        move(folder / "leave.md", folder.with_name("leave.md"))
        assert await heard(told) == ("gone", "leave.md")
        write(folder / "tool", "\x7fELF")
        assert await heard(told) == ("failed", "tool")
        write(folder / "last.md", "# Last")
        assert await heard(told) == ("added", "last.md")


async def test_a_file_is_taken_when_it_is_written(source: Source, folder: Path) -> None:
    async with watching(source) as told:
        assert await heard(told) == ("added", "leave.md")
        with (folder / "log.md").open("w") as file:
            for number in range(10):
                file.write(f"Line {number}\n\n")
                file.flush()
                await asyncio.sleep(0.05)
        assert await heard(told) == ("added", "log.md")
    document = await Document.objects.select_related("latest").aget(name="log.md")
    assert document.latest is not None
    assert document.latest.bytes == (folder / "log.md").stat().st_size


async def test_a_folder_that_goes_away_removes_nothing(
    source: Source, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("documents.management.watching.LOOK_ANYWAY", 1.0)
    async with watching(source) as told:
        assert await heard(told) == ("added", "leave.md")
        move(folder, folder.with_name("unmounted"))
        event = await asyncio.wait_for(told.get(), SECONDS)
    assert "Is its disk mounted?" in event.error
    assert await Document.objects.filter(deleted_at=None).acount() == 1


async def test_watching_ends_where_the_source_is_removed(source: Source) -> None:
    await Source.objects.all().adelete()
    with pytest.raises(Vanished, match="no source of the library any more"):
        await watch([source], print)


def test_it_is_a_command_that_ends_with_ctrl_c(administrator: User, folder: Path) -> None:
    command = [sys.executable, "manage.py", "ingest", str(folder), "--library", "Plans", "--watch", "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    assert (said["event"], said["document"]) == ("added", "leave.md")
    assert Source.objects.get().address == str(folder)


@pytest.mark.parametrize("path", ["/nowhere/at/all", "https://example.com/"])
def test_only_folders_are_watched(administrator: User, path: str) -> None:
    with pytest.raises(CommandError, match="Only folders can be watched"):
        ingest(path, "--watch")
