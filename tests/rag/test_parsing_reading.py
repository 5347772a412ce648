"""Files read in a child process: what they may cost, and what becomes of pages that cost more."""

from __future__ import annotations

import asyncio
import os
import signal
from io import BytesIO
from pathlib import Path

import pytest

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import children, media_type
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.reading import Limits, read
from documents.rag.types import HowRead, Page
from tests.rag.pdfs import pdf, text

HOSTILE = Path(__file__).parents[3] / "shared/data/hostile"
CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
BODY = text((72, 700, "Twenty days of leave"))


async def pages_of(path: Path, limits: Limits | None = None) -> tuple[Opened, list[Page]]:
    kind = await asyncio.to_thread(lambda: media_type(path.name, BytesIO(path.read_bytes())))
    opened, *pages = [item async for item in read(path, kind, name=path.name, limits=limits or Limits())]
    assert isinstance(opened, Opened)
    return opened, [page for page in pages if isinstance(page, Page)]


async def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(BODY, BODY))
    opened, pages = await pages_of(path)
    assert opened == Opened("", 2)
    assert [page.text for page in pages] == ["Twenty days of leave"] * 2
    assert len(pages[0].words) == 4


async def test_a_large_text_is_read_in_a_child_just_as_a_small_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Ein schöner Satz.\n\n" * 20_000)
    opened, pages = await pages_of(path)
    assert opened.page_count == len(pages)
    assert "".join(page.text for page in pages).count("schöner") == 20_000


def kill_the_youngest_child() -> None:
    os.kill(int(CHILDREN.read_text().split()[-1]), signal.SIGKILL)


@pytest.mark.skipif(not CHILDREN.exists(), reason="this system does not list a process's children")
async def test_a_page_at_which_the_reader_breaks_down_once_is_read_by_another(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(*[BODY] * 3_000))
    pages = []
    async for item in read(path, "application/pdf", name="a.pdf"):
        if isinstance(item, Page):
            pages.append(item)
            if item.number == 1:
                kill_the_youngest_child()
    assert [page.number for page in pages] == list(range(1, 3_001))
    assert {page.how_read for page in pages} == {HowRead.TEXT}


async def test_pages_that_cost_too_much_have_failed_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "LINE_BYTES", 2_048)
    path = tmp_path / "a.pdf"
    huge = text(*[(72, down, "Twenty days of leave") for down in range(20, 780, 12)])
    path.write_bytes(pdf(BODY, *[huge] * 7, BODY))
    _, pages = await pages_of(path)
    failed = {page.number: page.error for page in pages if page.how_read is not HowRead.TEXT}
    assert failed == {number: f"Page {number} can't be read: it holds too much." for number in range(2, 9)}
    assert len(pages) == 9


async def test_a_child_that_says_more_than_is_read_of_it_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LINE_BYTES", 2_048)
    async with asyncio.timeout(30), children.Child("pydoc", "builtins", memory=1 << 30) as child:
        await child.line(10)
        await asyncio.sleep(0.5)


async def test_a_file_that_needs_too_much_memory_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("word\n\n" * 1_000_000)  # The parent looks ten times a second.
    with pytest.raises(UnreadableDocument, match=r"^a\.txt can't be read: it needs too much memory\.$"):
        await pages_of(path, Limits(memory=1 << 20))


async def test_a_damaged_file_is_refused_by_name_without_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing")
    with pytest.raises(UnreadableDocument) as refused:
        await pages_of(path)
    assert str(refused.value).startswith("a.pdf is damaged")
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.skipif(not HOSTILE.exists(), reason="the hostile test files are not here")
async def test_hostile_files_are_read_or_refused_with_a_sentence() -> None:
    for path in sorted(HOSTILE.glob("pdf_*/*.pdf")):
        assert all(sentence.endswith(".") for sentence in await sentences_about(path))


async def sentences_about(path: Path) -> list[str]:
    """What is said about a file: why it was refused, or what was wrong with each page that stays without text."""
    try:
        _, pages = await pages_of(path)
    except UnreadableDocument as refused:
        return [str(refused)]
    return [page.error for page in pages if page.how_read not in (HowRead.TEXT, HowRead.WAITING)]
