"""What has become of a footnote's source since its answer: for a given reader, as things are now."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime

from chat.models import Citation
from documents.models import Document, Library, Page, User
from documents.places import wording

_TELLING = 30
"""Characters from which words are hardly anywhere else by chance; shorter ones are looked for with their whole line."""

_MOVED = "This document was moved since this answer, to where you can’t read it. What was quoted of it is kept."


class State(StrEnum):
    CLOSED = "closed"
    ERASED = "erased"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"
    STILL = "still"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands, and in a sentence what of that its reader should know; `document` where it may be read now.

    `page` is the page of its newest version where that still says it, and `address` where.
    """

    state: State
    sentence: str = ""
    document: Document | None = None
    page: int | None = None
    address: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the reader may see what was quoted."""
        return self.state not in (State.CLOSED, State.ERASED)


def standings(citations: Sequence[Citation], user: User | AnonymousUser) -> list[Standing]:
    """How each stands for this reader, in a few visits to the database whatever their number."""
    compare(citations)
    libraries = set(Library.objects.readable_by(user).values_list("pk", flat=True))
    documents = Document.objects.readable_by(user).select_related("current", "library")
    cited = {citation.document_id for citation in citations if citation.document_id}
    readable = documents.in_bulk(cited)
    removed = _removed(cited - readable.keys())
    return [_standing(citation, libraries, readable, removed) for citation in citations]


def _removed(documents: Iterable[int]) -> set[int]:
    """Those of the documents that are gone for everybody."""
    return set(Document.objects.filter(pk__in=documents).exclude(deleted_at=None).values_list("pk", flat=True))


def _standing(citation: Citation, libraries: set[int], readable: Mapping[int, Document], removed: set[int]) -> Standing:
    if citation.erased_at:
        return Standing(State.ERASED, f"Removed on {date_format(localtime(citation.erased_at), 'j M Y')}.")
    if citation.library_id not in libraries:
        return Standing(State.CLOSED, "A source you can’t open.")
    if citation.document_id is None or citation.document_id in removed:
        return Standing(State.REMOVED, "This document was removed since this answer. What was quoted of it is kept.")
    if citation.document_id not in readable:
        return Standing(State.MOVED, _MOVED)
    return _in_newest_version(citation, readable[citation.document_id])


def _in_newest_version(citation: Citation, document: Document) -> Standing:
    version = document.current
    if version is None or version.pk == citation.version_id or not citation.pk:
        return Standing(State.SAME, document=document)
    if version.pk != citation.compared or not citation.still:
        sentence = "This document has changed since this answer: its newest version doesn’t say this."
        return Standing(State.CHANGED, sentence, document)
    version.document = document
    page, start, end = citation.still
    where = f", on page {page}" if version.paged else ""
    sentence = f"This document has a newer version since this answer. It still says this{where}."
    return Standing(State.STILL, sentence, document, page, version.place(page, start, end))


# --- Newer versions ---------------------------------------------------------------------------


def uncompared(citations: QuerySet[Citation]) -> QuerySet[Citation]:
    """Those whose words are still to be looked for in the current version of their document."""
    newer = citations.filter(document__deleted_at=None, erased_at=None).exclude(document__current=None)
    return newer.exclude(document__current=F("version")).exclude(compared=F("document__current"))


def compare(citations: Sequence[Citation]) -> None:
    """Look for what these footnotes quote in the newest versions of their documents, once in each."""
    stored = Citation.objects.filter(pk__in={citation.pk for citation in citations if citation.pk})
    newest = dict(uncompared(stored).values_list("pk", "document__current"))
    due = [citation for citation in citations if citation.pk in newest]
    for citation in due:
        citation.compared, citation.still = newest[citation.pk], []
    sought = _sought(due)
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


def _sought(due: Sequence[Citation]) -> dict[int, list[_Sought]]:
    """By version, what is to be looked for there."""
    lines = _lines(due)
    sought = defaultdict(list)
    for citation in due:
        if citation.compared and (words := citation.quote.split()):
            pattern = _pattern(citation.quote, *lines.get(citation.pk, ("", "")))
            sought[citation.compared].append(_Sought(citation, max(words, key=len), pattern))
    return sought


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


def _pattern(quote: str, before: str, after: str) -> re.Pattern[str]:
    """The quotation as a group, in whatever white space, with what has to stand before and after it."""
    line = r"\s*".join(filter(None, (wording(before), f"({wording(quote)})", wording(after))))
    return re.compile(rf"(?<!\w){line}(?!\w)")
