"""The test files, and whether what a reader gives has the text that independent tools found in them.

The tools have their quirks, so that two comparisons are made. The strict one folds white space and Unicode's
compatibility forms (NFKC), and no more. The fair one compares letters, digits and their accents alone: `pdftotext` sets
letters apart and writes marks for the direction of text, and tools that only decode a file give its syntax for text —
the quotes of CSV, the escapes of Markdown, the tags of subtitles. What it can't forgive is a letter that is wrong,
missing or out of order, or on another page than expected.

By the files' own README two kinds are compared loosely. Of text from right to left, whose runs `pdftotext` puts in
another order, four in five words must be there. Text that is recognised is compared by `likeness`, as what is expected
was recognised itself, by a tool that gets letters wrong: over a file's texts, it must be four fifths on average.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from statistics import mean

ENOUGH = 0.8
"""Of its words or letters, where a text is compared loosely."""

_TAG = re.compile(r"</?[a-z][\w.]*(?=[\s>])", re.I)
"""A tag's name; what else stands in it may be text, as who speaks in subtitles."""

Texts = Mapping[int, str]
"""Page → text."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A text that is in a file; on page `page`, where the file has pages."""

    text: str
    page: int | None


@dataclass(frozen=True, slots=True)
class File:
    """One of the test files."""

    name: str
    password: str
    needs_ocr: bool
    expected: tuple[Expectation, ...]

    @property
    def folder(self) -> str:
        return self.name.split("/")[0]


def manifest(root: Path) -> Iterator[File]:
    """The files that a folder's manifest.tsv names."""
    with (root / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            expected = tuple(Expectation(each["text"], each.get("page")) for each in json.loads(row["expect"] or "[]"))
            password = json.loads(row["password"]) if row["password"] else ""
            yield File(row["file"], password, row["needs_ocr"] == "yes", expected)


def strictly(file: File, texts: Texts) -> bool:
    """Whether all that is expected is there, but for white space."""
    return _all(file, texts, lambda wanted, text: _folded(wanted) in _folded(text))


def fairly(file: File, texts: Texts) -> bool:
    """Whether all that is expected is there for a reader."""
    return _all(file, texts, _has)


def likeness(file: File, texts: Texts) -> float:
    """How like what is expected the likeliest stretches of the pages are, 0–1, on average.

    Where nothing is expected, 1 when there is a text.
    """
    if not file.expected:
        return float(any(texts.values()))
    return mean(_likeness(_letters(each.text), _letters(_where(each, texts))) for each in file.expected)


def _likeness(wanted: str, text: str) -> float:
    """By `difflib`'s ratio, over all stretches of the text that are as long."""
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    best = 0.0
    for at in range(max(len(text) - len(wanted), 0) + 1):
        matcher.set_seq1(text[at : at + len(wanted)])
        if matcher.quick_ratio() > best:
            best = max(best, matcher.ratio())
    return best


def _all(file: File, texts: Texts, has: Callable[[str, str], bool]) -> bool:
    return all(has(each.text, _where(each, texts)) for each in file.expected)


def _where(expected: Expectation, texts: Texts) -> str:
    """The text of its page, or of all."""
    return "\n".join(texts.values()) if expected.page is None else texts.get(expected.page, "")


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _has(wanted: str, text: str) -> bool:
    if any(unicodedata.bidirectional(char) in ("R", "AL") for char in wanted):
        words = list(filter(None, map(_letters, wanted.split())))
        there = _letters(text)
        return sum(word in there for word in words) >= ENOUGH * len(words)
    return _letters(_TAG.sub(" ", wanted)) in _letters(text)


def _letters(text: str) -> str:
    """Its letters, digits and accents."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char)[0] in "LMN")
