"""What a version tells of itself: how much there is in it, how long reading it took, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.conf.locale import LANG_INFO
from django.db.models import Count, Q, Sum

from documents.models import Version
from documents.rag.parsing.sections import HIDDEN
from documents.rag.types import HowRead


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that is missing or was not read as it should be: what, in a few words, and the sentences to it."""

    what: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """`seconds` from when a worker took the version until it was ready; None before that."""

    passages: int
    tokens: int
    seconds: float | None
    language: str
    warnings: tuple[Caution, ...]


def facts(version: Version) -> Facts:
    counted = version.chunks.aggregate(passages=Count("pk"), tokens=Sum("tokens", default=0))
    return Facts(**counted, seconds=_seconds(version), language=_language(version), warnings=tuple(_warnings(version)))


def written_numbers(numbers: Iterable[int]) -> str:
    """`3–7, 12` for ascending numbers."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda each: each[1] - each[0])]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _seconds(version: Version) -> float | None:
    if version.status != Version.Status.READY or not version.started or not version.ready_at:
        return None
    return (version.ready_at - version.started).total_seconds()


def _language(version: Version) -> str:
    code = version.language
    return str(LANG_INFO.get(code, {}).get("name", code))


def _warnings(version: Version) -> Iterable[Caution]:
    pages = version.pages.filter(Q(how_read=HowRead.EMPTY) | ~Q(error="")).order_by("number")
    noted = list(pages.values_list("number", "how_read", "error"))
    failed = [(number, error) for number, how, error in noted if how == HowRead.FAILED]
    empty = [number for number, how, _ in noted if how == HowRead.EMPTY]
    hiding = [(number, error) for number, _, error in noted if error == HIDDEN]
    known = (HowRead.FAILED, HowRead.EMPTY)
    others = [(number, error) for number, how, error in noted if how not in known and error != HIDDEN]
    if failed:
        yield Caution(f"{_pages(len(failed))} could not be read", _sentences(failed))
    if others:
        yield Caution(f"{_pages(len(others))} may have been read in part", _sentences(others))
    if hiding:
        yield Caution(f"Text that can't be seen was left out on {_pages(len(hiding))}", _sentences(hiding))
    if empty and version.paged:
        yield Caution(f"{_pages(len(empty))} without text", (f"Pages {written_numbers(empty)}.",))
    if version.left_out:
        count = len(version.left_out)
        yield Caution(f"{count:,} file{'s' if count != 1 else ''} left out", tuple(version.left_out))


def _pages(count: int) -> str:
    return f"{count:,} page{'s' if count != 1 else ''}"


def _sentences(pages: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """Each sentence once, with the pages that it is said of."""
    by_sentence: dict[str, list[int]] = {}
    for number, sentence in pages:
        by_sentence.setdefault(sentence.replace(f"Page {number} ", "The page "), []).append(number)
    return tuple(f"{written_numbers(numbers)}: {sentence}" for sentence, numbers in by_sentence.items())
