"""A page as it is stored, as the heart knows it, and as people see it, with passages marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from documents import models
from documents.rag.parsing.cells import cell_range, letters, written_range
from documents.rag.parsing.grids import CELL_BREAK
from documents.rag.types import Block, BlockKind, Box, HowRead, Page, Words

Mark = tuple[int, int]
"""Characters of a page's text to mark: from, to (exclusive)."""


# --- To the database and back -----------------------------------------------------------------


def stored(version_id: int, page: Page) -> models.Page:
    """A parsed page as a row, not saved yet."""
    return models.Page(
        version_id=version_id,
        number=page.number,
        text=page.text,
        blocks=[_stored_block(block) for block in page.blocks],
        words=page.words.packed,
        width=page.width,
        height=page.height,
        how_read=page.how_read,
        error=page.error,
    )


def parsed(row: models.Page, *, with_words: bool = True) -> Page:
    """The page of a row."""
    return Page(
        number=row.number,
        text=row.text,
        blocks=tuple(
            Block(BlockKind(kind), start, end, tuple(path), level, *cells)
            for kind, start, end, level, path, *cells in row.blocks
        ),
        words=Words(bytes(row.words)) if with_words else Words(),
        width=row.width,
        height=row.height,
        how_read=HowRead(row.how_read),
        error=row.error,
    )


def _stored_block(block: Block) -> list[object]:
    return [block.kind, block.start, block.end, block.level, block.path, *([block.cells] if block.cells else [])]


# --- Marked text ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MarkedBlock:
    """A block as HTML that is safe to show: its text, or a table's rows of cells, with `<mark>` around what is marked.

    `level` is a heading's (1–6) or a list item's depth, else 0. A spreadsheet's table has the names of its `columns`,
    and the number of its `top` row.
    """

    kind: BlockKind
    level: int
    text: SafeString
    rows: tuple[tuple[SafeString, ...], ...] = ()
    columns: tuple[str, ...] = ()
    top: int = 0

    @property
    def numbered(self) -> Iterator[tuple[int, tuple[SafeString, ...]]]:
        """The rows with their numbers."""
        return enumerate(self.rows, self.top)


def blocks(page: models.Page, marks: Sequence[Mark] = ()) -> list[MarkedBlock]:
    """The page's blocks in reading order, with these stretches of its text marked."""
    return [
        _marked_block(page.text, BlockKind(kind), start, end, level=level, marks=marks, cells="".join(cells))
        for kind, start, end, level, _, *cells in page.blocks
    ]


def heading(page: models.Page, start: int, end: int) -> str:
    """What these characters of the page stand under, in a spreadsheet with their rows; "" where that is nothing."""
    for block in parsed(page, with_words=False).blocks:
        if block.start <= start < block.end:
            rows = _rows(block, page.text, start, end) if block.cells else ""
            return ", ".join(filter(None, (*block.path[: 1 if rows else None][-1:], rows)))
    return ""


def _rows(block: Block, text: str, start: int, end: int) -> str:
    """The cells of a spreadsheet that characters `start` to `end` of a block stand in, whole rows of them."""
    left, top, right, _ = cell_range(block.cells)
    first = top + text.count("\n", block.start, start)
    return written_range(left, first, right, first + text.count("\n", start, min(end, block.end)))


def _marked_block(
    text: str, kind: BlockKind, start: int, end: int, *, level: int, marks: Sequence[Mark], cells: str
) -> MarkedBlock:
    if kind is not BlockKind.TABLE:
        return MarkedBlock(kind, level, marked(text, start, end, marks))
    rows = [
        tuple(marked(text, *cell, marks) for cell in _parts(text, *row, CELL_BREAK))
        for row in _parts(text, start, end, "\n")
    ]
    if not cells:
        return MarkedBlock(kind, level, mark_safe(""), tuple(rows))
    left, top, right, _ = cell_range(cells)
    columns = tuple(map(letters, range(left, right + 1)))
    empty = (mark_safe(""),) * len(columns)
    whole = tuple((*row, *empty[len(row) :]) for row in rows)
    return MarkedBlock(kind, level, mark_safe(""), whole, columns, top)


def _parts(text: str, start: int, end: int, between: str) -> Iterator[Mark]:
    """Where the parts of `text[start:end]` stand that `between` separates."""
    for part in text[start:end].split(between):
        yield start, start + len(part)
        start += len(part) + len(between)


def marked(text: str, start: int, end: int, marks: Sequence[Mark]) -> SafeString:
    """Characters `start` to `end` as HTML that is safe to show, with `<mark>` around what of `marks` is among them."""
    inside = [(max(first, start), min(last, end)) for first, last in marks]
    edges = sorted({start, end, *(edge for first, last in inside if first < last for edge in (first, last))})
    pieces = [
        f"<mark>{escape(text[left:right])}</mark>"
        if any(first <= left and right <= last for first, last in inside)
        else escape(text[left:right])
        for left, right in pairwise(edges)
    ]
    return mark_safe("".join(pieces))


def wording(text: str) -> str:
    """A pattern for these words in whatever white space."""
    return r"\s+".join(map(re.escape, text.split()))


# --- Boxes ------------------------------------------------------------------------------------


def boxes(page: models.Page, start: int, end: int) -> list[Box]:
    """Where characters `start` to `end` stand on the page: a box a line, in reading order."""
    lines: list[Box] = []
    for word in Words(bytes(page.words)).between(start, end):
        if lines and _on_one_line(lines[-1], word.box):
            lines[-1] = _around(lines[-1], word.box)
        else:
            lines.append(word.box)
    return lines


def _on_one_line(line: Box, box: Box) -> bool:
    """Whether a word goes on to the right of the others, at about their height."""
    middle = (box.top + box.bottom) / 2
    return line.top <= middle <= line.bottom and box.right >= line.right


def _around(one: Box, other: Box) -> Box:
    return replace(
        one,
        left=min(one.left, other.left),
        top=min(one.top, other.top),
        right=max(one.right, other.right),
        bottom=max(one.bottom, other.bottom),
    )
