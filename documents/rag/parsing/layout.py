"""A PDF page's lines → its text, with paragraphs, list items and headings told by gaps, bullets, sizes and weight."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from documents.rag.parsing.columns import with_tables
from documents.rag.parsing.lines import Lines
from documents.rag.parsing.tags import Heading
from documents.rag.types import Block, BlockKind, Words

Trail = tuple[tuple[int, str], ...]
"""The headings in force, outermost first, as (level, text)."""

_BULLET = re.compile(r"(?:[•◦▪‣●○■□➢✓*\uf0b7\uf0a7–-]|\(?(?:\d{1,2}|[a-z])[.)])(?= )")
_NO_HEADING_ENDS = (".", ",", ";", ":")
_AROUND = ".,;:!?()[]\"'“”‘’"
_HEADING_LINES = 3
_HEADING_CHARACTERS = 120
_TAGGED_CHARACTERS = 200
_LEVELS = ((1.6, 1), (1.3, 2), (1.12, 3))
_BOLD_LEVEL = 4


@dataclass(frozen=True, slots=True)
class Arranged:
    """A page's text, its blocks and words, and the headings in force at its end."""

    text: str
    blocks: tuple[Block, ...]
    words: Words
    trail: Trail


def arrange(lines: Lines, trail: Trail = ()) -> Arranged:
    """The lines as one text: a blank line between blocks, a line's end within; words split at a line's end joined."""
    if not len(lines):
        return Arranged("", (), Words(), trail)
    known = _whole_words(lines) if lines.hyphen.any() else set()
    lines, tables = with_tables(lines)
    sheet = _Sheet(lines, tables)
    groups = list(sheet.groups())
    text, spans = _written(lines, {first for first, _ in groups}, known)
    blocks: list[Block] = []
    path = tuple(heading for _, heading in trail)
    for first, last in groups:
        kind, level = sheet.kind(first, last)
        if kind is BlockKind.HEADING:
            trail = (*(above for above in trail if above[0] < level), (level, sheet.text(first, last)))
            path = tuple(heading for _, heading in trail)
        blocks.append(Block(kind, spans[first][0], spans[last][1], path, level))
    return Arranged(text, tuple(blocks), _placed(lines, [start for start, _ in spans]), trail)


class _Sheet:
    """A page's lines, and what is usual among them."""

    def __init__(self, lines: Lines, tables: Sequence[tuple[int, int]]) -> None:
        self._lines, self._tables = lines, dict(tables)
        self._tops, self._bottoms = lines.around[:, 1], lines.around[:, 3]
        self._heights = self._bottoms - self._tops
        self._each_height = self._heights.tolist()
        self._gaps = self._tops[1:] - self._bottoms[:-1]
        characters = lines.ends[lines.firsts[1:] - 1] - lines.starts[lines.firsts[:-1]]
        self._height = _weighed_median(self._heights, characters)
        self._gap = max(_median(self._gaps[self._gaps > -0.01]), 0)
        self._bold = bool(characters[lines.bold].sum() * 2 > characters.sum())
        self._tagged = self._told() if lines.headings else []

    @cached_property
    def _items(self) -> NDArray[np.bool]:
        """Which lines begin with a bullet or a number, and have more."""
        begins = [_BULLET.match(self._lines.text, start, end) is not None for start, end in self._lines.spans]
        return np.array(begins)

    def _told(self) -> list[Heading | None]:
        """What each line is tagged as; nothing where most of a page's lines would be headings, or none is."""
        told = [self._lines.headings.get(word) for word in self._lines.firsts[:-1].tolist()]
        count = len(told) - told.count(None)
        return told if 0 < count <= max(_HEADING_LINES, len(told) / 2) else []

    def groups(self) -> Iterator[tuple[int, int]]:
        """The first and the last line of each block."""
        tall, low = np.maximum(self._heights[1:], self._heights[:-1]), np.minimum(self._heights[1:], self._heights[:-1])
        begins = (
            (self._gaps > self._gap + 0.35 * self._height)
            | (self._gaps < -2 * tall)  # the next column
            | (tall > 1.2 * low)
            | (self._lines.bold[1:] != self._lines.bold[:-1])
            | self._items[1:]
        )
        if self._tagged:
            elements = np.array([heading.element if heading else 0 for heading in self._tagged], np.uint64)
            begins = (elements[1:] != elements[:-1]) | (begins & (elements[1:] == 0))
        begins &= ~self._lines.hyphen[:-1]
        for first, last in self._tables.items():
            begins[first:last] = False
            begins[[edge for edge in (first - 1, last) if 0 <= edge < len(begins)]] = True
        firsts = (np.flatnonzero(begins) + 1).tolist()
        for first, after in pairwise([0, *firsts, len(self._lines)]):
            yield first, after - 1

    def kind(self, first: int, last: int) -> tuple[BlockKind, int]:
        """What a block is, and its level."""
        if first in self._tables:
            return BlockKind.TABLE, 0
        if level := (self._tagged_level if self._tagged else self._heading_level)(first, last):
            return BlockKind.HEADING, level
        return (BlockKind.ITEM, 1) if self._items[first] else (BlockKind.PARAGRAPH, 0)

    def _tagged_level(self, first: int, last: int) -> int:
        """The level that a block is tagged with; 0 for anything else, and for a whole paragraph."""
        heading = self._tagged[first]
        is_short = last - first < _HEADING_LINES and len(self.text(first, last)) <= _TAGGED_CHARACTERS
        return heading.level if heading and is_short else 0

    def _heading_level(self, first: int, last: int) -> int:
        """1–4 for a heading, by its size over the body's, then by its weight; 0 for anything else."""
        if last - first >= _HEADING_LINES:
            return 0
        ratio = min(self._each_height[first : last + 1]) / (self._height or 1)
        by_weight = _BOLD_LEVEL if first == last and self._lines.bold[first] and not self._bold else 0
        level = next((level for least, level in _LEVELS if ratio >= least), by_weight)
        return level if level and self._may_be_heading(first, last) else 0

    def _may_be_heading(self, first: int, last: int) -> bool:
        text = self.text(first, last)
        letters = sum(char.isalpha() for char in text[:_HEADING_CHARACTERS])
        boxes = self._lines.around[first : last + 1]
        return (
            len(text) <= _HEADING_CHARACTERS
            and letters * 2 >= len(text)
            and letters >= 3
            and not text.endswith(_NO_HEADING_ENDS)
            and bool((self._heights[first : last + 1] <= boxes[:, 2] - boxes[:, 0]).all())
        )

    def text(self, first: int, last: int) -> str:
        """The words of some lines."""
        return self._lines.text[self._lines.spans[first][0] : self._lines.spans[last][1]]


def _weighed_median(values: NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    order = values.argsort()
    reached = weights[order].cumsum()
    return float(values[order[reached.searchsorted(reached[-1] / 2)]])


def _median(values: NDArray[np.float64]) -> float:
    return float(np.sort(values)[len(values) // 2]) if len(values) else 0.0


# --- The page's text --------------------------------------------------------------------------


def _written(lines: Lines, firsts: set[int], known: set[str]) -> tuple[str, list[tuple[int, int]]]:
    """The page's text, with a blank line before each of these lines, and where each line stands in it.

    By the words that are `known` those are joined that a line's end splits.
    """
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    length = 0
    hyphens = lines.hyphen.tolist()
    for line, (start, end) in enumerate(lines.spans):
        if line:
            joint = "\n\n" if line in firsts else "\n"
            if hyphens[line - 1]:
                joint = "-" if _keeps_hyphen(*_halves(lines, line), known) else ""
            parts.append(joint)
            length += len(joint)
        parts.append(lines.text[start:end])
        spans.append((length, length + end - start))
        length += end - start
    if hyphens[-1]:
        parts.append("-")
        spans[-1] = (spans[-1][0], length + 1)
    return "".join(parts), spans


def _placed(lines: Lines, starts: list[int]) -> Words:
    """The words of lines that begin at these characters of the page's text."""
    counts = np.diff(lines.firsts)
    shift = np.repeat(np.array(starts) + lines.leads - lines.starts[lines.firsts[:-1]], counts)
    return Words.pack(np.stack((lines.starts + shift, lines.ends + shift), axis=1), lines.boxes)


def _halves(lines: Lines, line: int) -> tuple[str, str]:
    """The last word above this line, and its first."""
    word = lines.firsts[line]
    above, below = (lines.text[lines.starts[i] : lines.ends[i]] for i in (word - 1, word))
    return above, below


def _whole_words(lines: Lines) -> set[str]:
    """The page's words, but for the parts of words that a line's end splits."""
    whole, end = [], 0
    for word in lines.firsts[1:][lines.hyphen].tolist():
        whole.append(lines.text[end : lines.starts[word - 1]])
        end = lines.ends[word] if word < len(lines.ends) else len(lines.text)
    text = "".join([*whole, lines.text[end:]]).lower()
    # Sixteen times as fast as one substitution for all.
    for sign in _AROUND:
        text = text.replace(sign, " ")
    return set(text.split())


def _keeps_hyphen(start: str, end: str, known: set[str]) -> bool:
    """Whether a hyphen at a line's end is the word's own, as the page writes it elsewhere or as its parts tell."""
    if not (start[-1].isalpha() and end[:1].islower()) or "-" in start:
        return True
    start, end = start.strip(_AROUND).lower(), end.strip(_AROUND)
    if start + end in known:
        return False
    return f"{start}-{end}" in known or (len(start) > 2 and {start, end} <= known)
