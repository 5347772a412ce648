"""What of a page is shown marked."""

from __future__ import annotations

from documents import models
from documents.places import blocks, boxes, heading, parsed, stored
from documents.rag.types import Block, BlockKind, Box, Page, Word, Words

TEXT = "Leave & pay\n\nYou have 25 days.\n\nDays | Who\n25 | all"
PAGE = Page(
    1,
    TEXT,
    (
        Block(BlockKind.HEADING, 0, 11, ("Leave & pay",), 1),
        Block(BlockKind.PARAGRAPH, 13, 30, ("Leave & pay",)),
        Block(BlockKind.TABLE, 32, len(TEXT), ("Leave & pay",)),
    ),
)


def row() -> models.Page:
    return stored(1, PAGE)


def test_a_page_comes_back_as_it_was_stored() -> None:
    word = Word(0, 5, Box(0.1, 0.2, 0.3, 0.25))
    page = Page(3, "Leave", (Block(BlockKind.PARAGRAPH, 0, 5),), Words.of([word]), 595.0, 842.0)
    assert parsed(stored(1, page)) == page


def test_text_is_escaped_and_marked() -> None:
    title, paragraph, _ = blocks(row(), [(6, 22)])
    assert title.text == "Leave <mark>&amp; pay</mark>"
    assert paragraph.text == "<mark>You have </mark>25 days."


def test_marks_may_overlap_and_reach_beyond_the_page() -> None:
    _, paragraph, _ = blocks(row(), [(13, 21), (17, 24), (900, 1000), (5, 2)])
    assert paragraph.text == "<mark>You </mark><mark>have</mark><mark> 25</mark> days."


def test_a_table_is_rows_of_cells_with_the_cell_marked() -> None:
    start = TEXT.index("all")
    table = blocks(row(), [(start, start + 3)])[2]
    assert table.rows == (("Days", "Who"), ("25", "<mark>all</mark>"))


def test_a_place_stands_under_the_last_heading_before_it() -> None:
    assert heading(row(), 15, 16) == "Leave & pay"
    assert heading(row(), 12, 13) == ""


def test_boxes_run_together_within_a_line() -> None:
    words = [
        Word(0, 3, Box(0.1, 0.10, 0.2, 0.12)),
        Word(4, 8, Box(0.21, 0.10, 0.3, 0.125)),
        Word(9, 12, Box(0.1, 0.14, 0.2, 0.16)),
        Word(13, 15, Box(0.21, 0.14, 0.3, 0.16)),
    ]
    page = models.Page(words=Words.of(words).packed)
    assert boxes(page, 4, 12) == [Box(0.21, 0.10, 0.3, 0.125), Box(0.1, 0.14, 0.2, 0.16)]
    assert boxes(page, 0, 8) == [Box(0.1, 0.10, 0.3, 0.125)]


def test_a_spreadsheets_table_has_the_names_of_its_columns_and_rows() -> None:
    page = Page(1, "Days | Who\n25", (Block(BlockKind.TABLE, 0, 13, ("Leave",), cells="Z7:AA8"),))
    [table] = blocks(stored(1, page))
    assert table.columns == ("Z", "AA")
    assert list(table.numbered) == [(7, ("Days", "Who")), (8, ("25", ""))]
