"""PDFs that need a password, opened with it."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pytest
import uvloop

from documents.rag.errors import PasswordNeeded, UnreadableDocument, WrongPassword
from documents.rag.parsing.reading import Limits, read
from documents.rag.parsing.unlocking import write_unlocked
from documents.rag.types import Page
from tests.rag.pdfs import locked, pdf, text

PLAN = text((50, 700, "The hidden plan"))
ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "files"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.pdf"
    path.write_bytes(locked("sesame", PLAN))
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.pdf"


async def text_of(path: Path) -> str:
    items = [item async for item in read(path, "application/pdf", name=path.name)]
    return " ".join(item.text for item in items if isinstance(item, Page))


async def test_it_works(file: Path, copy: Path) -> None:
    with pytest.raises(PasswordNeeded, match=r"plan\.pdf needs a password"):
        await text_of(file)
    assert await write_unlocked(file, "sesame", copy, name="plan.pdf")
    assert await text_of(copy) == "The hidden plan"


def test_it_works_on_the_web_servers_own_loop(file: Path, copy: Path) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(write_unlocked(file, "sesame", copy, name="plan.pdf"))


@pytest.mark.parametrize("password", ["", "wrong", "pass\nword", "пароль", "\udcff"])
async def test_a_wrong_password_is_said_to_be_one(file: Path, copy: Path, password: str) -> None:
    with pytest.raises(WrongPassword, match=r"This password does not open plan\.pdf\. Try another one\."):
        await write_unlocked(file, password, copy, name="plan.pdf")


async def test_one_that_needs_none_is_left_alone(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "open.pdf").write_bytes(pdf(PLAN))
    assert not await write_unlocked(tmp_path / "open.pdf", "sesame", copy, name="open.pdf")


async def test_a_damaged_one_is_said_to_be_damaged(tmp_path: Path, copy: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(UnreadableDocument, match=r"bad\.pdf is damaged"):
        await write_unlocked(tmp_path / "bad.pdf", "sesame", copy, name="bad.pdf")


async def test_one_that_needs_too_much_is_broken_off(file: Path, copy: Path) -> None:
    with pytest.raises(UnreadableDocument, match=r"plan\.pdf can't be unlocked: it"):
        await write_unlocked(file, "sesame", copy, name="plan.pdf", limits=Limits(memory=1 << 20))


async def test_nobody_sees_the_password_among_the_processes(
    file: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    start = asyncio.create_subprocess_exec

    async def started(*arguments: str, **options: Any) -> asyncio.subprocess.Process:
        seen.extend([arguments, options])
        return await start(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    assert await write_unlocked(file, "sesame", copy, name="plan.pdf")
    assert seen
    assert "sesame" not in repr(seen)


def test_its_process_ends_with_its_parent_whatever_it_is_doing(file: Path, copy: Path) -> None:
    os.mkfifo(copy)  # Nobody reads from it: who opens it to write waits for ever.
    command = (sys.executable, "-m", "documents.rag.parsing.unlocker", file, copy, "plan.pdf", str(1 << 29), "20")
    # And nothing more by standard input, as when the parent is gone.
    assert subprocess.run(command, input=b'"sesame"\n', cwd=ROOT, timeout=60).returncode == 1


def real_ones() -> Iterator[tuple[str, str, str]]:
    """Files, their passwords, and what stands in them."""
    if (REAL / "manifest.tsv").exists():
        with (REAL / "manifest.tsv").open() as manifest:
            for row in csv.DictReader(manifest, delimiter="\t"):
                if row["password"] and row["file"].endswith(".pdf"):
                    yield row["file"], row["password"].strip('"'), json.loads(row["expect"])[0]["text"]


@pytest.mark.parametrize(("name", "password", "expected"), list(real_ones()))
async def test_every_way_of_locking_is_opened(copy: Path, name: str, password: str, expected: str) -> None:
    assert await write_unlocked(REAL / name, password, copy, name=name)
    with pdfium.PdfDocument(copy) as document:
        words = " ".join(page.get_textpage().get_text_range() for page in document).split()
    assert expected in " ".join(words)
