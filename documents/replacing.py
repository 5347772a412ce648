"""One page of a version in the place of what is there of it, while all others stay: its row, its chunks, the counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as changed

from psycopg.types.json import Jsonb

from documents import wiring
from documents.leases import Lease, LeaseLost
from documents.models import Chunk, Version
from documents.originals import metadata
from documents.places import parsed, stored
from documents.rag import types
from documents.rag.chunking import chunk_document
from documents.rag.types import Page, Span
from documents.threads import in_thread
from documents.vector_db import Connection


async def replace(lease: Lease, version: Version, page: Page) -> None:
    """Put a page in the place of the one of its number, in one transaction; what is searched never lacks the others.

    Only chunks that hold text of that page are made anew. The version's counts go along. Raises LeaseLost, and what is
    wrong with the embedding model.
    """
    seam = await in_thread(_seam, version, page)
    chunks = await asyncio.to_thread(seam.cut, version)
    libraries = [version.document.library_id]
    vectors = await (await wiring.current().system(libraries)).embed(chunks)
    growth = len(chunks) - len(seam.positions)

    async def keep(connection: Connection) -> None:
        held = await connection.execute(_COUNT, [growth, growth, version.pk, lease.key])
        if not held.rowcount:
            raise LeaseLost
        await connection.execute(_KEEP, _values(version, page))

    database = await wiring.current().database(libraries)
    await database.replace(version.pk, seam.positions, chunks, vectors, along=keep)
    version.pages_recognised += 1
    version.chunks_indexed += growth


@dataclass(frozen=True, slots=True)
class _Seam:
    """Where a page's chunks stand in its version, and what is to be cut in their place.

    `pages` are the new page, and before and after it the parts of others that share a chunk with the old one; the first
    of these begins at character `start` of its page.
    """

    positions: range
    pages: list[Page]
    start: int = 0

    def cut(self, version: Version) -> list[types.Chunk]:
        chunks = chunk_document(self.pages, metadata=metadata(version) | {"chunk_id": self.positions.start})
        return [changed(chunk, spans=tuple(map(self._placed, chunk.spans))) for chunk in chunks]

    def _placed(self, span: Span) -> Span:
        """A span as it stands on the whole page."""
        shift = self.start if span.page == self.pages[0].number else 0
        return Span(span.page, span.start + shift, span.end + shift)


def _seam(version: Version, page: Page) -> _Seam:
    ours = Chunk.objects.filter(version=version).order_by("position")
    before = ours.filter(spans__0__0__lt=page.number)
    touching = list(ours.filter(**{"spans__0__0__lte": page.number, "spans__-1__0__gte": page.number}))
    if not touching:
        return _Seam(range(before.count(), before.count()), [page])
    positions = range(touching[0].position, touching[-1].position + 1)
    first, start, _ = touching[0].spans[0]
    last, _, end = touching[-1].spans[-1]
    rows = version.pages.filter(number__range=(first, last)).defer("words")
    pages = [parsed(row, with_words=False) for row in rows]
    cut = [page if each.number == page.number else _part(each, first, start, last, end) for each in pages]
    return _Seam(positions, cut, start if first < page.number else 0)


def _part(page: Page, first: int, start: int, last: int, end: int) -> Page:
    """What of a page lies between character `start` of page `first` and `end` of page `last`."""
    start = start if page.number == first else 0
    end = end if page.number == last else len(page.text)
    blocks = (
        changed(block, start=max(block.start, start) - start, end=min(block.end, end) - start)
        for block in page.blocks
        if block.start < end and start < block.end
    )
    return changed(page, text=page.text[start:end], blocks=tuple(blocks))


def _values(version: Version, page: Page) -> Sequence[object]:
    row = stored(version.pk, page)
    values = (row.text, Jsonb(row.blocks), row.words, row.width, row.height, row.how_read, row.error)
    return [*values, row.version_id, row.number]


_COUNT = """
UPDATE documents_version SET pages_recognised = pages_recognised + 1, attempts = 0, error = '',
    chunks_indexed = chunks_indexed + %s, chunks_total = chunks_total + %s
WHERE id = %s AND lease = %s
"""

_KEEP = """
UPDATE documents_page
SET text = %s, blocks = %s, words = %s, width = %s, height = %s, how_read = %s, error = %s
WHERE version_id = %s AND number = %s
"""
