"""What is kept of a version on its way into the index: each function is one short visit to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Length, Now

from documents import models
from documents.leases import Lease
from documents.models import Chunk, Document, Version
from documents.places import parsed, stored
from documents.rag.types import HowRead, Page

RANGE_CHARACTERS = 400_000
"""Of the pages that are cut together, at most. A chunk never crosses a range; a crash costs at most one."""


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many of these a version has."""
    own = rows.filter(version=OuterRef("pk")).order_by().values("version")
    return Coalesce(Subquery(own.values(number=Count("pk"))), 0)


PAGES, CHUNKS = _number_of(models.Page.objects.all()), _number_of(Chunk.objects.all())


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands: chunks that are in the index, and characters that aren't yet."""

    chunks: int
    characters: int


def take(lease: Lease, among: QuerySet[Version] | None = None) -> list[Version]:
    """The versions that the lease could be had of, with their documents."""
    taken = Version.objects.filter(pk__in=lease.take(among))
    taken.filter(started=None).update(started=Now())
    return list(taken.select_related("document__library", "document__created_by").order_by("pk"))


def write(lease: Lease, version: Version, *fields: str, pages: Sequence[Page] = ()) -> None:
    """Keep some fields of a version, and pages that were read."""
    with transaction.atomic():
        lease.write(**{field: getattr(version, field) for field in fields})
        models.Page.objects.bulk_create([stored(version.pk, page) for page in pages])


def keep_whole(lease: Lease, read: Mapping[Version, Sequence[Page]]) -> None:
    """Keep the titles of all versions of a lease, and all pages of those that had none."""
    fresh = {version: pages for version, pages in read.items() if not version.pages_read}
    with transaction.atomic():
        lease.write(status=Version.Status.EMBEDDING)
        models.Page.objects.bulk_create([stored(version.pk, page) for version in fresh for page in fresh[version]])
        Version.objects.bulk_update(fresh, ["title"])
        Version.objects.filter(pk__in=lease.version_ids).update(pages_total=PAGES, pages_read=PAGES)
    for version, pages in read.items():
        version.status = Version.Status.EMBEDDING
        version.pages_total = version.pages_read = len(pages)


def start_again(version: Version) -> list[Page]:
    """The pages of a version that is to be indexed from its beginning."""
    Chunk.objects.filter(version=version).delete()
    version.chunks_indexed = 0
    return [parsed(row, with_words=False) for row in version.pages.defer("words")]


def stand(version: Version) -> Standing:
    """Take out what a broken-off range left in the index, and see how the version stands."""
    chunks = Chunk.objects.filter(version=version)
    chunks.filter(spans__0__0__gt=version.pages_indexed).delete()
    left = version.pages.filter(number__gt=version.pages_indexed).aggregate(characters=Sum(Length("text"), default=0))
    return Standing(chunks.count(), left["characters"])


def let_be_searched(lease: Lease, version: Version) -> None:
    """Make a version the current one of a document that has none, before all of it is ready."""
    with transaction.atomic():
        lease.write()
        documents = Document.objects.filter(pk=version.document_id, current=None)
        documents.update(current=version, title=_title(Value(version.title)))
    version.document.current_id = version.pk


def complaint_of(version: Version) -> str:
    return complaint(version, list(version.pages.defer("blocks", "words")))


def complaint(version: Version, pages: Sequence[Page] | Sequence[models.Page]) -> str:
    """Why there is nothing to index; "" where there is something."""
    if any(page.text for page in pages):
        return ""
    failed = (page.error for page in pages if page.how_read == HowRead.FAILED)
    where = "none was recognised on any page" if version.paged else "nothing in it is meant to be read"
    no_text = f"{version.document.name} has no text: {where}. Upload a copy that has its text in it."
    return next(failed, no_text)


def next_range(version: Version, after: int, characters: int) -> list[Page]:
    """The pages to index after that one, of about so many characters; empty after the last one.

    A page without text ends a range, as it may get one later, which then has its place between two chunks.
    """
    pages: list[Page] = []
    found = 0
    for row in version.pages.filter(number__gt=after).defer("words").iterator(50):
        pages.append(parsed(row, with_words=False))
        found += len(row.text)
        if found >= characters or (found and not row.text):
            break
    return pages


def has_waiting_pages(version: Version) -> bool:
    """Whether pages wait for text recognition; the version stays locked, so that no other begins to."""
    Version.objects.select_for_update(of=("self",)).get(pk=version.pk)
    return waiting_pages(version).exists()


def waiting_pages(version: Version) -> QuerySet[models.Page]:
    return version.pages.filter(how_read=HowRead.WAITING).order_by("number")


def let_wait(lease: Lease, version: Version) -> bool:
    """Whether pages of a version wait for text recognition; if so, let it go, with its text in the index."""
    waiting = waiting_pages(version).count()
    if waiting:
        lease.give_back(
            status=Version.Status.RECOGNISING,
            error="",
            attempts=0,
            pages_indexed=F("pages_read"),
            chunks_indexed=CHUNKS,
            chunks_total=CHUNKS,
            pages_to_recognise=waiting,
            pages_recognised=0,
        )
        version.status, version.lease = Version.Status.RECOGNISING, None
        version.pages_to_recognise, version.pages_recognised = waiting, 0
    return bool(waiting)


def make_current(lease: Lease) -> None:
    """Make the versions of a lease those that are searched, and take the others out of the index, in one step."""
    ready = Version.objects.filter(pk__in=lease.version_ids)
    new = ready.filter(document=OuterRef("pk"))
    with transaction.atomic():
        lease.give_back(
            status=Version.Status.READY,
            error="",
            attempts=0,
            ready_at=Now(),
            pages_indexed=F("pages_read"),
            chunks_indexed=CHUNKS,
            chunks_total=CHUNKS,
        )
        documents = Document.objects.filter(pk__in=ready.values("document"))
        documents.update(current=Subquery(new.values("pk")), title=_title(Subquery(new.values("title"))))
        others = Version.objects.filter(document__in=ready.values("document")).exclude(pk__in=lease.version_ids)
        if superseded := list(others.values_list("pk", flat=True)):
            Chunk.objects.filter(version__in=superseded).delete()


def _title(of_version: Combinable) -> Case:
    """A document's title: what it was given by hand goes before that of its version."""
    return Case(When(title_given=True, then=F("title")), default=of_version)


def forget_unless_wanted(version_id: int) -> None:
    """Take out what was stored of it after a later version had become the current one."""
    of_version = Chunk.objects.filter(version=version_id)
    # One that was superseded half-way is searched until the later one is ready.
    unwanted = of_version.exclude(version__document__latest=version_id).exclude(version__document__current=version_id)
    unwanted.delete()
