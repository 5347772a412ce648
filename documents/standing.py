"""How far the documents of a library are, all together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, Q

from documents.models import Document, Library, Version
from documents.models.document import DocumentQuerySet

_ENDED = (Version.Status.READY, Version.Status.FAILED)


class Show(StrEnum):
    """Which documents of a library are shown."""

    ALL = "all"
    UNFINISHED = "unfinished"
    FAILED = "failed"

    def of(self, documents: DocumentQuerySet) -> DocumentQuerySet:
        match self:
            case Show.UNFINISHED:
                return documents.exclude(latest__status__in=_ENDED)
            case Show.FAILED:
                return documents.filter(latest__status=Version.Status.FAILED)
        return documents


@dataclass(frozen=True, slots=True)
class Standing:
    """How many documents a library has, how many of them are ready or failed, and how many wait for a password."""

    total: int
    ready: int
    failed: int
    locked: int

    @property
    def unfinished(self) -> int:
        return self.total - self.ready - self.failed


def standing(library: Library) -> Standing:
    documents = Document.objects.filter(library=library, deleted_at=None)
    return Standing(
        **documents.aggregate(
            total=Count("pk"),
            ready=Count("pk", filter=Q(latest__status=Version.Status.READY)),
            failed=Count("pk", filter=Q(latest__status=Version.Status.FAILED)),
            locked=Count("pk", filter=Q(latest__needs_password=True)),
        )
    )
