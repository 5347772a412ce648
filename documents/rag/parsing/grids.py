"""Rows of cells → the tables they are, with what each was in its sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from documents.rag.parsing.cells import written_range
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.sections import PAGE_CHARACTERS, Piece
from documents.rag.types import HEADER_CHARACTERS, BlockKind

CELL_BREAK = " | "
"""What stands between two cells in a table's line."""

Row = Sequence[str]


def table(rows: Iterable[Row]) -> str:
    """Rows of cells as lines."""
    return "\n".join(map(line, rows))


def line(row: Row) -> str:
    """A row as a line: its cells up to the last that has text."""
    cells = [" ".join(clean(cell).split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return CELL_BREAK.join(cells)


def sheet(name: str, rows: Iterable[Row], *, left: int = 1, top: int = 1) -> Iterator[list[Piece]]:
    """A sheet's pages, each with pieces of tables; `left` and `top` say where its first cell stands, from 1.

    A row without text ends a table. What stands alone in a row before a table is its title. A table that is longer than
    a page goes on, in the next ones, under its first row.
    """
    path = (name,)
    page: list[Piece] = [Piece(BlockKind.HEADING, name, 1, path)] if name else []
    room = PAGE_CHARACTERS
    for number, lines in _runs(rows, top):
        for piece in _pieces(lines, path, left, number):
            if len(piece.text) > room and page:
                yield page
                page, room = [], PAGE_CHARACTERS
            page.append(piece)
            room -= len(piece.text) + 2
    if page:
        yield page


def _runs(rows: Iterable[Row], top: int) -> Iterator[tuple[int, list[str]]]:
    """Rows with text that follow one another, and the number of the first; a title is a run of its own."""
    run: list[str] = []
    number = top
    for number, row in enumerate(rows, top):
        text = line(row)
        if run and (not text or (len(run) == 1 and _is_title(run[0]) and not _is_title(text))):
            yield number - len(run), run
            run = []
        if text:
            run.append(text)
    if run:
        yield number - len(run) + 1, run


def _is_title(text: str) -> bool:
    return CELL_BREAK not in text


def _pieces(lines: Sequence[str], path: tuple[str, ...], left: int, top: int) -> Iterator[Piece]:
    """A run as a table, in parts that fit a page."""
    header = lines[0][:HEADER_CHARACTERS]
    kind = BlockKind.TABLE if len(lines) > 1 or not _is_title(header) else BlockKind.PARAGRAPH
    start = length = 0
    for at, text in enumerate([*lines, " " * PAGE_CHARACTERS]):
        length += len(text) + 1
        if length <= PAGE_CHARACTERS or at == start:
            continue
        part = lines[start:at]
        cells = written_range(left, top + start, left + max(row.count(CELL_BREAK) for row in part), top + at - 1)
        under = (*path, header) if start else path
        yield Piece(kind, "\n".join(part), 0, under, cells)
        start, length = at, len(text) + 1
