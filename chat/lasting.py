"""What has become of a footnote's source since its answer: for a given reader, as things are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser
from django.utils.formats import date_format
from django.utils.timezone import localtime

from chat.models import Citation
from chat.newer import compare
from documents.models import Document, Library, Page, User
from documents.rag.types import HowRead

_REMOVED = "This document was removed since this answer. What was quoted of it is kept."
_MOVED = "This document was moved since this answer, to where you can’t read it. What was quoted of it is kept."
_CHANGED = "This document has changed since this answer: its newest version doesn’t say this."
_PERHAPS_CHANGED = f"{_CHANGED[:-1]} on the pages that could be read of it."


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
    cited = {citation.document_id for citation in citations if citation.document_id}
    readable = Document.objects.readable_by(user).select_related("current", "library").in_bulk(cited)
    gone = Document.objects.filter(pk__in=cited - readable.keys()).exclude(deleted_at=None)
    current = [document.current_id for document in readable.values() if document.current_id]
    sight = _Sight(
        libraries=set(Library.objects.readable_by(user).values_list("pk", flat=True)),
        documents=readable,
        removed=set(gone.values_list("pk", flat=True)),
        unread=set(Page.objects.filter(version__in=current, how_read=HowRead.FAILED).values_list("version", flat=True)),
    )
    return [sight.standing(citation) for citation in citations]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a reader may see; which of the other documents are removed, and which versions could be read in part."""

    libraries: Set[int]
    documents: Mapping[int, Document]
    removed: Set[int]
    unread: Set[int]

    def standing(self, citation: Citation) -> Standing:
        if citation.erased_at:
            return Standing(State.ERASED, f"Removed on {date_format(localtime(citation.erased_at), 'j M Y')}.")
        if citation.library_id not in self.libraries:
            return Standing(State.CLOSED, "A source you can’t open.")
        if citation.document_id is None or citation.document_id in self.removed:
            return Standing(State.REMOVED, _REMOVED)
        if citation.document_id not in self.documents:
            return Standing(State.MOVED, _MOVED)
        return self._in_newest_version(citation, self.documents[citation.document_id])

    def _in_newest_version(self, citation: Citation, document: Document) -> Standing:
        version = document.current
        if version is None or version.pk == citation.version_id or not citation.pk:
            return Standing(State.SAME, document=document)
        if not citation.still:
            sentence = _PERHAPS_CHANGED if version.pk in self.unread else _CHANGED
            return Standing(State.CHANGED, sentence, document)
        version.document = document
        page, start, end = citation.still
        where = f", on page {page}" if version.paged else ""
        sentence = f"This document has a newer version since this answer. It still says this{where}."
        return Standing(State.STILL, sentence, document, page, version.place(page, start, end))
