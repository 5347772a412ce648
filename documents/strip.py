"""How each page of a version was read, at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from documents.models import Version
from documents.rag.types import HowRead

NAMES = {
    HowRead.TEXT: "text",
    HowRead.OCR: "recognised",
    HowRead.WAITING: "waiting",
    HowRead.EMPTY: "empty",
    HowRead.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A page, and how it was read: the word for the program, and the one for people."""

    number: int
    how: str
    name: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How many pages were read in this way."""

    count: int
    how: str
    name: str


@dataclass(frozen=True, slots=True)
class Strip:
    """All pages in order, and those kinds of them that there are."""

    cells: list[Cell]
    kinds: list[Kind]


def strip(version: Version) -> Strip:
    pages = version.pages.order_by("number").values_list("number", "how_read")
    cells = [Cell(number, how, NAMES[HowRead(how)]) for number, how in pages]
    counts = Counter(cell.how for cell in cells)
    return Strip(cells, [Kind(counts[how], how, name) for how, name in NAMES.items() if counts[how]])
