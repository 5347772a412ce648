"""Documents that are nearly the same as another."""

from __future__ import annotations

from collections import defaultdict
from math import ceil

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Count

from documents.models import Document, Library, User, Version
from documents.rag.duplicates import are_near

LOOKED_AT = 32
"""Chunks of a document, spread over it: reading more of a long one tells little more."""

HALF = 0.5
"""What two documents must have in common, of the longer one, to be nearly the same."""

# Each chunk's candidates, by the index of the signatures; copies of a form may be many.
_CANDIDATES = """
SELECT mine.id, mine.signature, other.version_id, other.signature
FROM documents_chunk AS mine CROSS JOIN LATERAL (
    SELECT chunk.version_id, chunk.signature FROM documents_chunk AS chunk
    JOIN documents_document AS document ON document.current_id = chunk.version_id AND document.deleted_at IS NULL
    WHERE chunk.signature && mine.signature AND document.id <> %s AND document.library_id = ANY(%s)
    LIMIT 100
) AS other
WHERE mine.version_id = %s AND mine.position %% %s = 0
"""


def nearly_the_same(version: Version, user: User | AnonymousUser) -> list[Document]:
    """The documents that the user may read of which at least half is as in this version, nearest first."""
    chunks = version.chunks.count()
    step = max(ceil(chunks / LOOKED_AT), 1)
    shared = _shared(version, user, step)
    found = Version.objects.filter(pk__in=shared).select_related("document__library").annotate(length=Count("chunks"))
    shares = {each.document: step * shared[each.pk] / max(chunks, each.length) for each in found}
    return sorted((each for each in shares if shares[each] >= HALF), key=lambda each: -shares[each])


def _shared(version: Version, user: User | AnonymousUser, step: int) -> dict[int, int]:
    """Version → of how many of those chunks it has a near-duplicate."""
    libraries = list(Library.objects.readable_by(user).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, [version.document_id, libraries, version.pk, step])
        rows = cursor.fetchall()
    near: defaultdict[int, set[int]] = defaultdict(set)
    for chunk, signature, other, others in rows:
        if are_near(signature, others):
            near[other].add(chunk)
    return {other: len(chunks) for other, chunks in near.items()}
