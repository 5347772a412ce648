"""PDF pages: their text, their headings, and where each word stands."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import parse
from documents.rag.parsing.cleaning import is_legible
from documents.rag.parsing.images import render
from documents.rag.parsing.recognising import PDF
from documents.rag.types import HowRead, Page
from tests.rag.pdfs import pdf, stream, text

BODY = text(
    *((72, 700 - 15 * row, line) for row, line in enumerate(["Everyone gets twenty days", "of paid leave a year."])),
    (72, 640, "Ask for it in a non-"),
    (72, 625, "binding form of self-"),
    (72, 610, "determination and infor-"),
    (72, 595, "mation about non-binding matters."),
)


_FORM = "/Type /XObject /Subtype /Form /BBox [0 0 200 40] /Resources << /Font << /F1 3 0 R >> >>"


def read(path: Path, data: bytes, first: int = 1) -> list[Page]:
    path.write_bytes(data)
    return [item for item in parse(path, "application/pdf", first, name=path.name) if isinstance(item, Page)]


def test_a_page_is_read_as_paragraphs(tmp_path: Path) -> None:
    (page,) = read(tmp_path / "a.pdf", pdf(BODY))
    first, second = (page.text[block.start : block.end] for block in page.blocks)
    assert first == "Everyone gets twenty days\nof paid leave a year."
    assert "information about non-binding matters." in second
    assert "a non-binding form" in second
    assert (page.width, page.height) == (600, 800)


def test_a_larger_line_is_the_heading_of_what_follows_even_over_pages(tmp_path: Path) -> None:
    heading = text((72, 750, "Annual leave"), font="F2", size=20)
    pages = read(tmp_path / "a.pdf", pdf(heading + "\n" + BODY, BODY))
    assert pages[0].blocks[0].kind == "heading"
    assert {block.path for page in pages for block in page.blocks} == {("Annual leave",)}


def test_a_bulleted_line_is_an_item(tmp_path: Path) -> None:
    (page,) = read(tmp_path / "a.pdf", pdf(text((72, 700, "You need:"), (72, 685, "- a form"), (72, 670, "- a pen"))))
    assert [block.kind.value for block in page.blocks] == ["paragraph", "item", "item"]


def rows(*cells: tuple[str, ...], places: tuple[int, ...] = (72, 240, 400)) -> str:
    """A content stream of cells that stand in columns."""
    return text(
        *((x, 500 - 15 * at, cell) for at, row in enumerate(cells) for x, cell in zip(places, row, strict=True) if cell)
    )


def test_rows_of_words_in_columns_are_a_table(tmp_path: Path) -> None:
    grid = rows(
        ("Item", "Unit cost", "Days"),
        ("Desk", "", "20"),
        ("", "150", "4"),
        ("Office chair", "45", "8"),
        ("Lamp", "9", ""),
    )
    (page,) = read(tmp_path / "a.pdf", pdf(BODY + "\n" + grid + "\n" + text((72, 300, "All of it is new."))))
    assert [block.kind.value for block in page.blocks] == ["paragraph", "paragraph", "table", "paragraph"]
    table = page.blocks[2]
    assert page.text[table.start : table.end].split("\n") == [
        "Item | Unit cost | Days",
        "Desk |  | 20",
        " | 150 | 4",
        "Office chair | 45 | 8",
        "Lamp | 9",
    ]
    words = [page.text[word.start : word.end] for word in page.words if table.start <= word.start < table.end]
    assert words == [
        "Item",
        "Unit",
        "cost",
        "Days",
        "Desk",
        "20",
        "150",
        "4",
        "Office",
        "chair",
        "45",
        "8",
        "Lamp",
        "9",
    ]
    chair = next(word for word in page.words if page.text[word.start : word.end] == "Office")
    assert chair.box.left == pytest.approx(72 / 600, abs=0.01)


@pytest.mark.parametrize(
    "cells",
    [
        [("Item", "Unit cost", "Days"), ("Desk", "150", "20")],
        [("Item", "Unit cost", "")] * 4,
    ],
)
def test_a_text_that_may_be_something_else_is_no_table(tmp_path: Path, cells: list[tuple[str, ...]]) -> None:
    (page,) = read(tmp_path / "a.pdf", pdf(rows(*cells)))
    assert "table" not in {block.kind.value for block in page.blocks}
    assert " | " not in page.text


def test_columns_of_prose_are_no_table(tmp_path: Path) -> None:
    line = "a text that goes on and on in lines"
    (page,) = read(tmp_path / "a.pdf", pdf(rows(*[(line, line, line)] * 6, places=(10, 210, 410))))
    assert "table" not in {block.kind.value for block in page.blocks}


def turned(matrix: str, *words: tuple[int, int, str]) -> str:
    """A content stream of words written in a direction of their own."""
    return "\n".join(f"BT /F1 12 Tf {matrix} {x} {y} Tm ({word}) Tj ET" for x, y, word in words)


@pytest.mark.parametrize(
    "words",
    [
        turned("-1 0 0 -1", (300, 300, "Everyone"), (240, 300, "gets"), (210, 300, "leave")),
        turned("0 1 -1 0", (300, 300, "Everyone"), (300, 360, "gets"), (300, 390, "leave")),
        turned("0 -1 1 0", (300, 390, "Everyone"), (300, 330, "gets"), (300, 300, "leave")),
    ],
)
def test_words_on_their_head_or_side_are_read_as_they_were_written(tmp_path: Path, words: str) -> None:
    (page,) = read(tmp_path / "a.pdf", pdf(BODY + words))
    assert "Everyone gets leave" in page.text.split("\n")
    assert [page.text[word.start : word.end] for word in page.words][-3:] == ["Everyone", "gets", "leave"]


def test_sideways_lines_are_lines(tmp_path: Path) -> None:
    words = turned("0 1 -1 0", (300, 300, "Everyone gets"), (315, 300, "twenty days"))
    (page,) = read(tmp_path / "a.pdf", pdf(words))
    assert page.text.split() == ["Everyone", "gets", "twenty", "days"]
    assert "Everyone gets\n" in page.text


def test_columns_of_japanese_are_read_from_the_right_strip_by_strip(tmp_path: Path) -> None:
    columns = [(500, 700, "あいう"), (480, 700, "えおか"), (490, 300, "きくけ")]
    content = "\n".join(f"BT /F3 12 Tf {x} {y} Td <{word.encode('utf-16-be').hex()}> Tj ET" for x, y, word in columns)
    (page,) = read(tmp_path / "a.pdf", pdf(content))
    assert page.text.split() == ["あいう", "えおか", "きくけ"]


def test_what_is_written_upon_a_page_is_its_text(tmp_path: Path) -> None:
    look = stream("BT /F1 12 Tf 10 10 Td (Left blank on purpose) Tj ET", _FORM)
    upon = "/Annots [<< /Type /Annot /Subtype /FreeText /F 4 /Rect [100 500 300 540] /AP << /N 7 0 R >> >>]"
    (page,) = read(tmp_path / "a.pdf", pdf("", extra=upon, objects=[look]))
    assert page.text == "Left blank on purpose"
    assert 100 / 600 < next(iter(page.words)).box.left < 120 / 600


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (0, (0.25, 0.63, 0.75, 0.94)),
        (90, (0.06, 0.25, 0.37, 0.75)),
        (180, (0.25, 0.06, 0.75, 0.37)),
        (270, (0.63, 0.25, 0.94, 0.75)),
    ],
)
def test_boxes_are_fractions_of_the_page_as_displayed(tmp_path: Path, turn: int, expected: tuple[float, ...]) -> None:
    content = text((250, 625, "Mm"), size=60)
    extra = f"/CropBox [200 600 400 800] /Rotate {turn}"
    (page,) = read(tmp_path / "a.pdf", pdf(content, box="0 0 1000 1000", extra=extra))
    (word,) = page.words
    assert (page.text[word.start : word.end], page.width, page.height) == ("Mm", 200, 200)
    box = word.box
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(expected, abs=0.05)


def test_a_page_without_text_says_so_and_the_others_are_read(tmp_path: Path) -> None:
    pages = read(tmp_path / "a.pdf", pdf(BODY, "", BODY))
    assert [page.how_read for page in pages] == [HowRead.TEXT, HowRead.EMPTY, HowRead.TEXT]
    assert pages[1].error == "This page has no text."


@pytest.mark.parametrize("content", ["0 0 100 100 re f", text((72, 700, r"\001\002\003"))])
def test_a_page_on_which_something_is_drawn_waits_to_be_recognised(tmp_path: Path, content: str) -> None:
    pages = read(tmp_path / "a.pdf", pdf(BODY, content))
    assert [(page.how_read, page.error) for page in pages] == [(HowRead.TEXT, ""), (HowRead.WAITING, "")]
    assert (pages[1].width, pages[1].height) == (600, 800)


def shown(width: int, height: int, *, up: int = 0) -> str:
    """A content stream with a picture that begins in the page's left corner."""
    return f"q {width} 0 0 {height} 0 {up} cm BI /W 1 /H 1 /CS /G /BPC 8 ID w EI Q\n"


@pytest.mark.parametrize(
    ("content", "how_read"),
    [
        (shown(600, 800) + text((280, 20, "Page 7")), HowRead.WAITING),
        (shown(600, 400) + shown(600, 400, up=400) + text((280, 20, "Page 7")), HowRead.WAITING),
        (shown(600, 800) + text(*[(72, down, "Twenty days of leave") for down in range(100, 700, 20)]), HowRead.TEXT),
        (shown(600, 500) + text((280, 20, "Page 7")), HowRead.TEXT),
        (shown(600, 800, up=500) + text((280, 20, "Page 7")), HowRead.TEXT),
        (text((280, 20, "Page 7")), HowRead.TEXT),
    ],
    ids=["scan", "in strips", "with its text", "half a page", "mostly beside the page", "no picture"],
)
def test_a_scan_with_a_few_letters_on_it_waits_to_be_recognised(
    tmp_path: Path, content: str, how_read: HowRead
) -> None:
    (page,) = read(tmp_path / "a.pdf", pdf(content))
    assert page.how_read is how_read
    assert page.text
    assert page.words


@pytest.mark.parametrize(
    ("letters", "legible"),
    [
        ("Leave", True),
        ("\ue001\ue002 \ufffd", False),
        ("\ue001\ue002\ue003\ue004\ufffd a", False),
        ("\ue001 Leave", True),
    ],
)
def test_a_text_of_unknown_characters_is_none(letters: str, legible: bool) -> None:
    assert is_legible(letters) == legible


_GLYPHS = (
    "/F4 << /Type /Font /Subtype /Type0 /BaseFont /Gothic /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts ["
    "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Gothic /DW 600"
    " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>"
)


@pytest.mark.parametrize(
    ("letters", "read_as"),
    [
        ("<0041> <0061> <0042> <0062>", "ab\ufffda b"),
        ("", "AB1A B"),  # as in fonts whose glyphs are numbered by their letters
    ],
)
def test_a_letter_that_a_font_keeps_to_itself_is_not_guessed(tmp_path: Path, letters: str, read_as: str) -> None:
    known = f"{letters.count('<') // 2} beginbfchar {letters} endbfchar"
    mapped = f"1 begincodespacerange <0000> <FFFF> endcodespacerange {known}"
    content = "BT /F4 12 Tf 72 700 Td <00410042003100410020000700420003> Tj ET"
    (page,) = read(tmp_path / "a.pdf", pdf(content, fonts=_GLYPHS, objects=[stream(mapped)]))
    assert page.text == read_as


def test_reading_begins_at_the_page_asked_for(tmp_path: Path) -> None:
    assert [page.number for page in read(tmp_path / "a.pdf", pdf(BODY, BODY, BODY), first=2)] == [2, 3]


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDocument, match=r"^a\.pdf is damaged"):
        read(tmp_path / "a.pdf", b"%PDF-1.7\nnothing")


def test_a_page_is_drawn_as_a_png_of_the_width_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(BODY))
    image = render(path, PDF, 1, 300, name="a.pdf")
    assert image.startswith(b"\x89PNG")
    assert struct.unpack(">2I", image[16:24]) == (300, 400)
    with pytest.raises(UnreadableDocument, match=r"Page 2 of a\.pdf"):
        render(path, PDF, 2, 300, name="a.pdf")
