"""What was removed from a library: kept for a while, in which it can come back."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from documents import leases
from documents.models import Document, Library
from documents.queueing import queue
from documents.rag.errors import PermanentError

KEPT = timedelta(days=30)
"""How long what was removed can be restored."""


class NotRestored(PermanentError):
    """This document can't be restored."""


def restore(document: Document) -> None:
    """Let a removed document be found again, with what it held when it went. Raises NotRestored.

    Its text is in the index still; only where its reading had been broken off does that go on.
    """
    back = Document.objects.within(document).filter(deleted_at=document.deleted_at)
    ids = [document.pk, *back.values_list("pk", flat=True)]
    try:
        with transaction.atomic():
            Document.objects.filter(pk__in=ids).update(deleted_at=None)
            queue(leases.free().filter(document__in=ids))
    except IntegrityError as error:
        raise NotRestored(
            f"{document.name} can't be restored: another document has been made of the same file. Remove that first."
        ) from error


def remove_library(library: Library) -> None:
    """Let nobody see the library from now on, nor find what is in it."""
    with transaction.atomic():
        Library.objects.filter(pk=library.pk, deleted_at=None).update(deleted_at=timezone.now())
        leases.take_away(library)


def restore_library(library: Library) -> None:
    """Let its members see the library again, as it was."""
    with transaction.atomic():
        Library.objects.filter(pk=library.pk).update(deleted_at=None)
        queue(leases.free().filter(document__library=library))
