"""What is nearly the same as another document, or as a passage of one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Count

from documents.models import Chunk, Document, Library, Page, User, Version
from documents.places import wording
from documents.rag.duplicates import are_near

LOOKED_AT = 32
"""Chunks of a document, spread over it: reading more of a long one tells little more."""

HALF = 0.5
"""What two documents must have in common, of the longer one, to be nearly the same."""

# Each chunk's candidates, by the index of the signatures; copies of a form may be many.
_CANDIDATES = """
SELECT mine.id, mine.signature, other.id, other.version_id, other.signature
FROM documents_chunk AS mine CROSS JOIN LATERAL (
    SELECT chunk.id, chunk.version_id, chunk.signature FROM documents_chunk AS chunk
    JOIN documents_document AS document ON document.current_id = chunk.version_id AND document.deleted_at IS NULL
    WHERE chunk.signature && mine.signature AND document.id <> %s AND document.library_id = ANY(%s)
    LIMIT 100
) AS other
WHERE mine.id = ANY(%s)
"""

_CHUNKS_AT = """
SELECT chunk.id FROM documents_chunk AS chunk CROSS JOIN jsonb_array_elements(chunk.spans) AS span
WHERE chunk.version_id = %s AND (span->0)::int = %s AND (span->1)::int < %s AND (span->2)::int > %s
"""


@dataclass(frozen=True, slots=True)
class Near:
    """A chunk, and one of another document, of a version, of which it is a near-duplicate."""

    chunk: int
    other: int
    version: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a quotation stands in another document, word for word, or else the passage that is nearly the same."""

    document: Document
    page: Page
    start: int
    end: int
    literal: bool

    @property
    def address(self) -> str:
        return self.page.version.place(self.page.number, self.start, self.end)


def nearly_the_same(version: Version, user: User | AnonymousUser) -> list[Document]:
    """The documents that the user may read of which at least half is as in this version, nearest first."""
    chunks = list(version.chunks.order_by("position").values_list("pk", flat=True))
    step = max(ceil(len(chunks) / LOOKED_AT), 1)
    shared: defaultdict[int, set[int]] = defaultdict(set)
    for near in _near(chunks[::step], version, user):
        shared[near.version].add(near.chunk)
    found = Version.objects.filter(pk__in=shared).select_related("document__library").annotate(length=Count("chunks"))
    shares = {each.document: step * len(shared[each.pk]) / max(len(chunks), each.length) for each in found}
    return sorted((each for each in shares if shares[each] >= HALF), key=lambda each: -shares[each])


def copies(page: Page, start: int, end: int, user: User | AnonymousUser) -> list[Copy]:
    """Where else these characters of a page stand, one place a document, of the documents that the user may read."""
    with connection.cursor() as cursor:
        cursor.execute(_CHUNKS_AT, [page.version_id, page.number, end, start])
        chunks = [chunk for (chunk,) in cursor.fetchall()]
    found = Chunk.objects.filter(pk__in=[near.other for near in _near(chunks, page.version, user)])
    others = list(found.select_related("version__document__library").order_by("version", "pk"))
    pages = _pages_of(others)
    places = [_place(other, pages, page.text[start:end]) for other in others]
    best = {place.document: place for place in sorted(places, key=lambda place: place.literal)}
    return sorted(best.values(), key=lambda place: (not place.literal, str(place.document)))


def _pages_of(chunks: Sequence[Chunk]) -> dict[tuple[int, int], Page]:
    """The pages that these chunks stand on, by version and number: all at once, as a form may have many copies."""
    numbers = {number for chunk in chunks for number, _, _ in chunk.spans}
    pages = Page.objects.filter(version__in={chunk.version_id for chunk in chunks}, number__in=numbers)
    return {(page.version_id, page.number): page for page in pages.select_related("version")}


def _place(chunk: Chunk, pages: Mapping[tuple[int, int], Page], quote: str) -> Copy:
    words = re.compile(wording(quote))
    document = chunk.version.document
    for number, start, _ in chunk.spans:
        page = pages[chunk.version_id, number]
        if found := words.search(page.text, start):
            return Copy(document, page, *found.span(), literal=True)
    number, start, end = chunk.spans[0]
    return Copy(document, pages[chunk.version_id, number], start, end, literal=False)


def _near(chunks: Sequence[int], version: Version, user: User | AnonymousUser) -> Iterator[Near]:
    """The near-duplicates of these chunks of a version, in other documents that the user may read."""
    libraries = list(Library.objects.readable_by(user).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, [version.document_id, libraries, list(chunks)])
        rows = cursor.fetchall()
    for chunk, signature, other, other_version, others in rows:
        if are_near(signature, others):
            yield Near(chunk, other, other_version)
