"""Words of a PDF page that aren't written from left to right in upright lines, for which PDFium takes them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from documents.rag.parsing.characters import Characters

_ON_ITS_HEAD, _COLUMN = 2, 4
"""Two of a word's turns; a column is text that is written downwards in upright characters, as in Japanese."""


def turns(
    characters: Characters, begins: NDArray[np.int64], corners: NDArray[np.float32], page: int
) -> NDArray[np.int64]:
    """Quarter turns clockwise (0–3) of each word as displayed on a page that is itself turned `page` times; 4 where it
    stands in a column.

    `begins` are their first characters; `corners` (2n, 4) the boxes of the first and the last of each.
    """
    right, up = (corners[1::2, side] - corners[::2, side] for side in (0, 3))
    onward, aside = ((right, up), (up, right), (-right, up), (-up, right))[page]
    # Words from right to left are among these as well, and are told by their angle.
    odd = np.flatnonzero((onward < 0) | (abs(aside) > 2 * abs(onward)))
    found = np.zeros(len(begins), np.int64)
    if not len(odd):
        return found
    quarters = (np.rint(characters.angles(begins[odd].tolist()) * (2 / np.pi)).astype(int) + page) % 4
    is_column = (abs(aside) > 2 * abs(onward))[odd] & (quarters == 0)
    found[odd] = np.where(is_column, _COLUMN, quarters)
    # A word of one character goes nowhere: it goes with the one before.
    goes = (onward != 0) | (aside != 0)
    return found[np.maximum.accumulate(np.where(goes, np.arange(len(found)), goes.argmax()))]


def arranged(
    lines: NDArray[np.int64], turns: NDArray[np.int64], boxes: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The order in which words are read of which some are turned, and each one's line in that order.

    `lines` is PDFium's line of each word. A line ends where the turn changes, and with sideways words where the next
    stands beside it. The words of a line on its head are read from right to left, and so are columns,
    strip by strip.
    """
    place = np.arange(len(lines))
    middle = (boxes[:, 0] + boxes[:, 2]) / 2
    beside = abs(np.diff(middle)) > (boxes[:-1, 2] - boxes[:-1, 0]) / 2
    turn_ends, line_ends = np.diff(turns) != 0, np.diff(lines) != 0
    line = np.append(0, np.cumsum(line_ends | turn_ends | ((turns[1:] % 2 == 1) & beside)))
    run = np.append(0, np.cumsum(turn_ends | (line_ends & (turns[1:] != _COLUMN))))
    tier = np.where(turns == _COLUMN, _tiers(boxes), 0)
    leftward = np.select([turns == _ON_ITS_HEAD, turns == _COLUMN], [-middle, -middle[np.searchsorted(line, line)]], 0)
    order = np.lexsort((place, leftward, tier, run))
    return order, line[order]


def _tiers(boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which strip of the page each box stands in, from the top down; nothing reaches from one into the next."""
    order = boxes[:, 1].argsort(kind="stable")
    tops, bottoms = boxes[order, 1], np.maximum.accumulate(boxes[order, 3])
    tiers = np.empty(len(boxes), np.int64)
    tiers[order] = np.append(0, np.cumsum(tops[1:] > bottoms[:-1]))
    return tiers
