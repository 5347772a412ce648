"""A PDF page's lines: its words with their boxes, in as few calls of PDFium as will do."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from documents.rag.parsing.cleaning import clean
from documents.rag.types import Box

HYPHEN = "\ufffe"
"""What PDFium writes for a hyphen that ends a line, instead of the line's end."""

_WORD = re.compile(rf"[^\s{HYPHEN}]+")
_FORCE_BOLD = 1 << 18
_BOLD = re.compile(rb"bold|black|heavy", re.I)

# The binding converts every argument of every call, which takes longer than the call. As plain addresses they pass
# at a third of the cost; a page has thousands.
_loose_box = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(
    ctypes.cast(raw.FPDFText_GetLooseCharBox, ctypes.c_void_p).value or 0
)


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
        across = (boxes[:, 0::2] - self.left) / ((self.right - self.left) or 1)
        down = (self.top - boxes[:, 1::2]) / ((self.top - self.bottom) or 1)
        x, y = ((across, down), (1 - down, across), (1 - across, 1 - down), (down, 1 - across))[self.turns]
        placed = np.stack((x.min(1), y.min(1), x.max(1), y.max(1)), axis=1).astype(np.float64)
        return np.clip(np.nan_to_num(placed), 0, 1).round(4)


@dataclass(frozen=True)
class Line:
    """A line's words and their boxes; `hyphen` where its last word goes on in the next line."""

    words: list[str]
    boxes: list[Box]
    bold: bool
    hyphen: bool

    @cached_property
    def box(self) -> Box:
        return Box(
            min(box.left for box in self.boxes),
            min(box.top for box in self.boxes),
            max(box.right for box in self.boxes),
            max(box.bottom for box in self.boxes),
        )

    @property
    def height(self) -> float:
        return self.box.bottom - self.box.top

    @cached_property
    def characters(self) -> int:
        return sum(map(len, self.words)) + len(self.words) - 1


def read_lines(text_page: Any, frame: Frame) -> list[Line]:
    """The lines of an open PDFium text page, in its reading order."""
    characters = _characters(text_page)
    spans = [found.span() for found in _WORD.finditer(characters)]
    if not spans:
        return []
    boxes = [Box(*sides) for sides in frame.fractions(_boxes(text_page, spans)).tolist()]
    lines = (
        _line(text_page, characters, spans[start:end], boxes[start:end])
        for start, end in _line_ranges(characters, spans)
    )
    return [line for line in lines if line.words]


def _characters(text_page: Any) -> str:
    """The page's characters, each at its index in PDFium."""
    count = max(raw.FPDFText_CountChars(text_page), 0)
    buffer = (ctypes.c_ushort * (count + 1))()
    written = raw.FPDFText_GetText(text_page, 0, count, buffer)
    text = bytes(buffer)[: 2 * max(written - 1, 0)].decode("utf-16-le", "surrogatepass")
    if len(text) == count:
        return text
    # Its text leaves out what it can't map and writes some characters as two, so that indexes don't fit.
    codes = (raw.FPDFText_GetUnicode(text_page, index) for index in range(count))
    return "".join(HYPHEN if code == 2 else chr(code) if code <= 0x10FFFF else "\0" for code in codes)


def _boxes(text_page: Any, spans: list[tuple[int, int]]) -> NDArray[np.float32]:
    """(n, 4): left, top, right, bottom around the first and the last character of each word, in PDF units."""
    corners = np.zeros((len(spans), 2, 4), np.float32)
    page, address = ctypes.cast(text_page, ctypes.c_void_p).value, corners.ctypes.data
    for start, end in spans:
        _loose_box(page, start, address)
        _loose_box(page, end - 1, address + 16)
        address += 32
    low, high = corners.min(1), corners.max(1)
    return np.stack((low[:, 0], high[:, 1], high[:, 2], low[:, 3]), axis=1)


def _line_ranges(characters: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Which words make up each line: (first, last + 1)."""
    first = 0
    for index in range(1, len(spans)):
        gap = characters[spans[index - 1][1] : spans[index][0]]
        if gap != " " and ("\n" in gap or HYPHEN in gap):
            yield first, index
            first = index
    yield first, len(spans)


def _line(text_page: Any, characters: str, spans: list[tuple[int, int]], boxes: list[Box]) -> Line:
    (start, _), (_, end) = spans[0], spans[-1]
    text = characters[start:end]
    words = text.split(" ") if text.isascii() and text.isprintable() else [clean(characters[a:b]) for a, b in spans]
    if len(words) != len(boxes) or not all(words):
        words, boxes = _present([clean(characters[a:b]) for a, b in spans], boxes)
    return Line(
        words,
        boxes,
        bold=_is_bold(text_page, start),
        hyphen=characters[end : end + 1] == HYPHEN,
    )


def _present(words: list[str], boxes: list[Box]) -> tuple[list[str], list[Box]]:
    """The words of which cleaning left something, and their boxes."""
    kept = [(word, box) for word, box in zip(words, boxes, strict=True) if word]
    return [word for word, _ in kept], [box for _, box in kept]


def _is_bold(text_page: Any, index: int) -> bool:
    if raw.FPDFText_GetFontWeight(text_page, index) >= 600:
        return True
    name, flags = ctypes.create_string_buffer(64), ctypes.c_int()
    raw.FPDFText_GetFontInfo(text_page, index, name, len(name), flags)
    return bool(flags.value & _FORCE_BOLD or _BOLD.search(name.value))
