"""Lines found on a picture → the order in which they are read: columns told by the gutters between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import mean, median

from documents.rag.ocr.engine import Line

_PLACES = 100
"""How many places across the page are looked at."""

_GUTTER = 0.7
"""How wide a gutter is at least, in heights of a line."""

_COLUMN_LINES, _COLUMN_CHARACTERS, _FULL = 3, 20, 0.6
"""What a column has at least: lines, characters in each on average, and how much of its width most lines fill. Less is
a column of a table, or of a form."""


def rows(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines in reading order, those beside each other in one column as one row; they must stand upright."""
    return list(_ordered(list(lines)))


def _ordered(lines: list[Line]) -> Iterator[list[Line]]:
    gutter = _gutter(lines)
    if gutter is None:
        yield from _rows(lines)
        return
    across = sorted((line for line in lines if _crosses(line, gutter)), key=_middle)
    rest = [line for line in lines if not _crosses(line, gutter)]
    edges = [float("-inf"), *map(_middle, across), float("inf")]
    for (above, below), heading in zip(pairwise(edges), [*across, None], strict=True):
        band = [line for line in rest if above <= _middle(line) < below]
        yield from _ordered([line for line in band if line.box[2] <= gutter])
        yield from _ordered([line for line in band if line.box[0] >= gutter])
        if heading:
            yield [heading]


def _gutter(lines: Sequence[Line]) -> float | None:
    """The middle of the gap between two columns of text that fewest lines cross; None where there is one column."""
    if len(lines) < 2 * _COLUMN_LINES:
        return None
    left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
    least = _GUTTER * median(line.box[3] - line.box[1] for line in lines)
    found = []
    for step in range(1, _PLACES):
        place = left + (right - left) * step / _PLACES
        before = [line for line in lines if line.box[2] <= place]
        after = [line for line in lines if line.box[0] >= place]
        crossing = len(lines) - len(before) - len(after)
        if 2 * crossing <= len(lines) and _is_column(before) and _is_column(after):
            start, end = max(line.box[2] for line in before), min(line.box[0] for line in after)
            if end - start >= least:
                found.append((crossing, start - end, (start + end) / 2))
    return min(found)[2] if found else None


def _is_column(lines: Sequence[Line]) -> bool:
    if len(lines) < _COLUMN_LINES or mean(len(line.text) for line in lines) < _COLUMN_CHARACTERS:
        return False
    width = max(line.box[2] for line in lines) - min(line.box[0] for line in lines)
    return median(line.box[2] - line.box[0] for line in lines) >= _FULL * width


def _rows(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """The lines from top to bottom, those at one height together, from left to right."""
    row: list[Line] = []
    for line in sorted(lines, key=_middle):
        if row and not row[-1].box[1] <= _middle(line) <= row[-1].box[3]:
            yield sorted(row, key=lambda line: line.box[0])
            row = []
        row.append(line)
    if row:
        yield sorted(row, key=lambda line: line.box[0])


def _crosses(line: Line, x: float) -> bool:
    return line.box[0] < x < line.box[2]


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2
