"""Tables of a PDF page: rows of words between which the same stretches are white from the first to the last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from documents.rag.parsing.grids import CELL_BREAK
from documents.rag.parsing.lines import Lines

_ROWS = _COLUMNS = 3
_WIDE = 2.0
"""White that parts two cells, in the width of the page's usual character; a space is about half of one."""
_LEAST = 1.0
"""White that is left between two columns over all their rows, in the same."""
_LOOSE = 2.0
"""White between two rows, in the upper one's height."""
_KEPT = 2 / 3
"""How many of the stretches that were white so far a row must leave white, but two at least."""
_FILLED = 0.4
"""How many of a table's cells have text, at least."""
_CELL_CHARACTERS = 24
"""How long they are on average, without spaces, at most: columns of prose are longer."""
_STRIPS = 1024
"""Into how many strips from left to right a page is cut, to tell what is white."""

Stretches = tuple[tuple[int, int], ...]
"""The first strip of each, and the one after its last."""


def with_tables(lines: Lines) -> tuple[Lines, list[tuple[int, int]]]:
    """The lines, each row of a table one with its cells set apart, and the first and last line of each table.

    Only what is certain is a table.
    """
    if not _may_have_tables(lines):
        return lines, []
    rows = _Rows(lines)
    tables = list(filter(rows.is_certain, rows.runs()))
    return _set_apart(lines, rows, tables) if tables else (lines, [])


def _may_have_tables(lines: Lines) -> bool:
    """Whether there are lines with more than one wide stretch of white."""
    wide = np.flatnonzero(lines.boxes[1:, 0] - lines.boxes[:-1, 2] > _WIDE * _character(lines))
    line, next_line = (lines.firsts.searchsorted(word, side="right") for word in (wide, wide + 1))
    return bool(np.count_nonzero(np.diff(line[line == next_line]) == 0) > 1)


def _character(lines: Lines) -> float:
    """How wide one usually is."""
    return float((lines.boxes[:, 2] - lines.boxes[:, 0]).sum() / (lines.ends - lines.starts).sum())


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows `first` to `after` (exclusive), and what is white in all of them."""

    first: int
    after: int
    white: Stretches


class _Rows:
    """A page's rows, which are lines, or several that stand beside one another.

    Row i is the words `firsts[i]` to `firsts[i + 1]`.
    """

    def __init__(self, lines: Lines) -> None:
        left, top, right, bottom = lines.boxes.T
        gap, character = left[1:] - right[:-1], _character(lines)
        begins = np.zeros(len(left), bool)
        begins[lines.firsts[:-1]] = True
        in_row = ~begins[1:] | ((gap > 0) & (abs(np.diff(top + bottom)) < 0.6 * (bottom - top)[:-1]))
        self.firsts = np.flatnonzero(np.concatenate(([True], ~in_row, [True])))
        starts = self.firsts[:-1]
        self._tops = np.minimum.reduceat(top, starts).tolist()
        self._bottoms = np.maximum.reduceat(bottom, starts).tolist()
        backward = np.append(False, in_row & (gap < -character))
        self._odd = np.logical_or.reduceat(backward | _hyphened(lines), starts).tolist()
        cells = np.flatnonzero(np.append(True, ~in_row | (gap > _WIDE * character)))
        self._cells = cells.searchsorted(self.firsts).tolist()
        self._strips = (left * _STRIPS).astype(int)
        ends = np.ceil(np.maximum.reduceat(right, cells) * _STRIPS).astype(int)
        self._begins = self._strips[cells].tolist()
        self._ends = np.maximum(ends, self._strips[cells]).tolist()
        self._lengths = lines.ends - lines.starts
        self._least = max(round(_LEAST * character * _STRIPS), 1)

    def runs(self) -> Iterator[_Run]:
        """Runs of rows that may be tables."""
        row = 0
        while row < len(self._tops):
            if self._odd[row] or not self._has_cells(row):
                row += 1
                continue
            run = self._run(row)
            yield run
            row = run.after

    def is_certain(self, run: _Run) -> bool:
        """Whether a run is a table: of three columns and three rows or more, with short cells, enough of them full."""
        columns, rows = len(run.white) + 1, range(run.first, run.after)
        if columns < _COLUMNS or sum(map(self._has_cells, rows)) < _ROWS:
            return False
        filled = self._filled(run)
        characters = int(self._lengths[self.firsts[run.first] : self.firsts[run.after]].sum())
        return filled >= _FILLED * len(rows) * columns and characters <= _CELL_CHARACTERS * filled

    def columns(self, run: _Run) -> NDArray[np.int64]:
        """The column, from 0, of each word of a run."""
        words = slice(self.firsts[run.first], self.firsts[run.after])
        ends = np.array([end for _, end in run.white])
        columns: NDArray[np.int64] = ends.searchsorted(self._strips[words], side="right")
        return columns

    def _filled(self, run: _Run) -> int:
        """How many cells of a run have text."""
        counts = np.diff(self.firsts[run.first : run.after + 1])
        row = np.repeat(np.arange(len(counts)), counts)
        return len(np.unique(row * _STRIPS + self.columns(run)))

    def _run(self, first: int) -> _Run:
        """The rows from this one on that leave the same stretches white; the last has cells."""
        inked = self._inked(first)
        white = self._white(inked)
        run = _Run(first, first + 1, white)
        for row in range(first + 1, len(self._tops)):
            more = inked | self._inked(row)
            if not self._goes_on(row) or not self._are_kept(white, more):
                break
            if more != inked:
                inked, white = more, self._white(more)
            if self._has_cells(row):
                run = _Run(first, row + 1, white)
        return run

    def _goes_on(self, row: int) -> bool:
        """Whether a row stands right below the one before."""
        height = self._bottoms[row - 1] - self._tops[row - 1]
        below = self._tops[row] - self._bottoms[row - 1]
        return not self._odd[row] and bool(-0.5 * height < below < _LOOSE * height)

    def _are_kept(self, white: Stretches, inked: int) -> bool:
        """Whether enough of what was white still is."""
        kept = sum(
            end - begin - (inked >> begin & (1 << end - begin) - 1).bit_count() >= self._least for begin, end in white
        )
        return kept == len(white) or kept >= max(_KEPT * len(white), 2)

    def _has_cells(self, row: int) -> bool:
        return bool(self._cells[row + 1] - self._cells[row] > 1)

    def _inked(self, row: int) -> int:
        """Which strips a row's cells take, as bits."""
        inked = 0
        for cell in range(self._cells[row], self._cells[row + 1]):
            inked |= (1 << self._ends[cell]) - (1 << self._begins[cell])
        return inked

    def _white(self, inked: int) -> Stretches:
        """The stretches between columns."""
        found = re.finditer(f"(?<=1)0{{{self._least},}}(?=1)", f"{inked:b}"[::-1])
        return tuple(stretch.span() for stretch in found)


def _hyphened(lines: Lines) -> NDArray[np.bool]:
    """Words that are halves of one which a line's end splits."""
    halves = np.zeros(len(lines.starts) + 1, bool)
    after = lines.firsts[1:][lines.hyphen]
    halves[after], halves[after - 1] = True, True
    return halves[:-1]


def _set_apart(lines: Lines, rows: _Rows, tables: list[_Run]) -> tuple[Lines, list[tuple[int, int]]]:
    """The lines with each row of these tables in one, and the first and last line of each table."""
    is_first = np.zeros(len(lines.starts) + 1, bool)
    is_first[lines.firsts] = True
    breaks = np.zeros(len(lines.starts), np.int64)
    for table in tables:
        begins, after = rows.firsts[table.first : table.after], rows.firsts[table.after]
        is_first[begins[0] : after] = False
        is_first[begins] = True
        column = rows.columns(table)
        breaks[begins[0] : after] = np.maximum(np.diff(column, prepend=0), 0)
        breaks[begins] = column[begins - begins[0]]
    line_of_word = np.cumsum(is_first) - 1
    edges = rows.firsts[[[table.first, table.after] for table in tables]]
    places = [(first, after - 1) for first, after in line_of_word[edges].tolist()]
    return _written(lines, np.flatnonzero(is_first), breaks), places


def _written(lines: Lines, firsts: NDArray[np.int64], breaks: NDArray[np.int64]) -> Lines:
    """The lines that begin with these words, with so many breaks between cells before each word."""
    is_first = np.zeros(len(breaks), bool)
    is_first[firsts[:-1]] = True
    spans = zip(lines.starts.tolist(), lines.ends.tolist(), strict=True)
    joints = [
        (" " if begins or not count else "") + CELL_BREAK * count
        for begins, count in zip(is_first.tolist(), breaks.tolist(), strict=True)
    ]
    joints[0] = joints[0][1:]
    text = "".join(joint + lines.text[start:end] for joint, (start, end) in zip(joints, spans, strict=True))
    lengths = lines.ends - lines.starts
    ends = np.cumsum(np.array(list(map(len, joints))) + lengths)
    kept = lines.firsts.searchsorted(firsts[:-1])
    return replace(
        lines,
        text=text,
        starts=ends - lengths,
        ends=ends,
        firsts=firsts,
        leads=len(CELL_BREAK) * breaks[firsts[:-1]],
        bold=lines.bold[kept],
        hyphen=lines.hyphen[lines.firsts[1:].searchsorted(firsts[1:])],
    )
