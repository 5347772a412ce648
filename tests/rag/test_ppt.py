"""PowerPoint files of before 2007, written by hand → a page a slide."""

from __future__ import annotations

from pathlib import Path

import pytest

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import parse
from documents.rag.parsing.recognising import PPT
from documents.rag.types import Page
from tests.rag.presentations import (
    LOCKED,
    body,
    container,
    grid,
    in_list,
    notes,
    presentation,
    shape,
    slide,
    text,
    title,
)


def pages(path: Path, data: bytes) -> list[Page]:
    path.write_bytes(data)
    return [item for item in parse(path, PPT, name=path.name) if isinstance(item, Page)]


def test_each_slide_is_a_page_under_its_title(tmp_path: Path) -> None:
    talk = presentation(
        [
            slide(shape(title("Our harbour")), shape(body("Opens at six\rCloses at ten")), shape(text("Žluťák"))),
            slide(shape(text("Thank you")), shape(text("*"))),
        ]
    )
    first, second = pages(tmp_path / "talk.ppt", talk)
    assert first.text == "Slide 1: Our harbour\n\nOpens at six\n\nCloses at ten\n\nŽluťák"
    assert {block.path for block in first.blocks} == {("Slide 1: Our harbour",)}
    assert second.text == "Slide 2\n\nThank you"


def test_a_text_that_stands_in_the_list_of_slides_is_read_once_where_it_is_shown(tmp_path: Path) -> None:
    shown = [slide(shape(in_list(0)), shape(text("Below")), shape(in_list(1)))]
    (page,) = pages(tmp_path / "talk.ppt", presentation(shown, listed=[title("Moorings") + body("Four")]))
    assert page.text == "Slide 1: Moorings\n\nBelow\n\nFour"


def test_the_notes_stand_with_their_slide(tmp_path: Path) -> None:
    talk = presentation([slide(), slide(shape(text("Shown")), notes=1)], noted=[notes("Said")])
    first, second = pages(tmp_path / "talk.ppt", talk)
    assert (first.text, second.text) == ("Slide 1", "Slide 2\n\nShown\n\nNotes: Said")


def test_a_table_is_read_by_rows(tmp_path: Path) -> None:
    (page,) = pages(tmp_path / "talk.ppt", presentation([slide(grid([("Year", "Days"), ("First", "25")]))]))
    assert page.blocks[1].kind == "table"
    assert page.text == "Slide 1\n\nYear | Days\nFirst | 25"


def test_what_a_later_edit_replaced_is_not_read(tmp_path: Path) -> None:
    talk = presentation([slide(shape(text("Now")))], before=[slide(shape(text("Then")))])
    (page,) = pages(tmp_path / "talk.ppt", talk)
    assert page.text == "Slide 1\n\nNow"


def test_shapes_within_shapes_without_end_cost_only_themselves(tmp_path: Path) -> None:
    deep = shape(text("Too deep"))
    for _ in range(1_000):
        deep = container(0xF003, container(0xF004), deep)
    (page,) = pages(tmp_path / "talk.ppt", presentation([slide(deep, shape(text("Beside")))]))
    assert page.text == "Slide 1\n\nBeside"


@pytest.mark.parametrize(
    "data",
    [
        presentation([slide(shape(text("Secret")))], token=LOCKED),
        presentation([slide(shape(text("Cut")))])[:2_000],
        presentation([slide(shape(text("Drawn")))]).replace(
            "Document".encode("utf-16-le"), "Movement".encode("utf-16-le")
        ),
    ],
    ids=["locked", "cut off", "of something else"],
)
def test_one_that_is_locked_or_damaged_is_refused_by_name(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadableDocument, match=r"talk\.ppt is damaged or has a password"):
        pages(tmp_path / "talk.ppt", data)
