"""From the markers in a model's text to footnotes at exact characters of what was retrieved."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from documents.rag.sentences import sentences, without_bullet
from documents.rag.terms import telling_terms
from documents.rag.types import Citation, Passage, Text

_MARKER = r"[ \t]{0,3}[\[【［]\s?\^?\d{1,3}(?:\s?[,;、，]\s?\^?\d{1,3}){0,8}\s?(?:†[^\]】\n]{0,40})?[\]】］]"
_UNFINISHED = re.compile(r"(?:[ \t]{0,3}(?:[\[【［][\d\s,;、，^]{0,50}(?:†[^\]】\n]{0,40})?)?|`+|~+)\Z")
_TOKEN = re.compile(rf"(?P<newline>\n)|(?P<run>`+|~{{3,}})|(?P<marker>{_MARKER})")
_OWN_MARKER = re.compile(r"\[\d{1,3}\]")
_HELD = 100
_REACH = 600
"""How many characters back from a marker its sentence may begin."""


class CitationTracker:
    """Follows an answer as it is written and replaces each marker by the number of a footnote.

    A marker counts the passages that the model was given; a footnote is a stretch of one of them, found by aligning
    the sentence before the marker. The same stretch keeps its number; numbers rise in the order of first use. A
    marker that matches no passage is dropped, and nothing inside code is a marker.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._footnotes: dict[tuple[int, int, int], Citation] = {}
        self._held = ""
        self._tail = ""
        self._fence = ""
        self._ticks = ""

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._footnotes.values())

    def feed(self, piece: str) -> Iterator[Citation | Text]:
        """What may be shown now, each citation before the text that holds its number."""
        text = self._held + piece
        unfinished = _UNFINISHED.search(text, max(len(text) - _HELD, 0))
        self._held = unfinished.group() if unfinished else ""
        return self._read(text[: len(text) - len(self._held)])

    def finish(self) -> Iterator[Citation | Text]:
        """What was held back because a marker might have begun there."""
        held, self._held = self._held, ""
        return self._read(held)

    def _read(self, text: str) -> Iterator[Citation | Text]:
        known = len(self._footnotes)
        shown: list[str] = []
        position = 0
        for token in _TOKEN.finditer(text):
            self._write(shown, text[position : token.start()])
            position = token.end()
            if token.lastgroup == "marker" and not (self._fence or self._ticks):
                self._write(shown, self._numbered(token.group()))
            else:
                self._write(shown, token.group())
                self._follow_code(token)
        self._write(shown, text[position:])
        yield from self.citations[known:]
        if whole := "".join(shown):
            yield Text(whole)

    def _write(self, shown: list[str], text: str) -> None:
        shown.append(text)
        self._tail = (self._tail + text)[-_REACH:]

    def _follow_code(self, token: re.Match[str]) -> None:
        """A run of ``` or ~~~ that begins a line opens or closes a code block; other backticks, a span of it."""
        if token.lastgroup == "newline":
            self._ticks = ""
        if token.lastgroup != "run":
            return
        run = token.group()
        begins_line = not self._tail[: -len(run)].rpartition("\n")[2].strip()
        if self._fence:
            self._fence = "" if begins_line and run.startswith(self._fence) else self._fence
        elif begins_line and len(run) >= 3:
            self._fence = run
        elif run.startswith("`"):
            self._ticks = "" if run == self._ticks else self._ticks or run

    def _numbered(self, marker: str) -> str:
        numbers = dict.fromkeys(int(digits) for digits in re.findall(r"\d+", marker.partition("†")[0]))
        found = [self._footnote(number - 1) for number in numbers if 0 < number <= len(self._passages)]
        return "".join(f"[{citation.number}]" for citation in found)

    def _footnote(self, index: int) -> Citation:
        passage = self._passages[index]
        start, end = align(self._sentence(), passage.text)
        number = len(self._footnotes) + 1
        return self._footnotes.setdefault((index, start, end), _citation(number, passage, start, end))

    def _sentence(self) -> str:
        before = _OWN_MARKER.sub("", self._tail).rstrip()
        return before[slice(*found[-1])] if (found := sentences(before)) else ""


def _citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    span = passage.place(start, end)
    return Citation(number, passage, span, quote=passage.text[start : start + span.end - span.start])


# --- Alignment --------------------------------------------------------------------------------

_ENOUGH = 0.15
"""Share of a sentence's weight that a source sentence must carry to be what it rests on."""


def align(sentence: str, text: str) -> tuple[int, int]:
    """The one or two adjacent sentences of a source that carry a sentence; the whole text where none does.

    Words weigh by how few of the source's sentences have them. A second sentence is taken in when it carries at least
    as much more again as would be enough alone.
    """
    if sentence and (exact := text.find(sentence)) >= 0:
        return exact, exact + len(sentence)
    places, bags, weights = _analysed(text)
    wanted = {term: weights[term] for term in set(telling_terms(sentence)) if term in weights}
    if not wanted:
        return 0, len(text)
    total = sum(wanted.values())
    shares = [sum(wanted[term] for term in bag & wanted.keys()) / total for bag in bags]
    best = max(range(len(bags)), key=shares.__getitem__)
    if shares[best] < _ENOUGH:
        return 0, len(text)
    first, last = _widened(best, shares[best], bags, wanted, total)
    return places[first][0], places[last][1]


def _widened(
    best: int, share: float, bags: Sequence[frozenset[str]], wanted: dict[str, float], total: float
) -> tuple[int, int]:
    pairs = [(first, first + 1) for first in (best - 1, best) if first >= 0 and first + 1 < len(bags)]
    joint = {
        pair: sum(wanted[term] for term in (bags[pair[0]] | bags[pair[1]]) & wanted.keys()) / total for pair in pairs
    }
    pair = max(joint, key=joint.__getitem__, default=None)
    return pair if pair and joint[pair] >= share + _ENOUGH else (best, best)


@lru_cache(maxsize=256)
def _analysed(text: str) -> tuple[list[tuple[int, int]], list[frozenset[str]], dict[str, float]]:
    places = [(end - len(without_bullet(text[start:end])), end) for start, end in sentences(text)]
    bags = [frozenset(telling_terms(text[start:end])) for start, end in places]
    counts = Counter(term for bag in bags for term in bag)
    return places, bags, {term: math.log(1 + len(bags) / count) for term, count in counts.items()}
