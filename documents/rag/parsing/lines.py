"""A PDF page's words and lines, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from documents.rag.parsing.characters import HYPHEN, Characters
from documents.rag.parsing.hidden import unseen
from documents.rag.parsing.tags import Heading
from documents.rag.parsing.turned import arranged, turns
from documents.rag.parsing.words import read_words


@dataclass(frozen=True, slots=True)
class Frame:
    """A page as displayed: its crop box in PDF units, the turns clockwise (0–3), width and height in points."""

    left: float
    bottom: float
    right: float
    top: float
    turns: int
    width: float
    height: float

    def fractions(self, boxes: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, 4) left, top, right, bottom in PDF units → the same as fractions of the page as displayed."""
        across, up = (self.right - self.left) or 1, (self.top - self.bottom) or 1
        rightward, leftward = (-self.left / across, 1 / across), (self.right / across, -1 / across)
        downward, upward = (self.top / up, -1 / up), (-self.bottom / up, 1 / up)
        sides, ways = (
            ((0, 1, 2, 3), (rightward, downward)),
            ((3, 0, 1, 2), (upward, rightward)),
            ((2, 3, 0, 1), (leftward, upward)),
            ((1, 2, 3, 0), (downward, leftward)),
        )[self.turns]
        shift, scale = np.array(ways * 2).T[:, :, np.newaxis]
        # Unlike clip, these make a number of what isn't one.
        shown: NDArray[np.float64] = np.fmin(np.fmax(boxes.T[sides, :] * scale + shift, 0), 1).T
        return shown

    def outside(self, boxes: NDArray[np.float32]) -> NDArray[np.bool]:
        """Which of these boxes, in PDF units, stand wholly beside the page; none where it has no area by mistake."""
        if self.left >= self.right or self.bottom >= self.top:
            return np.zeros(len(boxes), bool)
        left, top, right, bottom = boxes.T
        beside = (right <= self.left) | (left >= self.right) | (top <= self.bottom) | (bottom >= self.top)
        return np.asarray(beside)


@dataclass(frozen=True)
class Lines:
    """A page's words and the lines they make, in reading order.

    `text` is all words with a space between; word i is its characters `starts[i]` to `ends[i]`, in `boxes[i]` (left,
    top, right, bottom, as fractions of the page as displayed). Line j is the words `firsts[j]` to `firsts[j + 1]`;
    `bold[j]` is its weight, and `hyphen[j]` whether its last word goes on in the next line. A row of a table has marks
    between its words, and `leads[j]` characters of them before the first. `headings` are the lines that
    are tagged as such, by their first words. `hides` tells whether there are others that nobody sees on the page.
    """

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    boxes: NDArray[np.float64]
    firsts: NDArray[np.int64]
    bold: NDArray[np.bool]
    hyphen: NDArray[np.bool]
    leads: NDArray[np.int64] | int = 0
    headings: Mapping[int, Heading] = field(default_factory=dict)
    hides: bool = False

    def __len__(self) -> int:
        return len(self.bold)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where each line stands in `text`."""
        starts = self.starts[self.firsts[:-1]] - self.leads
        return list(zip(starts.tolist(), self.ends[self.firsts[1:] - 1].tolist(), strict=True))

    @cached_property
    def around(self) -> NDArray[np.float64]:
        """(lines, 4): the box around each line's words."""
        low = np.minimum.reduceat(self.boxes.T[:2], self.firsts[:-1], axis=1)
        high = np.maximum.reduceat(self.boxes.T[2:], self.firsts[:-1], axis=1)
        return np.concatenate((low, high)).T


_NONE, _NEITHER = np.zeros(0, np.int64), np.zeros(0, bool)
_NOTHING = Lines("", _NONE, _NONE, np.zeros((0, 4)), np.zeros(1, np.int64), _NEITHER, _NEITHER)


def read_lines(page: Any, text_page: Any, frame: Frame, tags: Mapping[int, Heading]) -> Lines:
    """The lines of an open PDFium page, in its reading order; `tags` are its headings by their marked content."""
    characters = Characters(text_page)
    words = read_words(characters)
    if not len(words):
        return _NOTHING
    around = words.around
    boxes = frame.fractions(around)
    hidden = frame.outside(around) | unseen(page, characters, words, boxes)
    if hides := bool(hidden.any()):
        kept = np.flatnonzero(~hidden)
        words, boxes = words.only(kept), boxes[kept]
    if not len(words):
        return replace(_NOTHING, hides=hides)
    line_of_word = words.lines
    turned = turns(characters, words.begins, words.corners, frame.turns)
    if turned.any():
        order, line_of_word = arranged(words.lines, turned, boxes)
        words, boxes = words.only(order), boxes[order]
    firsts = np.flatnonzero(np.diff(line_of_word, prepend=-1, append=-1))
    ends_in_text = np.cumsum(words.lengths + 1) - 1
    begins, lasts = words.begins[firsts[:-1]], words.ends[firsts[1:] - 1]
    return Lines(
        " ".join(words.texts),
        ends_in_text - words.lengths,
        ends_in_text,
        boxes,
        firsts,
        characters.bold(begins.tolist()),
        np.append(characters.codes, 0)[lasts] == ord(HYPHEN),
        headings=_tagged(characters, tags, firsts[:-1], begins, lasts - 1) if tags else {},
        hides=hides,
    )


def _tagged(
    characters: Characters,
    tags: Mapping[int, Heading],
    words: NDArray[np.int64],
    begins: NDArray[np.int64],
    lasts: NDArray[np.int64],
) -> Mapping[int, Heading]:
    """The lines that are of one heading from their first character to their last, by their first words."""
    marks = zip(words.tolist(), characters.marks(begins.tolist()), characters.marks(lasts.tolist()), strict=True)
    return {word: tags[first] for word, first, last in marks if first in tags and tags[first] == tags.get(last)}
