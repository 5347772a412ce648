"""Which sentences of a source carry a sentence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from documents.rag.parsing.grids import CELL_BREAK
from documents.rag.sentences import sentences, without_bullet
from documents.rag.terms import telling_terms
from documents.rag.types import Passage

ENOUGH = 0.1
"""Share of a sentence's weight that a sentence of the source must carry to be what it rests on, and that a second one
must add to be taken in."""

_LONGEST = 400
"""Characters from which what has no full stop is cut into its lines."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Characters `start` to `end` of a source carry `share` of a sentence's weight, and all of it carries `whole`."""

    start: int = 0
    end: int = 0
    share: float = 0.0
    whole: float = 0.0


class Source:
    """A passage that sentences may rest on. It is taken apart when it is first looked at, which takes a while."""

    def __init__(self, passage: Passage) -> None:
        self.text = passage.text
        self.context = " > ".join(dict.fromkeys((passage.title, *passage.heading_path)))

    def align(self, sentence: str, known: str = "") -> Alignment:
        """The one or two adjacent sentences that carry most of a sentence; none where there is no text.

        Words weigh by how few of the source's sentences have them; those that are in none weigh most. What stands above
        the source, and what is `known` from elsewhere, counts as said in each of its sentences.
        """
        if not self._places:
            return Alignment()
        if sentence and (exact := self.text.find(sentence)) >= 0:
            return Alignment(exact, exact + len(sentence), 1.0, 1.0)
        said = _terms(self.context) | _terms(known)
        wanted = {term: self._weight(term) for term in _terms(sentence)}
        total = sum(wanted.values()) or 1.0
        shares = {
            window: sum(wanted[term] for term in wanted.keys() & (self._of(window) | said)) / total
            for window in self._windows()
        }
        first, last = max(shares, key=lambda window: shares[window] - ENOUGH * (window[1] - window[0]))
        whole = sum(wanted[term] for term in wanted.keys() & (self._counts.keys() | said)) / total
        return Alignment(self._places[first][0], self._places[last][1], shares[first, last], whole)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        return [place for start, end in sentences(self.text) for place in _lines(self.text, start, end)]

    @cached_property
    def _bags(self) -> list[frozenset[str]]:
        return [frozenset(telling_terms(self.text[start:end])) for start, end in self._places]

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(term for bag in self._bags for term in bag)

    def _weight(self, term: str) -> float:
        count = self._counts.get(term, 0)
        return math.log(1 + len(self._bags) / count) if count else math.log(1 + len(self._bags)) + 0.5

    def _windows(self) -> Iterator[tuple[int, int]]:
        """Each sentence, and each two that are adjacent: the first and the last."""
        for first in range(len(self._places)):
            yield first, first
            if first + 1 < len(self._places):
                yield first, first + 1

    def _of(self, window: tuple[int, int]) -> frozenset[str]:
        first, last = window
        return self._bags[first] if first == last else self._bags[first] | self._bags[last]


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence, or its lines where it is a table's, or too long to be one."""
    said = text[start:end]
    if "\n" not in said or (end - start <= _LONGEST and CELL_BREAK not in said):
        yield end - len(without_bullet(text[start:end])), end
        return
    for line in text[start:end].split("\n"):
        if line.strip():
            yield start, start + len(line)
        start += len(line) + 1


@lru_cache(maxsize=1024)
def _terms(text: str) -> frozenset[str]:
    return frozenset(telling_terms(text)) if text else frozenset()
