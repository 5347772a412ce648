"""The sentences of an answer that state something, and which of its citations each of them bears."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from documents.rag.prompts import NOT_FOUND
from documents.rag.sentences import sentences
from documents.rag.terms import telling_terms

_LEAST = 3
"""Words that tell something, of which a sentence has as many if it states something, one less if it cites; a number
counts twice."""

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_MARKER = re.compile(r"[ \t]*\[(\d{1,3})\]")
_PREFIX = re.compile(r"(?:[ \t]*(?:[>*+•|-]|\d{1,3}[.)])(?=\s))*[ \t]*")
_NO_PROSE = re.compile(r"\s*(?:#{1,6}\s|[|:\s-]+$|$)")
_MARKUP = re.compile(r"\*\*|__|~~|`+|(?<!\w)[*_]|[*_](?!\w)|\\(?=[^\w\s])")
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}\)")


@dataclass(frozen=True, slots=True)
class Statement:
    """Characters `start` to `end` of an answer's Markdown, in plain words, and its citations' numbers."""

    start: int
    end: int
    text: str
    numbers: tuple[int, ...]


def statements(answer: str) -> list[Statement]:
    """What the answer states, in order; nothing of its code, headings and questions, nor a bare "yes"."""
    prose = _FENCE.sub(lambda found: _blank(found[0]), answer)
    return [one for one in _sentences(prose) if states(one.text, least=_LEAST - bool(one.numbers))]


def states(sentence: str, *, least: int = _LEAST) -> bool:
    """Whether a sentence in plain words says something that can be checked: no question, nor that nothing was found."""
    if sentence.endswith(("?", "？", ":")) or NOT_FOUND.startswith(sentence) or not any(map(str.isalpha, sentence)):
        return False
    return len(telling_terms(sentence)) + any(letter.isdigit() for letter in sentence) >= least


def plain(markdown: str) -> str:
    """A sentence's words without markup and markers."""
    words = _MARKUP.sub("", _LINK.sub(r"\1", _MARKER.sub("", markdown)))
    return " ".join(unescape(words).strip(" |\t").split())


def is_prose(line: str) -> bool:
    """Whether a line may hold sentences: it is no heading, no rule and not empty."""
    return not _NO_PROSE.match(line)


def _sentences(prose: str) -> Iterator[Statement]:
    at = 0
    for line in prose.splitlines(keepends=True):
        if is_prose(line):
            yield from _of_line(line, at)
        at += len(line)


def _of_line(line: str, at: int) -> Iterator[Statement]:
    """A line's sentences; a marker belongs to the one that it stands in or behind."""
    words = _MARKER.sub(lambda found: " " * len(found[0]), line)
    begin = _PREFIX.match(words).end()  # type: ignore[union-attr]
    places = [(begin + start, begin + end) for start, end in sentences(words[begin:])]
    nexts = [start for start, _ in places[1:]] + [len(line)]
    for (start, end), following in zip(places, nexts, strict=False):
        numbers = dict.fromkeys(int(number) for number in _MARKER.findall(line, start, following))
        yield Statement(at + start, at + end, plain(line[start:end]), tuple(numbers))


def _blank(code: str) -> str:
    return re.sub(r"[^\n]", " ", code)
