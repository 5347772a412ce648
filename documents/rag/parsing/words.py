"""The words of a PDF page as PDFium writes them, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from documents.rag.parsing.characters import HYPHEN, Characters
from documents.rag.parsing.cleaning import clean

_IS_SPACE = np.array([chr(code).isspace() or chr(code) == HYPHEN for code in range(0x10000)])


@dataclass(frozen=True, slots=True)
class PageWords:
    """Each word cleaned; its first character, the one after its last, its length when it is clean, PDFium's line.

    `corners` (2n, 4) are the boxes of the first and the last character of each, in PDF units.
    """

    texts: list[str]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    lengths: NDArray[np.int64]
    lines: NDArray[np.int64]
    corners: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def around(self) -> NDArray[np.float32]:
        """(n, 4): the box around each word."""
        boxes = np.minimum(self.corners[::2], self.corners[1::2])
        boxes[:, 1:3] = np.maximum(self.corners[::2, 1:3], self.corners[1::2, 1:3])
        return boxes

    def only(self, places: NDArray[np.int64]) -> PageWords:
        """The words at these places, in that order."""
        return PageWords(
            [self.texts[place] for place in places.tolist()],
            self.begins[places],
            self.ends[places],
            self.lengths[places],
            self.lines[places],
            self.corners[np.stack((2 * places, 2 * places + 1), axis=1).ravel()],
        )


def read_words(characters: Characters) -> PageWords:
    texts, begins, ends, lengths = _clean(characters)
    breaks = np.flatnonzero((characters.codes == ord("\n")) | (characters.codes == ord(HYPHEN)))
    edges = np.empty(2 * len(begins), np.int64)
    edges[::2], edges[1::2] = begins, ends - 1
    return PageWords(texts, begins, ends, lengths, breaks.searchsorted(begins), characters.boxes(edges))


def _clean(
    characters: Characters,
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
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
