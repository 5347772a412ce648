"""What has become of a footnote's source since its answer: for a given reader, as things are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.utils.formats import date_format
from django.utils.timezone import localtime

from chat.models import Citation
from chat.newer import compare
from documents.models import Document, Library, User

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
    if not citation.still:
        sentence = "This document has changed since this answer: its newest version doesn’t say this."
        return Standing(State.CHANGED, sentence, document)
    version.document = document
    page, start, end = citation.still
    where = f", on page {page}" if version.paged else ""
    sentence = f"This document has a newer version since this answer. It still says this{where}."
    return Standing(State.STILL, sentence, document, page, version.place(page, start, end))
