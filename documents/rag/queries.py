"""What a question says of where to look: quoted phrases, and operators such as `library:HR` or `after:2025-03`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from documents.rag.parsing.kinds import KINDS, media_types
from documents.rag.types import Narrowing, Question, Turn

NOTHING_ASKED = "The question says only where to look. Add what you look for."

MOST_PHRASES = 5
"""With more quotations than these a text was pasted, and none of them is looked for literally."""

_LONGEST = 200

_QUOTED = (
    rf'"(?!\s)[^"\n]{{1,{_LONGEST}}}(?<!\s)"(?![\w:=])'
    rf"|“[^”\n]{{1,{_LONGEST}}}”|„[^“”\n]{{1,{_LONGEST}}}[“”]|«[^»\n]{{1,{_LONGEST}}}»"
)
_CODE = r"`[^`]*`"
_OPERATOR = rf"(?<!\S)(?P<name>library|type|after|before):(?P<value>{_QUOTED}|[^\s:/\\=]\S*)[ \t]*"
_PHRASE = rf"(?:(?<!\S)|(?<=\s\())(?P<phrase>{_QUOTED})"
_PART = re.compile(f"{_CODE}|{_OPERATOR}|{_PHRASE}", re.IGNORECASE)
_MARKS, _STOPS = '"“”„«»', ".,;:!?)]}"
_DATE = re.compile(r"([12]\d{3})(?:-(\d\d?)(?:-(\d\d?))?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, without operators but with its quotation marks; where to look; and what is wrong with an operator.

    `text` is empty where there is nothing but operators.
    """

    text: str
    narrowing: Narrowing
    problems: tuple[str, ...] = ()

    @property
    def only_phrases(self) -> bool:
        """Whether there is no word beside quoted phrases."""
        return not any(map(str.isalnum, _PART.sub("", self.text)))


def understand(text: str) -> Query:
    """What a question says of where to look; an operator that makes no sense stays in the text, and is a problem."""
    given = defaultdict[str, list[str]](list)
    problems: list[str] = []

    def take(part: re.Match[str]) -> str:
        """Note a part; what of it stays in the text."""
        name, value = (part["name"] or "phrase").lower(), _bare(part["value"] or part["phrase"] or "")
        if problem := _problem(name, value):
            problems.append(problem)
        elif value:
            given[name].append(value)
            return part[0] if name == "phrase" else ""
        return part[0]

    rest = _PART.sub(take, text).strip()
    narrowing = Narrowing(
        libraries=tuple(given["library"]),
        types=tuple(given["type"]),
        after=max(filter(None, map(_day, given["after"])), default=None),
        before=min(filter(None, map(_day, given["before"])), default=None),
        phrases=tuple(given["phrase"]) if len(given["phrase"]) <= MOST_PHRASES else (),
    )
    asks = narrowing == Narrowing() or any(map(str.isalnum, rest))
    return Query(rest if asks else "", narrowing, tuple(problems))


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of a question: `library`, `type`, `after` or `before`, its value, and how it is written there."""

    name: str
    value: str
    written: str


def operators(text: str) -> list[Operator]:
    """The operators of a question, in order, without those that make no sense."""
    parts = (part for part in _PART.finditer(text) if part["name"])
    found = (Operator(part["name"].lower(), _bare(part["value"]), part[0].rstrip()) for part in parts)
    return [operator for operator in found if not _problem(operator.name, operator.value)]


def without_operators(question: Question) -> Question:
    """The question as a model should read it; so is what the asker said before."""
    history = tuple(_plain(turn) if turn.role == "user" else turn for turn in question.history)
    return replace(question, text=understand(question.text).text, history=history)


def where(narrowing: Narrowing) -> str:
    """Where is looked, to stand after "Searching": `in HR, PDF, since 2025, for “annual leave”`."""
    places = [*narrowing.libraries, *map(_label, narrowing.types)]
    dates = [f"{word} {_short(day)}" for word, day in (("since", narrowing.after), ("before", narrowing.before)) if day]
    parts = [f"in {', '.join(places) or 'documents'}"] if places or dates else []
    return ", ".join([*parts, *dates, *([f"for {quoted(narrowing.phrases)}"] if narrowing.phrases else [])])


def quoted(phrases: Sequence[str]) -> str:
    return " and ".join(f"“{phrase}”" for phrase in phrases)


def _plain(turn: Turn) -> Turn:
    return replace(turn, text=understand(turn.text).text)


def _bare(value: str) -> str:
    """A value without its quotation marks and the sentence's stops after it."""
    return value.rstrip(_STOPS).strip(_MARKS).rstrip(_STOPS).strip()


def _problem(name: str, value: str) -> str:
    """What is wrong with an operator's value, and what to do."""
    if name == "type" and not media_types([value]):
        words = ", ".join(kind.words[0] for kind in KINDS)
        return f"“{value}” is no type of files that is known, so it narrowed nothing. After type: write one of {words}."
    if name in ("after", "before") and not _day(value):
        return (
            f"“{value}” is no date, so it narrowed nothing. Write a year, a month or a day, such as {name}:2025, "
            f"{name}:2025-03 or {name}:2025-03-01."
        )
    return ""


def _day(value: str) -> date | None:
    """The first day of a year or month, or the day."""
    match = _DATE.fullmatch(value)
    if not match:
        return None
    year, month, day = (int(number or 1) for number in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _short(day: date) -> str:
    """A day as one would write it in an operator."""
    if day.day > 1:
        return day.isoformat()
    return f"{day:%Y-%m}" if day.month > 1 else f"{day:%Y}"


def _label(word: str) -> str:
    return next((kind.label for kind in KINDS if word.lower() in kind.words), word.upper())
