"""Text recognised in pictures, and what becomes of pages at which that breaks down."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from documents.rag.ocr.engine import Line
from documents.rag.ocr.ordering import rows
from documents.rag.ocr.paging import NOTHING, page_of
from documents.rag.ocr.recogniser import Recogniser
from documents.rag.parsing.reading import Limits
from documents.rag.parsing.recognising import PDF, PNG
from documents.rag.types import HowRead, Page
from tests.rag.drawing import picture
from tests.rag.pdfs import pdf, text

CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
SENTENCE = "Everyone has twenty-five days"


def children() -> list[int]:
    return [int(number) for number in CHILDREN.read_text().split()] if CHILDREN.exists() else []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "leave.png"
    path.write_bytes(picture(SENTENCE, "of paid leave in each year"))
    return path


async def test_it_works_for_pictures_and_pdfs_in_one_child(path: Path, tmp_path: Path) -> None:
    paper = tmp_path / "plan.pdf"
    paper.write_bytes(pdf(text((72, 700, "The harbour plan"), size=24)))
    async with Recogniser() as recogniser:
        page = await recogniser.page(path, PNG, 1, name="leave.png")
        assert (page.text, page.how_read) == (f"{SENTENCE}\nof paid leave in each year", HowRead.OCR)
        assert [page.text[word.start : word.end] for word in page.words] == page.text.split()
        child = children()
        assert (await recogniser.page(paper, PDF, 1, name="plan.pdf")).text == "The harbour plan"
        assert children() == child


@pytest.mark.parametrize(("turned", "left", "top"), [(0, 0.07, 0.1), (1, 0.82, 0.07), (2, 0.78, 0.82), (3, 0.1, 0.78)])
async def test_a_page_that_lies_or_stands_on_its_head_is_read(
    tmp_path: Path, turned: int, left: float, top: float
) -> None:
    path = tmp_path / "turned.png"
    path.write_bytes(picture(SENTENCE, "of paid leave in each year", turned=turned))
    async with Recogniser() as recogniser:
        page = await recogniser.page(path, PNG, 1, name="turned.png")
    assert page.text.startswith(SENTENCE)
    first = next(iter(page.words)).box
    assert (first.left, first.top) == pytest.approx((left, top), abs=0.06)


async def test_a_picture_without_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    path.write_bytes(picture())
    async with Recogniser() as recogniser:
        page = await recogniser.page(path, PNG, 1, name="blank.png")
    assert (page.how_read, page.error) == (HowRead.EMPTY, NOTHING)


async def test_a_damaged_page_fails_and_the_next_one_is_read(path: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(picture(SENTENCE)[:3_000])
    async with Recogniser() as recogniser:
        page = await recogniser.page(broken, PNG, 1, name="broken.png")
        assert (page.how_read, page.error[:31]) == (HowRead.FAILED, "Page 1 of broken.png is damaged")
        assert (await recogniser.page(path, PNG, 1, name="leave.png")).how_read is HowRead.OCR


async def test_what_needs_too_much_memory_costs_its_page(path: Path) -> None:
    async with Recogniser(Limits(memory=64 << 20)) as recogniser:
        page = await recogniser.page(path, PNG, 1, name="leave.png")
    assert (page.how_read, page.error) == (HowRead.FAILED, "Page 1 can't be recognised: it needs too much memory.")


@pytest.mark.skipif(not CHILDREN.exists(), reason="this system does not list a process's children")
async def test_a_page_at_which_a_child_breaks_down_after_others_is_read_by_another(path: Path) -> None:
    async with Recogniser() as recogniser:
        await recogniser.page(path, PNG, 1, name="leave.png")
        os.kill(children()[-1], signal.SIGKILL)
        assert (await recogniser.page(path, PNG, 1, name="leave.png")).how_read is HowRead.OCR


# --- Order --------------------------------------------------------------------------------------


def line(words: str, left: float, top: float, right: float, turns: int = 0) -> Line:
    return Line(words, (left, top, right, top + 20), turns)


def told(lines: list[Line]) -> list[str]:
    return [" | ".join(part.text for part in row) for row in rows(lines)]


def test_columns_are_read_one_after_the_other_between_what_goes_across() -> None:
    left = [line(f"line {row} of the left column", 50, 100 + 25 * row, 440) for row in range(5)]
    right = [line(f"line {row} of the right column", 470, 98 + 25 * row, 900) for row in range(5)]
    title, foot = line("A title over both columns", 250, 40, 700), line("A line below both of them", 50, 300, 900)
    assert told([*right, foot, *left, title]) == [
        "A title over both columns",
        *(f"line {row} of the left column" for row in range(5)),
        *(f"line {row} of the right column" for row in range(5)),
        "A line below both of them",
    ]


def test_a_tables_cells_are_read_by_rows() -> None:
    cells = [
        line(cell, 50 + 300 * column, 100 + 30 * row, 150 + 300 * column)
        for row in range(4)
        for column, cell in enumerate((f"name {row}", f"{row} mg", "high"))
    ]
    assert told(cells) == [f"name {row} | {row} mg | high" for row in range(4)]


def test_a_table_of_long_cells_of_any_length_is_read_by_rows_as_well() -> None:
    cells = [
        line(f"{cell} of row {row}", 50 + 400 * column, 100 + 30 * row, 160 + 400 * column + (200 if row == 0 else 0))
        for row in range(6)
        for column, cell in enumerate(("The measurement", "The normal range"))
    ]
    assert [len(row) for row in rows(cells)] == [2] * 6


def test_what_is_written_up_the_margin_comes_last() -> None:
    stamp = Line("1706.03762", (10, 100, 30, 500), 3)
    page = page_of(1, [stamp, line("The abstract of a paper", 100, 100, 500)], 600, 800)
    assert page.text == "The abstract of a paper\n\n1706.03762"
    assert [word.box.top for word in page.words][-1] == 0.125


def test_a_word_that_is_split_at_a_lines_end_is_joined() -> None:
    page = page_of(1, [line("in the competi-", 100, 100, 400), line("tive service", 100, 125, 400)], 600, 800)
    assert isinstance(page, Page)
    assert page.text == "in the competitive service"
