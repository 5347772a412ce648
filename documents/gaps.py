"""The chunks that have no vectors in an embedding space, and how they get them: from stored text, not from files."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from pgvector import HalfVector
from psycopg import sql

from documents import spending
from documents.rag.pipeline import in_order
from documents.rag.system import UNDER_WAY, RAGSystem
from documents.rag.types import Chunk, Vector
from documents.vector_db import Pool, Space


class Gaps:
    """What a space lacks. The chunks of evaluations, which go with these, are none of its business."""

    def __init__(self, pool: Pool, space: Space) -> None:
        self._pool = pool
        self._space = sql.Literal(space.id)

    async def count(self) -> int:
        return await self._number(_COUNT)

    async def of(self) -> int:
        """How many chunks there are that should have vectors."""
        return await self._number(_ALL)

    async def _number(self, query: sql.SQL) -> int:
        async with self._pool.connection() as connection:
            [(number,)] = await (await connection.execute(query.format(space=self._space))).fetchall()
        return int(number)

    async def close(self, system: RAGSystem, size: int) -> AsyncGenerator[int]:
        """Embed what is missing, `size` chunks at a time, several batches under way; tells of each how many it had.

        Each chunk is looked at once; those that come meanwhile may be left. What is stored is never embedded again.
        Raises what the system's embedding model does, after which all that was told of is kept.
        """

        async def fill(batch: Sequence[Chunk]) -> int:
            async with spending.kept():
                await self._store(batch, await system.embed(batch))
            return len(batch)

        async with aclosing(in_order(fill, self._batches(size), UNDER_WAY)) as filled:
            async for count in filled:
                yield count

    async def _batches(self, size: int) -> AsyncGenerator[Sequence[Chunk]]:
        """Across all documents, in the order of the chunks' ids."""
        last = 0
        while batch := await self._after(last, size):
            yield batch
            last = batch[-1].metadata["id"]

    async def _after(self, chunk: int, limit: int) -> list[Chunk]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_MISSING.format(space=self._space), [chunk, limit])).fetchall()
        return [
            Chunk(text, (), tokens, {"id": number, "title": title}, tuple(path))
            for number, text, tokens, path, title in rows
        ]

    async def _store(self, chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> None:
        """Give chunks their vectors, but for those that are gone by now, or have some."""
        rows = [
            (chunk.metadata["id"], window, HalfVector(vector))
            for chunk, windows in zip(chunks, vectors, strict=True)
            for window, vector in enumerate(windows)
        ]
        values = [[chunk.metadata["id"] for chunk in chunks], *(list(column) for column in zip(*rows, strict=True))]
        async with self._pool.connection() as connection:
            await connection.execute(_FILL.format(space=self._space), values)


_CHUNKS = """
FROM documents_chunk AS chunk
JOIN documents_version AS version ON version.id = chunk.version_id
JOIN documents_document AS document ON document.id = version.document_id
"""

_WANTED = "NOT EXISTS (SELECT FROM documents_evaluationrun WHERE index_id = library_id)"

_ALL = sql.SQL("SELECT count(*)" + _CHUNKS + "WHERE " + _WANTED)

_COUNT = sql.SQL(
    "SELECT count(*)"
    + _CHUNKS
    + "WHERE "
    + _WANTED
    + """
AND NOT EXISTS (SELECT FROM documents_embedding WHERE space_id = {space} AND chunk_id = chunk.id)
"""
)

# Chunk by chunk: the planner, to whom a new space is empty, would read all of it for each batch. The title is the one
# that `originals.metadata` tells.
_MISSING = sql.SQL(
    """
SELECT chunk.id, chunk.text, chunk.tokens, chunk.heading_path,
    CASE WHEN title_given THEN document.title ELSE coalesce(nullif(version.title, ''), name) END"""
    + _CHUNKS
    + """
LEFT JOIN LATERAL (
    SELECT chunk_id FROM documents_embedding WHERE space_id = {space} AND chunk_id = chunk.id LIMIT 1
) AS embedded ON true
WHERE embedded.chunk_id IS NULL AND chunk.id > %s AND """
    + _WANTED
    + "ORDER BY chunk.id LIMIT %s"
)

# A chunk that is being deleted is waited for; so is a document on its way into another library.
_FILL = sql.SQL("""
WITH kept AS MATERIALIZED (
    SELECT chunk.id, library_id FROM documents_chunk AS chunk
    JOIN documents_version AS version ON version.id = chunk.version_id
    JOIN documents_document AS document ON document.id = version.document_id
    WHERE chunk.id = ANY(%s::bigint[]) ORDER BY document.id, chunk.id
    FOR SHARE OF document FOR KEY SHARE OF chunk
)
INSERT INTO documents_embedding (space_id, library_id, chunk_id, "window", vector)
SELECT {space}, library_id, kept.id, fresh."window", vector
FROM unnest(%s::bigint[], %s::smallint[], %s::halfvec[]) AS fresh(chunk, "window", vector)
JOIN kept ON kept.id = fresh.chunk
ON CONFLICT DO NOTHING
""")
