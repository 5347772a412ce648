"""The words of footnotes, looked for in newer versions of their documents."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet
from django.utils import timezone

from chat.models import Citation
from documents.models import Page
from documents.places import wording

_TELLING = 30
"""Characters from which words are hardly anywhere else by chance; shorter ones are looked for with their whole line."""


def uncompared(citations: QuerySet[Citation]) -> QuerySet[Citation]:
    """Those whose words are still to be looked for in the newest version of their document, as it was read last."""
    newer = citations.filter(document__deleted_at=None, erased_at=None).exclude(document__current=None)
    return newer.exclude(document__current=F("version")).exclude(compared__gt=F("document__current__ready_at"))


def compare(citations: Sequence[Citation]) -> None:
    """Look for what these footnotes quote in the newest versions of their documents, once each time these are read."""
    stored = Citation.objects.filter(pk__in={citation.pk for citation in citations if citation.pk})
    now, newest = timezone.now(), dict(uncompared(stored).values_list("pk", "document__current"))
    due = [citation for citation in citations if citation.pk in newest]
    for citation in due:
        citation.compared, citation.still = now, []
    lines = _lines(due)
    sought: dict[int, list[_Sought]] = defaultdict(list)
    for citation in due:
        if citation.quote.strip():
            sought[newest[citation.pk]].append(_sought(citation, *lines.get(citation.pk, ("", ""))))
    for version, number, text in _pages(sought):
        for each in sought[version]:
            each.look(number, text)
    Citation.objects.bulk_update(due, ["compared", "still"])


@dataclass(frozen=True, slots=True)
class _Sought:
    """A footnote, the longest of its words, and all of them as a pattern."""

    citation: Citation
    longest: str
    pattern: re.Pattern[str]

    def look(self, number: int, text: str) -> None:
        """Keep where the words stand on this page, if it is nearer to their own than where else they stand."""
        nearer = not self.citation.still or self._distance(number) < self._distance(self.citation.still[0])
        if nearer and self.longest in text and (found := self.pattern.search(text)):
            self.citation.still = [number, *found.span(1)]

    def _distance(self, number: int) -> int:
        return abs(number - self.citation.page)


def _sought(citation: Citation, before: str, after: str) -> _Sought:
    """The words in whatever white space, as a group, with what has to stand before and after them."""
    line = r"\s*".join(filter(None, (wording(before), f"({wording(citation.quote)})", wording(after))))
    return _Sought(citation, max(citation.quote.split(), key=len), re.compile(rf"(?<!\w){line}(?!\w)"))


def _pages(versions: Iterable[int]) -> Iterator[tuple[int, int, str]]:
    pages = Page.objects.filter(version__in=versions).order_by("version", "number")
    return pages.values_list("version", "number", "text").iterator(chunk_size=100)


def _lines(due: Sequence[Citation]) -> dict[int, tuple[str, str]]:
    """What stands before and after short quotations on their lines."""
    short = [citation for citation in due if len(citation.quote) < _TELLING]
    versions, numbers = {each.version_id for each in short if each.version_id}, {each.page for each in short}
    pages = Page.objects.filter(version__in=versions, number__in=numbers).values_list("version", "number", "text")
    texts: dict[tuple[int | None, int], str] = {(version, number): text for version, number, text in pages}
    return {each.pk: _around(each, texts.get((each.version_id, each.page), "")) for each in short}


def _around(citation: Citation, text: str) -> tuple[str, str]:
    """Empty where its page has been read anew, with other characters."""
    if text[citation.start : citation.end] != citation.quote:
        return "", ""
    return text[: citation.start].rpartition("\n")[2], text[citation.end :].partition("\n")[0]
