"""Tagged PDFs: their own headings where they are of use, and the same as without tags where they aren't."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rag.pdfs import pdf, tagged, text
from tests.rag.test_parsing_pdf import read

TITLE = text((72, 760, "Leave"))
WRAPPED = text((72, 730, "How to ask for days that")) + "\n" + text((72, 700, "you did not take."))
BODY = text(*((72, 660 - 15 * row, f"Everyone gets twenty days, in year {row} as well.") for row in range(5)))


def headings(path: Path, data: bytes) -> list[tuple[int, str]]:
    (page,) = read(path, data)
    return [(block.level, page.text[block.start : block.end]) for block in page.blocks if block.kind == "heading"]


def test_headings_are_what_is_tagged_so(tmp_path: Path) -> None:
    data = tagged([TITLE, WRAPPED, BODY], "/S /H1 /K 0", "/S /H2 /K 1", "/S /P /K 2")
    (page,) = read(tmp_path / "a.pdf", data)
    assert [(block.kind.value, block.level, block.path) for block in page.blocks] == [
        ("heading", 1, ("Leave",)),
        ("heading", 2, ("Leave", "How to ask for days that you did not take.")),
        ("paragraph", 0, ("Leave", "How to ask for days that you did not take.")),
    ]


def test_what_only_looks_like_a_heading_is_none_beside_tagged_ones(tmp_path: Path) -> None:
    large = text((72, 730, "Twenty days"), font="F2", size=20)
    assert headings(tmp_path / "a.pdf", pdf(f"{TITLE}\n{large}\n{BODY}")) == [(1, "Twenty days")]
    data = tagged([TITLE, large, BODY], "/S /H1 /K 0", "/S /P /K 1", "/S /P /K 2")
    assert headings(tmp_path / "a.pdf", data) == [(1, "Leave")]


def test_types_of_its_own_are_those_that_they_stand_for(tmp_path: Path) -> None:
    roles = "/RoleMap << /Chapter /H3 >>"
    data = tagged([TITLE, BODY], "/S /Chapter /K 0", "/S /P /K 1", about=roles)
    assert headings(tmp_path / "a.pdf", data) == [(3, "Leave")]


def test_a_heading_without_a_level_has_that_of_its_section(tmp_path: Path) -> None:
    data = tagged([TITLE, BODY], "/S /Sect /K [9 0 R 10 0 R]", "/S /H /K 0 /P 8 0 R", "/S /P /K 1 /P 8 0 R")
    assert headings(tmp_path / "a.pdf", data) == [(2, "Leave")]


def test_the_words_of_a_heading_may_be_tagged_below_it(tmp_path: Path) -> None:
    data = tagged([TITLE, BODY], "/S /H1 /K [9 0 R]", "/S /Span /K 0 /P 8 0 R", "/S /P /K 1")
    assert headings(tmp_path / "a.pdf", data) == [(1, "Leave")]


def test_a_heading_in_the_line_of_its_text_is_none(tmp_path: Path) -> None:
    beside = text((110, 760, "is what everyone gets."))
    data = tagged([TITLE, beside, WRAPPED, BODY], "/S /H1 /K 0", "/S /P /K 1", "/S /H1 /K 2", "/S /P /K 3")
    assert headings(tmp_path / "a.pdf", data) == [(1, "How to ask for days that\nyou did not take.")]


def test_a_whole_paragraph_is_no_heading(tmp_path: Path) -> None:
    more = text(*((72, 520 - 15 * row, f"Ask for it in week {row}.") for row in range(10)))
    data = tagged([TITLE, BODY, more], "/S /H1 /K 0", "/S /H1 /K 1", "/S /P /K 2")
    assert headings(tmp_path / "a.pdf", data) == [(1, "Leave")]


LARGE = text((72, 760, "Annual leave"), font="F2", size=20)


def layered(depth: int) -> tuple[str, ...]:
    """Elements in one another, each twice in the one above, and in the last a heading."""
    layers = (f"/S /Div /K [{9 + n} 0 R {9 + n} 0 R] /P {7 + n} 0 R" for n in range(depth))
    return (*layers, f"/S /H6 /K 0 /P {7 + depth} 0 R")


@pytest.mark.parametrize(
    "elements",
    [
        (),
        ("/S /P /K 0", "/S /P /K 1"),
        ("/S /H6 /K 0", "/S /H6 /K 1"),
        ("/S /H6 /K 100", "/S /P /K 101"),
        ("/S /H6 /K [0 9 0 R] /P 9 0 R", "/S /P /K [1 8 0 R] /P 8 0 R"),
        ("/S /H6 /K [0 8 0 R] /P 8 0 R",),
        layered(40),
        layered(3000),
        ("/S /H6 /K 0", f"/S /P /K [{'1 ' * 30_000}]"),
    ],
    ids=["none", "no heading", "all headings", "of no text", "a circle", "its own parent", "twice", "deep", "many"],
)
def test_by_tags_that_are_of_no_use_nothing_is_lost(tmp_path: Path, elements: tuple[str, ...]) -> None:
    untagged = read(tmp_path / "a.pdf", pdf(f"{LARGE}\n{BODY}"))
    assert read(tmp_path / "a.pdf", tagged([LARGE, BODY], *elements)) == untagged
    assert untagged[0].blocks[0].kind == "heading"
