"""By what a search can be narrowed, each choice as the text of a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import localdate

from documents.models import Version
from documents.rag.parsing.kinds import KINDS, kind_of
from documents.rag.queries import Operator, operators

_MOST = 8
"""Choices of a facet: more are no help."""

_AGES = (("Past week", 7), ("Past month", 31), ("Past year", 366))


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to narrow by, how many of the found documents have it, and the search that is narrowed to it."""

    label: str
    count: int
    query: str


@dataclass(frozen=True, slots=True)
class Facet:
    """What is told apart, and the choices, most documents first; dates newest first."""

    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """An operator of the search, as people read it, and the search without it."""

    label: str
    query: str


def chosen(query: str) -> list[Chosen]:
    """What the search is narrowed by already."""
    return [Chosen(_label(operator), _without(query, operator)) for operator in operators(query)]


def facets(query: str, versions: Sequence[Version]) -> list[Facet]:
    """By what the documents of these versions differ, without what the search names already."""
    named = {operator.name for operator in operators(query)}
    found = [
        Facet("Library", _libraries(query, versions) if "library" not in named else ()),
        Facet("Type", _kinds(query, versions) if "type" not in named else ()),
        Facet("Date", _ages(query, versions) if not named & {"after", "before"} else ()),
    ]
    return [facet for facet in found if any(choice.count < len(versions) for choice in facet.choices)]


def narrowed(query: str, name: str, value: str) -> str:
    """The search, narrowed by an operator."""
    quotes = ("“", "”") if '"' in value else ('"', '"')
    written = value if value.isalnum() or name in ("after", "before") else f"{quotes[0]}{value}{quotes[1]}"
    return f"{query.strip()} {name}:{written}".strip()


def _libraries(query: str, versions: Iterable[Version]) -> tuple[Choice, ...]:
    counted = Counter(version.document.library.name for version in versions)
    return tuple(Choice(name, count, narrowed(query, "library", name)) for name, count in counted.most_common(_MOST))


def _kinds(query: str, versions: Iterable[Version]) -> tuple[Choice, ...]:
    counted = Counter(kind_of(version.media_type) for version in versions)
    return tuple(
        Choice(kind.label, count, narrowed(query, "type", kind.words[0])) for kind, count in counted.most_common(_MOST)
    )


def _ages(query: str, versions: Sequence[Version]) -> tuple[Choice, ...]:
    """Each period with all that the ones before it have, as long as it has more; last what is older than a year."""
    days = [localdate(version.created) for version in versions]
    counted = 0
    choices: list[Choice] = []
    for label, length in _AGES:
        first = localdate() - timedelta(days=length)
        if (count := sum(day >= first for day in days)) > counted:
            choices.append(Choice(label, count, narrowed(query, "after", first.isoformat())))
            counted = count
    if counted < len(days):
        choices.append(Choice("Older", len(days) - counted, narrowed(query, "before", first.isoformat())))
    return tuple(choices)


def _label(operator: Operator) -> str:
    match operator.name:
        case "type":
            word = operator.value.lower()
            return next((kind.label for kind in KINDS if word in kind.words), operator.value)
        case "after":
            return f"Since {operator.value}"
        case "before":
            return f"Before {operator.value}"
    return operator.value


def _without(query: str, operator: Operator) -> str:
    return " ".join(query.replace(operator.written, " ", 1).split())
