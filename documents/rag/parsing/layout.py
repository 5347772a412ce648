"""A PDF page's lines → its text, with paragraphs, list items and headings told by gaps, bullets, sizes and weight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from documents.rag.parsing.lines import Line
from documents.rag.types import Block, BlockKind, Word

Trail = tuple[tuple[int, str], ...]
"""The headings in force, outermost first, as (level, text)."""

_BULLET = re.compile(r"[•◦▪‣●○■□➢✓*\uf0b7\uf0a7–-]|\(?(?:\d{1,2}|[a-z])[.)]")
_NO_HEADING_ENDS = (".", ",", ";", ":")
_AROUND = ".,;:!?()[]\"'“”‘’"
_HEADING_LINES = 3
_HEADING_CHARACTERS = 120
_LEVELS = ((1.6, 1), (1.3, 2), (1.12, 3))
_BOLD_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Arranged:
    """A page's text, its blocks and words, and the headings in force at its end."""

    text: str
    blocks: tuple[Block, ...]
    words: tuple[Word, ...]
    trail: Trail


@dataclass(frozen=True, slots=True)
class _Style:
    """A page's usual line: its height and the gap below it, as fractions of the page's height, and its weight."""

    height: float
    gap: float
    bold: bool


def arrange(lines: list[Line], trail: Trail = ()) -> Arranged:
    """The lines as one text: a blank line between blocks, a line's end within; words split at a line's end joined."""
    style = _usual(lines)
    writer = _Writer(_whole_words(lines))
    blocks: list[Block] = []
    for group in _groups(lines, style):
        kind, level = _kind(group, style)
        if kind is BlockKind.HEADING:
            trail = (*(above for above in trail if above[0] < level), (level, _text(group)))
        start, end = writer.write(group)
        blocks.append(Block(kind, start, end, tuple(text for _, text in trail), level))
    return Arranged(writer.text(), tuple(blocks), tuple(writer.words), trail)


def _whole_words(lines: list[Line]) -> set[str]:
    """The page's words, but for the parts of words that a line's end splits."""
    known: set[str] = set()
    for above, line in zip([None, *lines], lines, strict=False):
        words = line.words[1:] if above and above.hyphen else line.words
        known.update(word.strip(_AROUND).lower() for word in (words[:-1] if line.hyphen else words))
    return known


def _usual(lines: list[Line]) -> _Style:
    weighed = [(line.height, line.characters) for line in lines]
    bold = sum(line.characters for line in lines if line.bold)
    below = (line.box.top - above.box.bottom for above, line in pairwise(lines))
    gaps = [gap for gap in below if gap > -0.01]
    return _Style(_weighed_median(weighed), median(gaps) if gaps else 0.0, bold * 2 > sum(n for _, n in weighed))


def _weighed_median(weighed: list[tuple[float, int]]) -> float:
    half = sum(weight for _, weight in weighed) / 2
    for value, weight in sorted(weighed):
        half -= weight
        if half <= 0:
            return value
    return 0.0


def _groups(lines: list[Line], style: _Style) -> Iterator[list[Line]]:
    """The lines in blocks."""
    group: list[Line] = []
    for line in lines:
        if group and _begins_block(group[-1], line, style):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _begins_block(above: Line, line: Line, style: _Style) -> bool:
    if above.hyphen:
        return False
    gap = line.box.top - above.box.bottom
    tall, low = max(line.height, above.height), min(line.height, above.height)
    return (
        gap > max(style.gap, 0) + 0.35 * style.height
        or gap < -2 * tall  # the next column
        or tall > 1.2 * low
        or line.bold != above.bold
        or _is_item(line)
    )


def _is_item(line: Line) -> bool:
    return len(line.words) > 1 and _BULLET.fullmatch(line.words[0]) is not None


def _kind(group: list[Line], style: _Style) -> tuple[BlockKind, int]:
    """What a block is, and its level."""
    if level := _heading_level(group, style):
        return BlockKind.HEADING, level
    return (BlockKind.ITEM, 1) if _is_item(group[0]) else (BlockKind.PARAGRAPH, 0)


def _heading_level(group: list[Line], style: _Style) -> int:
    """1–4 for a heading, by its size over the body's, then by its weight; 0 for anything else."""
    if len(group) > _HEADING_LINES:
        return 0
    text = _text(group)
    letters = sum(char.isalpha() for char in text)
    sideways = any(line.height > line.box.right - line.box.left for line in group)
    if len(text) > _HEADING_CHARACTERS or letters * 2 < len(text) or letters < 3:
        return 0
    if sideways or text.endswith(_NO_HEADING_ENDS):
        return 0
    ratio = min(line.height for line in group) / (style.height or 1)
    by_weight = _BOLD_LEVEL if group[0].bold and not style.bold and len(group) == 1 else 0
    return next((level for least, level in _LEVELS if ratio >= least), by_weight)


def _text(group: list[Line]) -> str:
    return " ".join(word for line in group for word in line.words)


class _Writer:
    """Puts lines together to one text and notes where each word came to stand."""

    def __init__(self, known: set[str]) -> None:
        self.words: list[Word] = []
        self._known = known
        self._parts: list[str] = []
        self._length = 0

    def text(self) -> str:
        return "".join(self._parts)

    def write(self, group: list[Line]) -> tuple[int, int]:
        """Write a block; its start and end in the text."""
        self._put("\n\n" if self._length else "")
        start = self._length
        for above, line in zip([None, *group], group, strict=False):
            self._put(self._joint(above, line) if above else "")
            self._write_line(line)
        self._put("-" if group[-1].hyphen else "")
        return start, self._length

    def _write_line(self, line: Line) -> None:
        start = self._length
        for word, box in zip(line.words, line.boxes, strict=True):
            self.words.append(Word(start, start + len(word), box))
            start += len(word) + 1
        self._put(" ".join(line.words))

    def _joint(self, above: Line, line: Line) -> str:
        if not above.hyphen:
            return "\n"
        return "-" if self._keeps_hyphen(above.words[-1], line.words[0]) else ""

    def _keeps_hyphen(self, start: str, end: str) -> bool:
        """Whether a hyphen at a line's end is the word's own, as the page writes it elsewhere or as its parts tell."""
        if not (start[-1].isalpha() and end[:1].islower()) or "-" in start:
            return True
        start, end = start.strip(_AROUND).lower(), end.strip(_AROUND)
        if start + end in self._known:
            return False
        return f"{start}-{end}" in self._known or (len(start) > 2 and {start, end} <= self._known)

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
