"""What of a sentence can be wrong by itself: its numbers, dates, names, denials, and words that have an opposite."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from documents.rag.entities import names
from documents.rag.language import language
from documents.rag.terms import telling_terms


class Kind(StrEnum):
    """What a word tells; the value is what readers call it."""

    WORD = "word"
    NUMBER = "number"
    DATE = "date"
    UNIT = "unit"
    NAME = "name"
    DENIAL = "denial"
    OPPOSITE = "opposite"


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text: what it is known by, in any spelling, and its characters.

    A number is known by its value; where it has two readings ("5.000"), by the larger one.
    """

    key: str
    kind: Kind
    start: int
    end: int


_DATE = re.compile(r"(?P<year>\d{4})-(\d\d)-(\d\d)|(\d{1,2})\.(\d{1,2})\.(\d{4})")
_WORD = re.compile(
    r"\d{4}-\d\d-\d\d(?!\d)|\d{1,2}\.\d{1,2}\.\d{4}(?!\d)|\d+(?:[.,’\u202f\u00a0]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[%€$£]"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,’\u202f\u00a0]\d{3})+")
_DECIMAL = re.compile(r"(\d+)[.,](\d+)")
_NOT = re.compile(r"n['’]t$")
_SHORTENED = {"ca": "can", "wo": "will", "sha": "shall"}

_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez",
    "zéro un deux trois quatre cinq six sept huit neuf dix",
)
_TENS = ("thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {word: str(value) for line in _COUNTED for value, word in enumerate(line.split()) if value > 1}
_NUMBERS |= {word: str(10 * value) for value, word in enumerate(_TENS, 3)}

_TENS_IN_FIGURES = frozenset(("20", "30", "40", "50", "60", "70", "80", "90"))

_MONTHS = {
    month: f"month {number}"
    for line in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "jan feb mar apr may jun jul aug sep oct nov dec",
    )
    for number, month in enumerate(line.split(), 1)
}
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {day: f"day {number}" for number, day in enumerate(_WEEK)}
_ALSO_WORDS = frozenset(("may", "mar", "mars", "march", "dec", "jan", "mai"))
"""They are months only beside a number."""

_UNITS = {
    spelling: group[0]
    for group in (
        ("second", "seconds"), ("minute", "minutes"), ("hour", "hours"), ("day", "days"), ("week", "weeks"),
        ("month", "months"), ("year", "years"), ("%", "percent", "per cent"), ("$", "dollar", "dollars", "usd"),
        ("€", "euro", "euros", "eur"), ("£", "pound", "pounds"), ("km", "kilometre", "kilometres", "kilometer"),
        ("mile", "miles"), ("kg", "kilogram", "kilograms"), ("million", "millions"), ("billion", "billions"),
        ("thousand", "thousands"), ("gb", "gigabyte"), ("mb", "megabyte"), ("metre", "metres", "meter", "meters"),
    )
    for spelling in group
}  # fmt: skip

_DENYING = """
not no non never none neither nor without nothing nobody avoid avoids avoiding fails failed failure lack lacks
prohibited forbidden
nicht kein keine keinen keiner keines keinem nie niemals ohne verboten untersagt
nunca jamás sin ningún ninguna ni
pas jamais sans aucun aucune
"""
_DENIALS = frozenset(_DENYING.split())

_OPPOSED = """
all every each always / some sometimes several often many / most usually / few rarely seldom / only solely
before / after
more above over exceeds / less fewer below under
first / last
increase increased rises rose raises grew grows grown / decrease decreased reduced falls fell fallen dropped declined
higher highest / lower lowest
minimum least / maximum most
larger largest bigger / smaller smallest
must required mandatory / may optional
included includes include / excluded excludes exclude
north northern / south southern
east eastern / west western
older oldest / younger youngest
longer longest / shorter shortest
earlier earliest / later latest
enabled enable enables / disabled disable disables
"""
_OPPOSITES = {
    word: f"{line} {side}"
    for line, sides in enumerate(_OPPOSED.strip().splitlines())
    for side, words in enumerate(sides.split("/"))
    for word in words.split()
}
"""A line's number, and which of its sides a word is on: words of one line and other sides exclude each other."""


@lru_cache(maxsize=2048)
def tokens(text: str) -> tuple[Token, ...]:
    """A text's words, in order; "isn't" is two."""
    named = frozenset() if language(text) == "de" else frozenset(word for name in names(text) for word in name.split())
    words = list(_WORD.finditer(text))
    beside_number = [
        any(0 <= at < len(words) and words[at][0][0].isdigit() for at in (place - 1, place + 1))
        for place in range(len(words))
    ]
    found = [token for word, beside in zip(words, beside_number, strict=True) for token in _read(word, named, beside)]
    return tuple(_counted(found))


def _counted(found: Sequence[Token]) -> Iterator[Token]:
    """The tokens, of which "twenty-five" is one."""
    before: Token | None = None
    for token in found:
        if before and before.key in _TENS_IN_FIGURES and len(token.key) == 1 and _are_one(before, token):
            yield replace(before, key=str(int(before.key) + int(token.key)), end=token.end)
            before = None
            continue
        if before:
            yield before
        before = token
    if before:
        yield before


def _are_one(tens: Token, ones: Token) -> bool:
    in_words = tens.end - tens.start > 2 and ones.end - ones.start > 1
    return in_words and tens.kind is ones.kind is Kind.NUMBER and ones.start == tens.end + 1


def stated(claim: str) -> tuple[Token, ...]:
    """Its words, but for a "yes" or "no" before what it states."""
    words = tokens(claim)
    return words[1:] if words and re.match(r"\W*(?:yes|no|ja|nein|sí|oui|non)[,.:]", claim, re.IGNORECASE) else words


def _read(word: re.Match[str], named: frozenset[str], beside_number: bool) -> Iterator[Token]:
    text, (start, end) = word[0].lower(), word.span()
    if date := _DATE.fullmatch(text):
        year, month, day = date.groups()[:3] if date["year"] else reversed(date.groups()[3:])
        yield Token(_value(day), Kind.NUMBER, start, end)
        yield Token(f"month {int(month)}", Kind.DATE, start, end)
        yield Token(year, Kind.NUMBER, start, end)
    elif cut := _NOT.search(text):
        if stem := text[: cut.start()]:
            yield Token(_SHORTENED.get(stem, stem), Kind.WORD, start, start + len(stem))
        yield Token("not", Kind.DENIAL, start + len(stem), end)
    elif text == "cannot":
        yield Token("can", Kind.WORD, start, start + 3)
        yield Token("not", Kind.DENIAL, start + 3, end)
    else:
        yield Token(*_known_by(text, word[0], named, beside_number), start, end)


def _known_by(text: str, written: str, named: frozenset[str], beside_number: bool) -> tuple[str, Kind]:
    if text[0].isdigit():
        return _value(text), Kind.NUMBER
    if text in _NUMBERS:
        return _NUMBERS[text], Kind.NUMBER
    if text in _MONTHS and (text not in _ALSO_WORDS or beside_number):
        return _MONTHS[text], Kind.DATE
    if text in _DAYS:
        return _DAYS[text], Kind.DATE
    if text in _DENIALS:
        return "not", Kind.DENIAL
    if text in _UNITS:
        return _UNITS[text], Kind.UNIT
    if text in _OPPOSITES:
        return _OPPOSITES[text], Kind.OPPOSITE
    [*_, term] = telling_terms(text) or [text]
    return term, Kind.NAME if written in named or _bare(written) in named else Kind.WORD


def _bare(word: str) -> str:
    return re.sub(r"['’]s?$", "", word)


def _value(digits: str) -> str:
    if _THOUSANDS.fullmatch(digits):
        return re.sub(r"\D", "", digits).lstrip("0") or "0"
    if decimal := _DECIMAL.fullmatch(digits):
        return f"{int(decimal[1])}.{decimal[2]}".rstrip("0").rstrip(".")
    return digits.lstrip("0") or "0"
