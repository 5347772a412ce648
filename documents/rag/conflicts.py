"""Where documents say the same of something but for a number, a date or a unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from documents.rag.alignment import Source
from documents.rag.details import Kind, tokens
from documents.rag.differences import change
from documents.rag.types import Citation, Passage
from documents.rag.verification import rest

_DIFFER = "The sources differ: "

_ALIKE = 0.8
"""Share of a quotation, its numbers left out, that a passage of another document must carry to be about the same."""

_FIGURES = re.compile(r"\d[\d.,]*")

_LONGEST = 400
"""Characters of a quotation; a longer one is a whole passage, rather than a statement."""

_MOST = 3

_KINDS = (Kind.NUMBER, Kind.DATE, Kind.UNIT)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a cited passage says, and what another says instead."""

    cited: Passage
    says: str
    other: Passage
    instead: str

    @property
    def sentence(self) -> str:
        first, second = sorted(((self.cited, self.says), (self.other, self.instead)), key=lambda side: _given(side[0]))
        return f"{_DIFFER}{_told(*first)}; {_told(*second)}."


def conflicts(citations: Sequence[Citation], passages: Sequence[Passage]) -> list[Conflict]:
    """For what is cited, at most three passages of other documents that say otherwise; each document once."""
    found: dict[object, Conflict] = {}
    for one in (one for citation in citations for one in _of(citation, passages)):
        found.setdefault(frozenset((one.cited.document, one.other.document)), one)
    return list(found.values())[:_MOST]


def tells_of_conflict(sentence: str) -> bool:
    """Whether a sentence is one about a conflict, and so quotes its documents."""
    return sentence.startswith(_DIFFER)


def _of(citation: Citation, passages: Sequence[Passage]) -> Iterator[Conflict]:
    if len(citation.quote) > _LONGEST:
        return
    names = {token.key for token in tokens(citation.quote) if token.kind is Kind.NAME}
    for passage in passages:
        if passage.document == citation.passage.document:
            continue
        resting = rest(_FIGURES.sub("", citation.quote), [Source(passage)])
        if resting.alignment.share < _ALIKE or names - {token.key for token in tokens(resting.window)}:
            continue
        if differs := change(citation.quote, resting.window, kinds=_KINDS):
            yield Conflict(citation.passage, differs.said, passage, differs.instead)


def _told(passage: Passage, says: str) -> str:
    given = _given(passage)
    when = f" ({given.day} {given:%b %Y})" if given != date.min else ""
    return f"“{passage.title}”{when} says “{says}”"


def _given(passage: Passage) -> date:
    """When what it is of was given, as far as that is known."""
    given = passage.metadata.get("given")
    return given if isinstance(given, date) else date.min
