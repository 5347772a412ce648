"""Cutting a document into chunks of so many tokens, along its headings, paragraphs, rows and sentences."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise, takewhile
from types import MappingProxyType

from documents.rag.errors import PermanentError
from documents.rag.tokens import Ruler, next_word
from documents.rag.types import (
    HEADER_CHARACTERS,
    PAGE_BREAK,
    Block,
    BlockKind,
    Chunk,
    Metadata,
    Page,
    Span,
)

NO_METADATA: Metadata = MappingProxyType({})
SMALLEST = 8
"""Tokens. A single character can take four, so less could not hold even one with its neighbour."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s+[^\sa-z])|[。！？][」』”]?")
_LINE_END = re.compile(r"(?<=\S)(?=[ \t\r]*\n)")
_WORD_END = re.compile(r"(?<=\S)(?=\s)")
_WORD_START = re.compile(r"(?<=\s)(?=\S)")
_REACH = 16
"""Characters either side of the overlap's start in which the start of a word is looked for."""


class InvalidChunkSize(PermanentError, ValueError):
    """The chunk size must be at least 8 tokens, and the overlap smaller than it."""


def chunk_document(
    document: str | Sequence[Page],
    chunk_size: int = 512,
    overlap: int = 50,
    metadata: Metadata = NO_METADATA,
) -> list[Chunk]:
    """The document in chunks of at most `chunk_size` tokens (cl100k_base), in order.

    A chunk ends at a heading once it is half full; where none comes in time it ends at the last block, row, sentence or
    word that fits, and the next one begins about `overlap` tokens before that end. Every character that isn't white
    space is in some chunk. `metadata` becomes each chunk's, with `source` and `chunk_id`, which counts on from the
    `chunk_id` that is given. A document that is text is one page of paragraphs.
    """
    if chunk_size < SMALLEST or not 0 <= overlap < chunk_size:
        raise InvalidChunkSize(
            f"A chunk size of {chunk_size} with an overlap of {overlap} tokens doesn't work: "
            f"the size must be at least {SMALLEST}, the overlap at least 0 and smaller than the size."
        )
    pages = [Page(1, _UNSTORABLE.sub("\ufffd", document))] if isinstance(document, str) else document
    layout = _Layout([page for page in pages if page.text.strip()])
    first = metadata.get("chunk_id", 0)
    shared = {"source": "", **metadata}
    pieces = _Cutter(layout, chunk_size, overlap).pieces()
    return [layout.chunk(start, end, {**shared, "chunk_id": first + i}) for i, (start, end) in enumerate(pieces)]


class _Cutter:
    """Finds where the chunks of a text begin and end."""

    def __init__(self, layout: _Layout, chunk_size: int, overlap: int) -> None:
        self._layout, self._text, self._ruler = layout, layout.text, layout.ruler
        self._size, self._overlap = chunk_size, overlap
        self._stops = [*(start for start, _ in layout.ruler.gaps), len(layout.text.rstrip())]

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Start and end of each chunk in turn; both stand at a non-space."""
        start = done = next_word(self._text, 0)
        while done < self._stops[-1]:
            end = self._end(start, done)
            if end > done:
                yield start, end
                done = end
                start = self._next_start(start, end)
            else:
                start = done = next_word(self._text, done)

    def _end(self, start: int, done: int) -> int:
        """Where the chunk ends that begins at `start`; not after `done` if nothing more fits."""
        limit = self._ruler.advance(start, self._size)
        while True:
            end = self._best_end(start, done, limit)
            excess = self._ruler.count(start, end) - self._size
            if excess <= 0:
                return end
            limit = self._ruler.advance(end, -excess)

    def _best_end(self, start: int, done: int, limit: int) -> int:
        stop = self._stops[bisect_right(self._stops, start)]
        if stop <= limit:
            return stop
        low = max(self._ruler.advance(start, self._size // 2), done + 1)
        return (
            _first(self._layout.section_ends, low, limit)
            or _last(self._layout.block_ends, low, limit)
            or self._end_in_block(low, limit)
            or self._last_match(_WORD_END, done + 1, limit)
            or self._last_character(start, limit)
        )

    def _end_in_block(self, low: int, limit: int) -> int | None:
        """The last row, line or sentence end of the block that reaches beyond `limit`."""
        block = self._layout.block_at(limit)
        low = max(low, block.start)
        if block.kind in (BlockKind.TABLE, BlockKind.CODE):
            return self._last_match(_LINE_END, low, limit)
        return self._last_match(_SENTENCE_END, low, limit) or self._last_match(_LINE_END, low, limit)

    def _last_match(self, pattern: re.Pattern[str], low: int, limit: int) -> int | None:
        ends = (found.end() for found in pattern.finditer(self._text, low, limit + 2))
        return max((end for end in ends if low <= end <= limit), default=None)

    def _last_character(self, start: int, limit: int) -> int:
        return max(start + len(self._text[start:limit].rstrip()), start + 1)

    def _next_start(self, start: int, end: int) -> int:
        """After a section its end; within one, `overlap` tokens before it, moved to the nearest start of a word."""
        if not self._overlap or any(_first(places, end, end) for places in (self._stops, self._layout.section_ends)):
            return next_word(self._text, end)
        place = max(self._ruler.advance(end, -self._overlap), start)
        near = _WORD_START.finditer(self._text, max(place - _REACH, start + 1), min(place + _REACH, end))
        words = [found.start() for found in near]
        return min(words, key=lambda word: abs(word - place)) if words else next_word(self._text, place)


def _first(places: Sequence[int], low: int, high: int) -> int | None:
    """The first of the sorted `places` from `low` to `high`."""
    index = bisect_left(places, low)
    return places[index] if index < len(places) and places[index] <= high else None


def _last(places: Sequence[int], low: int, high: int) -> int | None:
    """The last of the sorted `places` from `low` to `high`."""
    index = bisect_right(places, high) - 1
    return places[index] if index >= 0 and places[index] >= low else None


# --- Pages as one text ------------------------------------------------------------------------


class _Layout:
    """Pages joined to one text, with their blocks placed in it."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.text = PAGE_BREAK.join(page.text for page in pages)
        self.ruler = Ruler(self.text)
        self._pages = pages
        self._offsets = [
            0,
            *accumulate(len(page.text) + len(PAGE_BREAK) for page in pages),
        ]
        self._blocks = [
            block for page, offset in zip(pages, self._offsets, strict=False) for block in _placed(page, offset)
        ]
        self._starts = [block.start for block in self._blocks]
        self.section_ends = [before.end for before, block in pairwise(self._blocks) if _opens(block, before)]
        self.block_ends = [block.end for block in self._blocks if block.kind is not BlockKind.HEADING]

    def block_at(self, place: int) -> Block:
        return self._blocks[max(bisect_right(self._starts, place) - 1, 0)]

    def chunk(self, start: int, end: int, metadata: Metadata) -> Chunk:
        return Chunk(
            self.text[start:end],
            tuple(self._spans(start, end)),
            self.ruler.count(start, end),
            metadata,
            self._path(start, end),
        )

    def _spans(self, start: int, end: int) -> Iterator[Span]:
        first, last = (
            bisect_right(self._offsets, start) - 1,
            bisect_left(self._offsets, end),
        )
        for page, offset in zip(self._pages[first:last], self._offsets[first:last], strict=True):
            yield Span(page.number, max(start - offset, 0), min(end - offset, len(page.text)))

    def _path(self, start: int, end: int) -> tuple[str, ...]:
        """The headings that all the blocks from `start` to `end` stand under, and a table's that is cut before them."""
        first = max(bisect_right(self._starts, start) - 1, 0)
        blocks = self._blocks[first : bisect_left(self._starts, end)]
        path = functools.reduce(_common, (block.path for block in blocks))
        header = self._header(blocks[0], start)
        return (*path, header) if header and header not in path else path

    def _header(self, block: Block, start: int) -> str:
        """The first row of the table that goes on at `start`; a sheet's table that goes on from another page has it
        among its headings."""
        row = self.text[block.start : block.end].partition("\n")[0]
        goes_on = bool(block.cells) and len(block.path) > 1
        is_below = block.kind is BlockKind.TABLE and start > block.start + len(row) and not goes_on
        return row.strip()[:HEADER_CHARACTERS] if is_below else ""


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(heading for heading, _ in same)


def _placed(page: Page, offset: int) -> Iterator[Block]:
    """The page's blocks (its paragraphs, where it has none) as characters of the joined text, without outer space."""
    for block in page.blocks or _paragraphs(page.text):
        end = block.start + len(page.text[block.start : block.end].rstrip())
        if end > block.start:
            yield replace(block, start=block.start + offset, end=end + offset)


def _paragraphs(text: str) -> Iterator[Block]:
    breaks = [(found.start(), found.end()) for found in _PARAGRAPH_BREAK.finditer(text)]
    for (_, start), (end, _) in pairwise([(0, 0), *breaks, (len(text), len(text))]):
        yield Block(BlockKind.PARAGRAPH, start, end)


def _opens(block: Block, before: Block) -> bool:
    """Whether a section begins with `block`; of headings that follow one another, with the first."""
    return block.kind is BlockKind.HEADING and before.kind is not BlockKind.HEADING
