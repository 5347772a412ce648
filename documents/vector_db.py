"""Chunks with their vectors and words in Postgres, for the libraries that a user may read.

Every query names those libraries, and finds only current versions of documents that aren't deleted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import groupby
from math import ceil
from typing import LiteralString

import numpy as np
from pgvector import HalfVector
from pgvector.psycopg import register_vector_async
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from documents import statements
from documents.blocks import add_block, merge
from documents.bm25 import Asked
from documents.mentions import name
from documents.narrowing import Scope, array_literal, find_scope
from documents.rag.duplicates import signature
from documents.rag.entities import mentions
from documents.rag.errors import BadVector, TransientError
from documents.rag.language import language, languages
from documents.rag.lexical import BM25, BY_DEFAULT, OTHER_LANGUAGE, Postings, indexed_terms, pack
from documents.rag.terms import telling_terms
from documents.rag.types import Chunk, Hit, Mention, Narrowing, Passage, Role, Span, Vector

__all__ = ["PgVectorDB", "Space", "SpaceRetired", "configure", "create_space", "live_space", "merge", "remove"]

Connection = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

LOOKED_AT = 5_000
"""Chunks whose names are counted at least, where there are so many."""

EXACT = 20_000
"""Chunks up to which all their vectors are compared: faster than the index, and nothing is missed."""

MOST_DIMENSIONS = 4_000
"""That an HNSW index holds of a `halfvec`."""


class SpaceRetired(TransientError):
    """Another embedding model has taken over in the meantime."""


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors of one embedding model; those of different spaces can't be compared."""

    id: int
    model: str
    dimensions: int
    full_dimensions: int | None = None
    """How many the model's own vectors have, where these are shorter."""
    query_prefix: str = ""
    passage_prefix: str = ""


async def configure(connection: Connection) -> None:
    """Make a pool's new connection fit for `PgVectorDB`."""
    await connection.set_autocommit(True)
    # A prepared plan doesn't know which libraries are asked for, and takes an index that then finds too few rows.
    connection.prepare_threshold = None
    await connection.execute(statements.SETTINGS)
    await register_vector_async(connection)


async def live_space(pool: Pool) -> Space | None:
    """The space that questions are asked of; None before there is one."""
    async with pool.connection() as connection:
        rows = await _rows(connection, statements.LIVE_SPACE)
    return Space(*rows[0]) if rows else None


async def create_space(pool: Pool, model: str, dimensions: int, state: str) -> Space:
    """A new, empty space, and its index. Raises UniqueViolation where it would be a second live one."""
    return await add_space(pool, Space(0, model, dimensions), state)


async def add_space(pool: Pool, draft: Space, state: str) -> Space:
    """`create_space`, of a space that has all but its id."""
    async with pool.connection() as connection, connection.transaction():
        [(number,)] = await _rows(connection, statements.ADD_SPACE, [state, *astuple(draft)[1:]])
        space = replace(draft, id=number)
        await connection.execute(index_statement(space))
    return space


def index_statement(space: Space, *, concurrently: bool = False) -> sql.Composed:
    """What makes the space's index; who stores something meanwhile is held up, unless it is done `concurrently`."""
    return statements.INDEX_SPACE.format(
        concurrently=sql.SQL("CONCURRENTLY" if concurrently else ""),
        index=sql.Identifier(index_name(space)),
        space=sql.Literal(space.id),
        dimensions=sql.Literal(space.dimensions),
    )


def index_name(space: Space) -> str:
    return f"embeddings_of_space_{space.id}"


async def remove(connection: Connection, versions: Sequence[int]) -> None:
    """Take versions out of the index, with all that was made of their chunks; many at once are far quicker."""
    await connection.execute("DELETE FROM documents_chunk WHERE version_id = ANY(%s::bigint[])", [list(versions)])


class PgVectorDB:
    """The vector database of documents.rag.types, in one embedding space."""

    def __init__(
        self,
        pool: Pool,
        libraries: Sequence[int],
        space: Space,
        narrowings: tuple[Narrowing, ...] = (),
        *,
        bm25: BM25 = BY_DEFAULT,
    ) -> None:
        self._pool = pool
        self._libraries = list(libraries)
        self._space = space
        self._narrowings = narrowings
        self._bm25 = bm25
        self._scope: Scope | None = None if narrowings else Scope(self._libraries)
        self._finding_scope = asyncio.Lock()

    def narrowed(self, narrowing: Narrowing) -> PgVectorDB:
        """The same chunks but for those that `narrowing` leaves out.

        What it leaves is looked up once. Narrowed to some libraries it is as one that was made for these; other
        narrowings leave BM25's scores as they are.
        """
        narrowings = (*self._narrowings, narrowing)
        return PgVectorDB(self._pool, self._libraries, self._space, narrowings, bm25=self._bm25)

    async def known(self, hashes: Collection[bytes]) -> dict[bytes, Vector]:
        """The vectors, (windows, dimensions), of those of these hashes that some chunk has already, whoever's it is.

        A vector tells nothing that isn't in its text, which the asker has.
        """
        query = statements.KNOWN.format(space=sql.Literal(self._space.id))
        async with self._pool.connection() as connection:
            rows = await _rows(connection, query, [list(hashes)])
        return {
            digest: np.stack([vector.to_numpy() for vector in vectors]).astype(np.float32) for digest, vectors in rows
        }

    async def add(self, chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> None:
        """Store chunks in one transaction, in place of what their versions have at these positions.

        Their metadata names `version`, `library` and `chunk_id`. Raises BadVector, PermissionError for a library that
        this database was not made for, and SpaceRetired.
        """
        self._check(chunks, vectors)
        if not chunks:
            return
        packed = await self._packed(chunks, vectors)
        rows = [row for members, _ in packed for row in members]
        async with self._pool.connection() as connection, connection.transaction():
            await self._keep_serving(connection)
            await connection.execute(
                statements.REPLACE, [[row.version for row in rows], [row.position for row in rows]]
            )
            await self._store(connection, packed)

    async def replace(
        self,
        version: int,
        positions: range,
        chunks: Sequence[Chunk],
        vectors: Sequence[Vector],
        *,
        along: Callable[[Connection], Awaitable[None]],
    ) -> None:
        """Put chunks in the place of those at some positions of a version; the ones after them follow on.

        What `along` does is done in the same transaction. Raises as `add` does.
        """
        self._check(chunks, vectors)
        packed = await self._packed(chunks, vectors) if chunks else []
        async with self._pool.connection() as connection, connection.transaction():
            await self._keep_serving(connection)
            await along(connection)
            await connection.execute(statements.CUT_OUT, [version, positions.start, positions.stop])
            if moved := len(chunks) - len(positions):
                await connection.execute(statements.MOVE_ON, [moved, version, positions.stop])
            await self._store(connection, packed)

    async def dense(self, vector: Vector, limit: int) -> list[Hit]:
        """The nearest chunks by cosine similarity (best window counts), best first."""
        scope = await self._found_scope()
        if scope.empty:
            return []
        wanted = limit + limit // 4
        async with self._pool.connection() as connection:
            exact = scope.chunks is not None or await self._admitted(connection, scope) <= EXACT
            while True:
                rows = await self._nearest(connection, scope, vector, wanted, exact=exact)
                hits = _best_windows(rows)
                if len(hits) >= limit or len(rows) < wanted:
                    return hits[:limit]
                # A chunk's other windows and versions that don't count have crowded out what does.
                wanted *= min(max(2, ceil(1.25 * limit / max(len(hits), 1))), 8)

    async def lexical(self, text: str, limit: int) -> list[Hit]:
        """The best chunks by BM25, best first."""
        scope, spoken = await self._found_scope(), languages(text)
        question = telling_terms(text, spoken)
        if scope.empty or not question:
            return []
        wanted = 2 * limit
        async with self._pool.connection() as connection:
            asked = await Asked.of(connection, scope.libraries, question)
            while True:
                ranked = await asked.best(wanted, self._bm25, among=scope.chunks)
                hits = _kept(ranked, await _meeting(connection, statements.CURRENT, scope, ranked), spoken[:1])
                if len(hits) >= limit or len(ranked) < wanted:
                    return hits[:limit]
                wanted *= 4

    async def whole(self, tokens: int) -> list[Passage] | None:
        """All chunks there are, a document's one after the other; None where they have more tokens together."""
        scope = await self._found_scope()
        if scope.empty:
            return []
        condition, values = _of_chunks(scope)
        values["tokens"] = tokens
        async with self._pool.connection() as connection:
            [(there,)] = await _rows(connection, statements.TOKENS.format(condition=condition), values)
            if there > tokens:
                return None
            rows = await _rows(connection, statements.WHOLE.format(condition=condition), values)
        return [_passage(row, 0.0) for row in rows]

    async def mentions_in(self, chunks: Sequence[int]) -> list[Mention]:
        """What these chunks name."""
        async with self._pool.connection() as connection:
            rows = await _rows(connection, statements.MENTIONS_IN, [self._libraries, list(chunks)])
        return [_mention(row) for row in rows]

    async def mentions_of(self, keys: Collection[str], limit: int) -> list[Mention]:
        """Where what is known by these keys is named, up to `limit` times each: as title, as heading, then in texts."""
        scope = await self._found_scope()
        if scope.empty or not keys:
            return []
        condition, values = _of_chunks(scope)
        async with self._pool.connection() as connection:
            rows = await _rows(
                connection,
                statements.MENTIONS_OF.format(condition=condition),
                {**values, "keys": sorted(keys), "roles": sorted(Role, reverse=True), "limit": limit},
            )
        return [_mention(row) for row in rows]

    async def commonest(self, names: int) -> list[Mention]:
        """Where the commonest things are named, so many of them, each in two places at least.

        Of very many chunks each so-and-so-manieth is looked at: LOOKED_AT of them, or up to twice as many.
        """
        scope = await self._found_scope()
        if scope.empty:
            return []
        condition, values = _of_chunks(scope)
        async with self._pool.connection() as connection:
            among = len(scope.chunks) if scope.chunks is not None else await self._admitted(connection, scope)
            values |= {"limit": names, "every": max(among // LOOKED_AT, 1)}
            rows = await _rows(connection, statements.COMMONEST.format(condition=condition), values)
        return [_mention(row) for row in rows]

    async def passages(self, hits: Sequence[Hit]) -> list[Passage]:
        """The hits as passages, in the same order; chunks deleted meanwhile are left out."""
        scope = await self._found_scope()
        if scope.empty or not hits:
            return []
        async with self._pool.connection() as connection:
            rows = await _meeting(connection, statements.PASSAGES, scope, hits)
        found = {row[0]: row for row in rows}
        return [_passage(found[hit.chunk], hit.score) for hit in hits if hit.chunk in found]

    async def neighbours(self, chunks: Sequence[int], radius: int) -> Mapping[int, Sequence[Passage]]:
        """For each chunk, itself and up to `radius` chunks either side of it in its document, in document order."""
        if not self._libraries or not chunks:
            return {}
        async with self._pool.connection() as connection:
            rows = await _rows(connection, statements.NEIGHBOURS, [radius, radius, list(chunks), self._libraries])
        found = [_passage(row, 0.0) for row in rows]
        at = {passage.chunk: place for place, passage in enumerate(found)}
        return {chunk: _around(found, at[chunk], radius) for chunk in chunks if chunk in at}

    async def _found_scope(self) -> Scope:
        async with self._finding_scope:
            if self._scope is None:
                async with self._pool.connection() as connection:
                    self._scope = await find_scope(connection, self._libraries, self._narrowings)
            return self._scope

    async def _admitted(self, connection: Connection, scope: Scope) -> int:
        [(chunks,)] = await _rows(connection, statements.ADMITTED, [scope.libraries])
        return int(chunks)

    async def _nearest(
        self, connection: Connection, scope: Scope, vector: Vector, limit: int, *, exact: bool
    ) -> list[TupleRow]:
        """(chunk, distance, signature, whether it counts) of the nearest windows."""
        space, dimensions = sql.Literal(self._space.id), sql.Literal(self._space.dimensions)
        query = (statements.COMPARE if exact else statements.SEARCH).format(
            space=space, dimensions=dimensions, among=_among(scope)
        )
        values = {**scope.values, "vector": HalfVector(vector), "libraries": scope.libraries, "limit": limit}
        if scope.chunks is not None:
            values["chunks"] = array_literal(scope.chunks)
        return await _rows(connection, query, values)

    async def _packed(self, chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> list[_Packed]:
        """The chunks under new ids, a library's together."""
        async with self._pool.connection() as connection:
            ids = [number for (number,) in await _rows(connection, statements.NEW_IDS, [len(chunks)])]
        return await asyncio.to_thread(_packed, ids, chunks, vectors)

    async def _store(self, connection: Connection, packed: Sequence[_Packed]) -> None:
        rows = [row for members, _ in packed for row in members]
        await _copy(connection, statements.COPY_CHUNKS, statements.CHUNK_TYPES, map(_chunk_values, rows))
        await _copy(
            connection, statements.COPY_EMBEDDINGS, statements.EMBEDDING_TYPES, _embedding_values(self._space, rows)
        )
        for members, postings in packed:
            await name(connection, members[0].library, {row.id: row.mentions for row in members})
            await add_block(connection, members[0].library, {row.version for row in members}, postings)

    async def _keep_serving(self, connection: Connection) -> None:
        """Have the space stay what it is until the transaction ends; raises SpaceRetired where it is so no more.

        First of all, as whoever retires a space holds this up until every chunk has its vectors in the next one.
        """
        if not await _rows(connection, statements.KEEP_SERVING, [self._space.id]):
            raise SpaceRetired

    def _check(self, chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> None:
        if foreign := {chunk.metadata["library"] for chunk in chunks} - set(self._libraries):
            raise PermissionError(f"The libraries {sorted(foreign)} are not open for this.")
        for windows in vectors:
            if windows.ndim != 2 or not len(windows) or windows.shape[1] != self._space.dimensions:
                raise BadVector(f"A vector's shape is {windows.shape}, not (windows, {self._space.dimensions}).")
            with np.errstate(over="ignore"):
                stored = windows.astype(np.float16)
            if not np.isfinite(stored).all() or not stored.any(axis=1).all():
                raise BadVector


@dataclass(frozen=True, slots=True)
class _Row:
    """A chunk to be stored, under its new id, with what is told of its text."""

    id: int
    chunk: Chunk
    windows: Vector
    language: str
    signature: list[int]
    mentions: list[Mention]

    @property
    def version(self) -> int:
        return int(self.chunk.metadata["version"])

    @property
    def library(self) -> int:
        return int(self.chunk.metadata["library"])

    @property
    def position(self) -> int:
        return int(self.chunk.metadata["chunk_id"])


_Packed = tuple[list[_Row], dict[str, Postings]]
"""A library's chunks, and their postings."""


def _packed(ids: Sequence[int], chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> list[_Packed]:
    of_each = zip(ids, chunks, vectors, strict=True)
    rows = [
        _Row(number, chunk, own, language(chunk.text), signature(chunk), mentions(chunk))
        for number, chunk, own in of_each
    ]
    return [(members, _postings_of(members)) for members in _by_library(rows)]


def _by_library(rows: Sequence[_Row]) -> list[list[_Row]]:
    return [list(members) for _, members in groupby(sorted(rows, key=lambda row: row.library), lambda row: row.library)]


def _postings_of(rows: Sequence[_Row]) -> dict[str, Postings]:
    return pack({row.id: indexed_terms(row.chunk.heading, row.chunk.text, row.language) for row in rows})


def _chunk_values(row: _Row) -> tuple[object, ...]:
    chunk, spans = row.chunk, [[span.page, span.start, span.end] for span in row.chunk.spans]
    place = row.id, row.version, row.position, Jsonb(spans), Jsonb(list(chunk.heading_path))
    return *place, chunk.text, chunk.tokens, chunk.hash, row.language, row.signature


def _embedding_values(space: Space, rows: Iterable[_Row]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        for window, vector in enumerate(row.windows):
            yield space.id, row.library, row.id, window, HalfVector(vector)


def _best_windows(rows: Iterable[TupleRow]) -> list[Hit]:
    """Each chunk that counts, once, of (chunk, distance, signature, whether it counts) by distance."""
    best: dict[int, Hit] = {}
    for chunk, distance, alike, counts in rows:
        if counts and chunk not in best:
            best[chunk] = Hit(chunk, 1 - distance, alike)
    return list(best.values())


def _kept(hits: Iterable[Hit], current: Iterable[TupleRow], spoken: Sequence[str]) -> list[Hit]:
    """Those of the hits of which (chunk, signature, language) is told; ones in another language count less."""
    told = {chunk: (alike, written) for chunk, alike, written in current}
    kept = []
    for hit in hits:
        if hit.chunk in told:
            alike, written = told[hit.chunk]
            is_foreign = spoken and written and written not in spoken
            kept.append(Hit(hit.chunk, hit.score * (OTHER_LANGUAGE if is_foreign else 1), alike))
    return sorted(kept, key=lambda hit: -hit.score)


def _among(scope: Scope) -> sql.Composable:
    if scope.chunks is not None:
        return statements.AMONG_CHUNKS
    return statements.AMONG_THOSE_THAT.format(condition=scope.condition) if scope.values else sql.SQL("")


def _of_chunks(scope: Scope) -> tuple[sql.Composable, dict[str, object]]:
    """The condition on the tables `chunk` and `version` under which chunks are in scope, and its values."""
    values = {**scope.values, "libraries": scope.libraries}
    if scope.chunks is None:
        return scope.condition, values
    return statements.ONE_OF_THE_CHUNKS, values | {"chunks": array_literal(scope.chunks)}


def _mention(row: TupleRow) -> Mention:
    key, name, role, chunk, signature = row
    return Mention(key, name, Role(role), chunk, signature or ())


async def _meeting(connection: Connection, query: sql.SQL, scope: Scope, hits: Sequence[Hit]) -> list[TupleRow]:
    """What a query tells of those hits that are in scope."""
    found = scope.listed([hit.chunk for hit in hits])
    values = {**scope.values, "found": found, "libraries": scope.libraries}
    return await _rows(connection, query.format(condition=scope.condition), values)


def _passage(row: TupleRow, score: float) -> Passage:
    chunk, text, spans, tokens, path, *about = row
    return Passage(
        chunk=chunk,
        text=text,
        spans=tuple(Span(*span) for span in spans),
        tokens=tokens,
        score=score,
        metadata=dict(zip(statements.METADATA, about, strict=True)),
        heading_path=tuple(path),
    )


def _around(found: Sequence[Passage], at: int, radius: int) -> list[Passage]:
    """The passages about one, of the same version and at most `radius` positions away."""
    version, position = found[at].metadata["version"], found[at].metadata["chunk_id"]
    return [
        passage
        for passage in found[max(at - radius, 0) : at + radius + 1]
        if passage.metadata["version"] == version and abs(passage.metadata["chunk_id"] - position) <= radius
    ]


async def _rows(
    connection: Connection, query: LiteralString | sql.Composed, values: Sequence[object] | Mapping[str, object] = ()
) -> list[TupleRow]:
    return await (await connection.execute(query, values, binary=True)).fetchall()


async def _copy(
    connection: Connection, statement: LiteralString, types: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> None:
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            await copy.write_row(row)
