"""Newer documents first, where a question asks for what is current."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from documents.rag.types import Passage

ALIKE = 0.1
"""Of a passage's score: what scores less below it says about as much about the question."""

_CURRENT = re.compile(
    r"\b(?:latest|newest|most recent|recent(?:ly)?|current(?:ly)?|up[- ]to[- ]date|as of|nowadays|today|this year"
    r"|neueste\w*|aktuell\w*|derzeit\w*|heutig\w*|jüngste\w*"
    r"|derni(?:er|ère)s?|actuel(?:le)?s?|actuellement|récente?s?"
    r"|últim[oa]s?|actual(?:es|mente)?|recientes?|attuale|attualmente|ultim[oaie])\b",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b20\d\d\b", re.ASCII)


def asks_for_newest(text: str) -> bool:
    """Whether a question is about what holds now: it says so, or names this year or the last."""
    this_year = date.today().year
    years = {int(year) for year in _YEAR.findall(text)}
    return bool(_CURRENT.search(text) or years & {this_year, this_year - 1})


def newest_first(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages, best first, but of those that score nearly alike those of newer documents before the others.

    Of near-duplicates the newest stands for all.
    """
    left = [_newest_of(passage) for passage in passages]
    ordered: list[Passage] = []
    while left:
        least = left[0].score - ALIKE * abs(left[0].score)
        ordered += sorted((passage for passage in left if passage.score >= least), key=_age, reverse=True)
        left = [passage for passage in left if passage.score < least]
    return tuple(ordered)


def _newest_of(passage: Passage) -> Passage:
    """The passage, or the newest of those that it stands for, in its place."""
    newest = max((passage, *passage.also_in), key=_age)
    if newest is passage:
        return passage
    others = (replace(passage, also_in=()), *(other for other in passage.also_in if other is not newest))
    return replace(newest, score=passage.score, ranks=passage.ranks, also_in=others)


def _age(passage: Passage) -> int:
    """A number that is higher for what was given later."""
    return int(passage.metadata.get("version", 0))
