"""What is kept of a version on its way into the index: each function is one short visit to the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from documents import models
from documents.leases import Lease
from documents.models import Chunk, Document, Version
from documents.places import parsed, stored
from documents.rag.types import HowRead, Page

RANGE_CHARACTERS = 400_000
"""Of the pages that are cut together. A chunk never crosses a range; a crash costs at most one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands: chunks that are in the index, and characters that aren't yet.

    `complaint` is why there is nothing to index, "" where there is something.
    """

    chunks: int
    characters: int
    complaint: str = ""


def take(lease: Lease) -> Version | None:
    """The version with its document, if the lease could be had."""
    if not lease.take():
        return None
    return Version.objects.select_related("document").get(pk=lease.version_id)


def write(lease: Lease, values: dict[str, Any], pages: Sequence[Page] = ()) -> None:
    """Keep some fields of the version, and pages that were read."""
    with transaction.atomic():
        lease.write(**values)
        if pages:
            models.Page.objects.bulk_create([stored(lease.version_id, page) for page in pages])


def stand(version: Version) -> Standing:
    """Take out what a broken-off range left in the index, and see how the version stands."""
    chunks = Chunk.objects.filter(version=version)
    chunks.filter(spans__0__0__gt=version.pages_indexed).delete()
    pages = list(version.pages.defer("words", "blocks"))
    return Standing(
        chunks=chunks.count(),
        characters=sum(len(page.text) for page in pages if page.number > version.pages_indexed),
        complaint=complaint(version, pages),
    )


def complaint(version: Version, pages: Sequence[Page] | Sequence[models.Page]) -> str:
    """Why there is nothing to index; "" where there is something."""
    if any(page.text for page in pages):
        return ""
    failed = (page.error for page in pages if page.how_read == HowRead.FAILED)
    no_text = (
        f"{version.document.name} has no text: each page is empty or a picture, as in a scan. "
        "Upload a copy that has its text in it."
    )
    return next(failed, no_text)


def next_range(version: Version) -> list[Page]:
    """The next pages to index; empty after the last one."""
    pages: list[Page] = []
    characters = 0
    for row in version.pages.filter(number__gt=version.pages_indexed).defer("words").iterator(50):
        pages.append(parsed(row, with_words=False))
        characters += len(row.text)
        if characters >= RANGE_CHARACTERS:
            break
    return pages


def make_current(lease: Lease, version: Version, values: dict[str, Any]) -> None:
    """Make it the version that is searched, and take the others out of the index, in one step."""
    with transaction.atomic():
        lease.give_back(**values, status=Version.Status.READY, error="", attempts=0, ready_at=Now())
        document = version.document
        Document.objects.filter(pk=document.pk).update(current=version, title=version.title)
        if others := list(document.versions.exclude(pk=version.pk).values_list("pk", flat=True)):
            Chunk.objects.filter(version__in=others).delete()


def forget_unless_wanted(version_id: int) -> None:
    """Take out what was stored of it after a later version had become the current one."""
    Chunk.objects.filter(version=version_id).exclude(version__document__latest=version_id).delete()
