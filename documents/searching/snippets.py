"""The stretch of a passage to show for a search, and what in it to mark."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from documents.places import Mark
from documents.rag.language import languages
from documents.rag.terms import telling_terms

LENGTH = 280
"""Characters of a snippet: two or three lines."""

_BEFORE = 60
"""Characters that are shown before the first of the words, so that it isn't torn out of its sentence."""

_EDGE = 30
"""Characters within which a word's beginning or end is looked for; longer ones are cut."""

_WORD = re.compile(r"[\w'’.:-]*\w")
_LETTERS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Snippet:
    """Characters `start` to `end` of a text; `marks` count the text's characters as well."""

    start: int
    end: int
    marks: tuple[Mark, ...] = ()


class Marker:
    """Finds the words of a search in texts, as retrieval does: by their stems."""

    def __init__(self, search: str) -> None:
        self._of_word = _Marks(search)

    def snippet(self, text: str) -> Snippet:
        """The stretch that has most of the search's words, different ones before the same again; else the beginning."""
        found = [
            (word.start() + start, word.start() + end)
            for word in _WORD.finditer(text)
            for start, end in self._of_word[word[0]]
        ]
        begin = max((_best(text, found) if found else 0) - _BEFORE, 0)
        start, end = _whole_words(text, begin, begin + LENGTH)
        return Snippet(start, end, tuple(mark for mark in found if start <= mark[0] and mark[1] <= end))


class _Marks(dict[str, tuple[Mark, ...]]):
    """Word → what of it is wanted, worked out once: an identifier's parts where it isn't wanted whole."""

    def __init__(self, search: str) -> None:
        self._languages = languages(search)
        self._wanted = frozenset(telling_terms(search, self._languages))

    def __missing__(self, word: str) -> tuple[Mark, ...]:
        found = self[word] = tuple(self._found(word))
        return found

    def _found(self, word: str) -> Iterator[Mark]:
        if word.casefold() in self._wanted:
            yield 0, len(word)
            return
        for part in _LETTERS.finditer(word):
            if here := self._wanted.intersection(telling_terms(part[0], self._languages)):
                yield from _stretches(part[0], part.start(), here)


def _stretches(part: str, at: int, wanted: Collection[str]) -> Iterator[Mark]:
    """The whole of a word; of a run in a script without spaces only the pairs of characters that are wanted."""
    starts = sorted({place for term in wanted for place in _places(part.casefold(), term)})
    if part.isascii() or not starts or any(len(term) != 2 for term in wanted):
        yield at, at + len(part)
        return
    first, last = starts[0], starts[0] + 2
    for start in starts[1:]:
        if start > last:
            yield at + first, at + last
            first = start
        last = start + 2
    yield at + first, at + last


def _places(run: str, pair: str) -> Iterator[int]:
    return (match.start() for match in re.finditer(f"(?={re.escape(pair)})", run))


def _best(text: str, found: list[Mark]) -> int:
    """Where the snippet's first mark is: the one after which most different words follow, the earliest of equals."""
    starts = [start for start, _ in found]
    words = [text[start:end].casefold() for start, end in found]

    def different(at: int) -> int:
        return len(set(words[at : bisect_left(starts, starts[at] + LENGTH - _BEFORE)]))

    return starts[max(range(len(found)), key=lambda at: (different(at), -at))]


def _whole_words(text: str, start: int, end: int) -> Mark:
    """About these characters, from the beginning of a word to the end of one."""
    if start and (space := re.search(r"\s", text[start : start + _EDGE])):
        start += space.end()
    if end < len(text) and (space := re.search(r"\s\S*$", text[end - _EDGE : end])):
        end -= len(space[0])
    shown = text[start:end]
    start += len(shown) - len(shown.lstrip())
    return start, start + len(shown.strip())
