"""Lines found on a picture of a page → the page: text in reading order, paragraphs, and a box for every word."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np

from documents.rag.ocr.engine import Line
from documents.rag.ocr.ordering import rows
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.layout import arrange
from documents.rag.parsing.lines import Lines
from documents.rag.types import Box, HowRead, Page, Words

NOTHING = "No text was recognised on this page."

_NARROW, _BROAD = set("iljtfrI1.,;:'’|!()[]"), set("mwMW@%&—")
_ALIKE = 1.4
"""How many times as high as the middle one a line may be, and count as a line of the same type."""


def page_of(number: int, lines: Sequence[Line], width: int, height: int) -> Page:
    """The page of a picture of `width` × `height` pixels. Turned text is read as if the page were turned back."""
    lines = [replace(line, text=text) for line in lines if (text := clean(line.text).strip())]
    turns = _turns(lines)
    if turns % 2:
        width, height = height, width
    upright = [
        replace(line, box=_turned(line.box, turns, width, height), turns=(line.turns - turns) % 4) for line in lines
    ]
    beside = [[line] for line in upright if line.turns]
    ordered = [*rows([line for line in upright if not line.turns]), *beside]
    arranged = arrange(_as_lines(ordered, width, height))
    if not arranged.text:
        return Page(number, "", how_read=HowRead.EMPTY, error=NOTHING)
    words = Words.of(replace(word, box=_turned_back(word.box, turns)) for word in arranged.words)
    return Page(number, arranged.text, arranged.blocks, words, how_read=HowRead.OCR)


def _turns(lines: Sequence[Line]) -> int:
    """How most of the text is turned."""
    counted = Counter[int]()
    for line in lines:
        counted[line.turns] += len(line.text)
    return counted.most_common(1)[0][0] if counted else 0


Corners = tuple[float, float, float, float]


def _turned(box: Corners, turns: int, width: float, height: float) -> Corners:
    """A box of a page as it stands when the page is turned back; `width` and `height` are the turned page's."""
    left, top, right, bottom = box
    match turns:
        case 1:
            return top, height - right, bottom, height - left
        case 2:
            return width - right, height - bottom, width - left, height - top
        case 3:
            return width - bottom, left, width - top, right
    return box


def _turned_back(box: Box, turns: int) -> Box:
    return Box(*_turned((box.left, box.top, box.right, box.bottom), -turns % 4, 1, 1))


def _as_lines(ordered: Sequence[Sequence[Line]], width: int, height: int) -> Lines:
    """Rows of lines as the columns that a PDF page's lines are."""
    usual = float(np.median([line.box[3] - line.box[1] for row in ordered for line in row] or [0]))
    per_row = [[word for line in row for word in _words(line, usual)] for row in ordered]
    hyphens = [_ends_split(words[-1][0]) for words in per_row]
    for words, hyphen in zip(per_row, hyphens, strict=True):
        if hyphen:
            words[-1] = (words[-1][0][:-1], words[-1][1])
    words = [word for row in per_row for word in row]
    lengths = np.array([len(text) for text, _ in words], np.int64)
    ends = np.cumsum(lengths + 1) - 1
    boxes = np.array([box for _, box in words]).reshape(-1, 4) / [width, height, width, height]
    firsts = np.array([0, *accumulate(map(len, per_row))], np.int64)
    text = " ".join(text for text, _ in words)
    no_bold = np.zeros(len(per_row), bool)
    return Lines(text, ends - lengths, ends, boxes.clip(0, 1), firsts, no_bold, np.array(hyphens, bool))


def _words(line: Line, usual: float) -> Iterator[tuple[str, Corners]]:
    """A line's words, each with the part of its box that its letters take up."""
    text = line.text
    left, top, right, bottom = line.box
    if bottom - top < _ALIKE * usual and usual < _ALIKE * (bottom - top):
        # Of lines of one type, those with more descenders would look like another type.
        top, bottom = (top + bottom - usual) / 2, (top + bottom + usual) / 2
    reached = [0.0, *accumulate(map(_breadth, text))]
    scale = (right - left) / (reached[-1] or 1)
    at = 0
    for word in text.split():
        at = text.index(word, at)
        start, end = (
            (left, right) if line.turns else (left + scale * reached[at], left + scale * reached[at + len(word)])
        )
        yield word, (start, top, end, bottom)
        at += len(word)


def _breadth(character: str) -> float:
    """About how broad a character is in print, where most are 1."""
    if character in _NARROW or character.isspace():
        return 0.55
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 1.5 if character in _BROAD else 1.2 if character.isupper() else 1


def _ends_split(word: str) -> bool:
    return len(word) > 2 and word[-1] in "-‐" and word[-2].isalpha()
