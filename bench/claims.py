"""Claims about passages of collections: true ones, and ones that a rule has made wrong.

A true claim is a sentence of its passage. A wrong one is such a sentence with a number, a date or a name changed, or
denied, or one of another passage. True and wrong ones alike are then put a little differently, by the same rules, so
that being word for word the same tells nothing. All follows from SEED; a document's claims are all in one half.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from documents.evaluating.collection import Collection

SEED = 6
A_COLLECTION = 200
"""Documents that claims are made of, of each collection."""

NEIGHBOURS = 40
"""Passages among which a stranger's sentence is looked for: the one that shares most words is taken."""

KINDS = ("number", "date", "name", "negation", "elsewhere")


@dataclass(frozen=True, slots=True)
class Made:
    """A claim that cites a passage; `kind` is "true", or how it was made wrong."""

    kind: str
    text: str
    passage: str
    title: str
    document: str

    @property
    def held_back(self) -> bool:
        """Whether it is of the half that nothing is chosen by."""
        return hashlib.sha256(self.document.encode()).digest()[0] % 2 == 1


def claims(directories: Sequence[Path]) -> list[Made]:
    """Of each document drawn a true claim and a wrong one, as far as its sentences allow."""
    return [made for directory in directories for made in _of_collection(Collection.read(directory))]


def _of_collection(collection: Collection) -> Iterator[Made]:
    chance = random.Random(f"{SEED} {collection.name}")
    entries = [entry for entry in collection.corpus if _statements(entry["text"])]
    for at, entry in enumerate(chance.sample(entries, min(A_COLLECTION, len(entries)))):
        others = chance.sample(entries, min(NEIGHBOURS, len(entries)))
        strangers = [other for other in others if other["id"] != entry["id"]]
        kinds = KINDS[at % len(KINDS) :] + KINDS[: at % len(KINDS)]
        yield from _of_passage(entry, [other["text"] for other in strangers], kinds, chance)


def _of_passage(
    entry: dict[str, str], strangers: Sequence[str], kinds: Sequence[str], chance: random.Random
) -> Iterator[Made]:
    text, title = entry["text"], entry.get("title", "")
    document = re.sub(r"^(?:en|de|es|ar|zh)-|#.*", "", entry["id"])
    sentences = _statements(text)
    yield Made("true", _reworded(chance.choice(sentences), chance), text, title, document)
    for kind in kinds:
        for sentence in chance.sample(sentences, len(sentences)):
            if wrong := _ALTER[kind](sentence, text, strangers, chance):
                yield Made(kind, _reworded(wrong, chance), text, title, document)
                return


def _statements(text: str) -> list[str]:
    """Sentences long enough to state something, and short enough to be one."""
    found = re.split(r"(?<=[a-z0-9)][.!])\s+(?=[A-ZÄÖÜ¿])|\n+", text)
    return [each.strip() for each in found if 40 <= len(each.strip()) <= 300 and each.strip().endswith((".", "!"))]


# --- Made wrong -------------------------------------------------------------------------------

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_NUMBER = re.compile(r"(?<![\w.,/-])\d{1,3}(?:,\d{3})+(?![\w,])|(?<![\w.,/-])\d+(?:\.\d+)?(?![\w/-]|[.,]\d)")
_NAME = re.compile(r"(?<=[a-z,] )[A-ZÄÖÜ][\w’'-]{2,}(?: [A-ZÄÖÜ][\w’'-]+){0,3}")
_AFFIRMED = re.compile(
    r"\b(is|are|was|were|can|will|has|have|had|may|should|must|ist|sind|war|wurde|wird|kann)\b(?! not)"
)
_DENIED = re.compile(r"\b(?:not|nicht) ")


def _number(sentence: str, passage: str, strangers: Sequence[str], chance: random.Random) -> str:
    found = [match for match in _NUMBER.finditer(sentence) if not _YEAR.fullmatch(match[0])]
    return _replaced(sentence, passage, found, lambda old: _other_number(old, chance), chance)


def _other_number(old: str, chance: random.Random) -> str:
    value = float(old.replace(",", ""))
    other = chance.choice([value * 2, value * 10, value + 1, value + chance.randint(2, 9), value * 1.5])
    return f"{other:.1f}" if "." in old else f"{round(other):,}" if "," in old else str(round(other))


def _date(sentence: str, passage: str, strangers: Sequence[str], chance: random.Random) -> str:
    found = [*_YEAR.finditer(sentence), *_MONTH.finditer(sentence)]
    return _replaced(sentence, passage, found, lambda old: _other_date(old, chance), chance)


def _other_date(old: str, chance: random.Random) -> str:
    return str(int(old) + chance.choice([-20, -10, -3, -1, 1, 2, 7, 10])) if old.isdigit() else chance.choice(_MONTHS)


def _name(sentence: str, passage: str, strangers: Sequence[str], chance: random.Random) -> str:
    """A name of the same passage takes its place, or one of another: each half the time, if there is one."""
    own = [name for name in _NAME.findall(passage) if name not in sentence and not _MONTH.search(name)]
    foreign = [name for text in strangers for name in _NAME.findall(text) if name not in passage]
    names = own if own and chance.random() < 0.5 else foreign
    found = [match for match in _NAME.finditer(sentence) if not _MONTH.search(match[0])]
    return _replaced(sentence, "", found, lambda _: chance.choice(names), chance) if names else ""


def _replaced(
    sentence: str, passage: str, found: Sequence[re.Match[str]], other: Callable[[str], str], chance: random.Random
) -> str:
    """The sentence with one of the matches replaced by what isn't it, and doesn't stand in the passage.

    Nothing in brackets is, as these may be left out when the sentence is put differently.
    """
    outside = [
        match for match in found if sentence.count("(", 0, match.start()) <= sentence.count(")", 0, match.start())
    ]
    if not outside:
        return ""
    match = chance.choice(outside)
    news = (other(match[0]) for _ in range(10))
    new = next((new for new in news if new != match[0] and (not passage or new not in passage)), "")
    return f"{sentence[: match.start()]}{new}{sentence[match.end() :]}" if new else ""


def _negation(sentence: str, passage: str, strangers: Sequence[str], chance: random.Random) -> str:
    if denied := _DENIED.search(sentence):
        return sentence[: denied.start()] + sentence[denied.end() :]
    if affirmed := _AFFIRMED.search(re.sub(r"\([^()]*\)", lambda found: "x" * len(found[0]), sentence)):
        word = "nicht" if affirmed[1] in ("ist", "sind", "war", "wurde", "wird", "kann") else "not"
        return f"{sentence[: affirmed.end()]} {word}{sentence[affirmed.end() :]}"
    return ""


def _elsewhere(sentence: str, passage: str, strangers: Sequence[str], chance: random.Random) -> str:
    """A sentence of the passage that shares most words with this one, or of any other: each half the time."""
    words = set(re.findall(r"\w{4,}", passage.lower()))
    near = max(strangers, key=lambda text: len(words.intersection(re.findall(r"\w{4,}", text.lower()))), default="")
    text = near if chance.random() < 0.5 else chance.choice(strangers)
    foreign = [each for each in _statements(text) if each not in passage]
    return chance.choice(foreign) if foreign else ""


_ALTER: dict[str, Callable[[str, str, Sequence[str], random.Random], str]] = {
    "number": _number,
    "date": _date,
    "name": _name,
    "negation": _negation,
    "elsewhere": _elsewhere,
}


# --- Put differently --------------------------------------------------------------------------


def _led_last(found: re.Match[str]) -> str:
    """What a sentence begins with, at its end."""
    lead, first, rest, stop = found.groups()
    return f"{first.upper()}{rest} {lead[0].lower()}{lead[1:]}{stop}"


_CHANGES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r" \([^()]{1,60}\)", ""),
        (r"^(?:However|Also|Additionally|Furthermore|Moreover|In addition), (\w)", lambda found: found[1].upper()),
        (r"^((?:In|On|After|During|By) [^,.]{3,40}), (\w)(.*)([.!])$", _led_last),
        (rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b", r"\2 \1, \3"),
        (rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}}), (\d{{4}})\b", r"\2 \1 \3"),
        (r"(?<=\d),(?=\d{3}\b)", ""),
        (r"\b(is|was|are|were|do|does|did|has|have|had) not\b", r"\1n't"),
        (r"\b(\w+)n't\b", r"\1 not"),
        (r"\bsuch as\b", "like"),
        (r"\bbecause\b", "since"),
        (r"\bapproximately\b", "about"),
        (r"\balso ", ""),
        (r"\bbegan\b", "started"),
        (r"\bfilm\b", "movie"),
        (r"\bmust\b", "has to"),
        (r"\blocated in\b", "in"),
        (r"\bknown as\b", "called"),
        (r"\busing\b", "with"),
        (r"\bmany\b", "a lot of"),
        (r"\bwhich\b", "that"),
        (r"\btwo\b", "2"),
        (r"\bthree\b", "3"),
        (r"\bfour\b", "4"),
        (r"\b5\b", "five"),
        (r" percent\b", "%"),
        (r"(?<=\d)%", " percent"),
    )
)


def _reworded(sentence: str, chance: random.Random) -> str:
    """The same said a little differently, as far as the rules apply, by up to three of them."""
    applying = [change for change in _CHANGES if change[0].search(sentence)]
    for pattern, new in chance.sample(applying, min(3, len(applying))):
        sentence = pattern.sub(new, sentence, count=1)
    return sentence
