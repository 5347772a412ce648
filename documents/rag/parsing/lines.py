"""A PDF page's words and lines, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from documents.rag.parsing.characters import HYPHEN, Characters
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.tags import Heading
from documents.rag.parsing.turned import arranged, turns

_IS_SPACE = np.array([chr(code).isspace() or chr(code) == HYPHEN for code in range(0x10000)])


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


@dataclass(frozen=True)
class Lines:
    """A page's words and the lines they make, in reading order.

    `text` is all words with a space between; word i is its characters `starts[i]` to `ends[i]`, in `boxes[i]` (left,
    top, right, bottom, as fractions of the page as displayed). Line j is the words `firsts[j]` to `firsts[j + 1]`;
    `bold[j]` is its weight, and `hyphen[j]` whether its last word goes on in the next line. A row of a table has marks
    between its words, and `leads[j]` characters of them before the first. `headings` are the lines that
    are tagged as such, by their first words.
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


def read_lines(text_page: Any, frame: Frame, tags: Mapping[int, Heading]) -> Lines:
    """The lines of an open PDFium text page, in its reading order; `tags` are its headings by their marked content."""
    characters = Characters(text_page)
    words, begins, ends, lengths = _words(characters)
    if not words:
        return _NOTHING
    edges = np.empty(2 * len(begins), np.int64)
    edges[::2], edges[1::2] = begins, ends - 1
    corners = characters.boxes(edges)
    boxes = frame.fractions(_around(corners))
    breaks = np.flatnonzero((characters.codes == ord("\n")) | (characters.codes == ord(HYPHEN)))
    line_of_word = breaks.searchsorted(begins)
    turned = turns(characters, begins, corners, frame.turns)
    if turned.any():
        order, line_of_word = arranged(line_of_word, turned, boxes)
        words = [words[word] for word in order.tolist()]
        begins, ends, lengths = (column[order] for column in (begins, ends, lengths))
        boxes = boxes[order]
    ends_in_text = np.cumsum(lengths + 1) - 1
    firsts = np.flatnonzero(np.diff(line_of_word, prepend=-1, append=-1))
    lasts = ends[firsts[1:] - 1]
    return Lines(
        " ".join(words),
        ends_in_text - lengths,
        ends_in_text,
        boxes,
        firsts,
        characters.bold(begins[firsts[:-1]].tolist()),
        np.append(characters.codes, 0)[lasts] == ord(HYPHEN),
        headings=_tagged(characters, tags, firsts[:-1], begins[firsts[:-1]], lasts - 1) if tags else {},
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


def _words(
    characters: Characters,
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The words, cleaned; the first character of each, the one after its last, and its length when it is clean."""
    words = characters.text.replace(HYPHEN, " ").split()
    begins, ends = _places(characters.codes)
    text = " ".join(words)
    if clean(text) == text:
        return words, begins, ends, ends - begins
    words = list(map(clean, words))
    lengths = np.array(list(map(len, words)), np.int64)
    begins, ends, lengths = (column[lengths > 0] for column in (begins, ends, lengths))
    return list(filter(None, words)), begins, ends, lengths


def _places(codes: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first character of each word, and the one after its last."""
    is_space = np.ones(len(codes) + 2, bool)
    _IS_SPACE.take(codes, mode="clip", out=is_space[1:-1])
    edges = np.flatnonzero(is_space[1:] != is_space[:-1])
    return edges[::2], edges[1::2]


def _around(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2n, 4) the boxes of each word's first and last character → (n, 4) the box around both."""
    boxes = np.minimum(corners[::2], corners[1::2])
    boxes[:, 1:3] = np.maximum(corners[::2, 1:3], corners[1::2, 1:3])
    return boxes
