"""The inverted index in Postgres: blocks of packed postings, one an upload's batch at first, merged later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from documents.rag.lexical import EVERY_CHUNK, Postings
from documents.rag.terms import ANALYSIS

Connection = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

FULL = 2_048
"""Chunks of the largest block that merging makes, so that deleting from one stays quick."""

FANOUT = 4
"""How much larger than its largest part a merged block is, so that a posting is rewritten a few times in all."""


@dataclass(frozen=True, slots=True)
class Block:
    """How many chunks a block has, the first and last of their ids, and which analysis made its terms."""

    id: int
    chunks: int
    first: int
    last: int
    analysis: int = ANALYSIS


async def add_block(
    connection: Connection, library: int, versions: Iterable[int], packed: Mapping[str, Postings]
) -> None:
    """Store the postings of some versions' chunks."""
    chunks = packed[EVERY_CHUNK]
    counted = len(chunks), int(chunks["length"].sum())
    cursor = await connection.execute(_ADD, [library, list(versions), *counted, ANALYSIS])
    block = (await cursor.fetchall())[0][0]
    async with connection.cursor() as copying, copying.copy(_COPY) as copy:
        copy.set_types(("int8", "text", "int8", "bytea"))
        for term in sorted(packed):
            await copy.write_row((library, term, block, packed[term].tobytes()))


async def merge(pool: Pool, library: int) -> None:
    """Merge a library's small blocks; leaves it to another merge or deletion that is at work there."""
    async with pool.connection() as connection, connection.transaction():
        [(mine,)] = await (await connection.execute(TAKE_TURN, [library])).fetchall()
        if mine:
            rows = await (await connection.execute(_BLOCKS, [library])).fetchall()
            for run in mergeable([Block(*row) for row in rows]):
                await _merge(connection, library, [block.id for block in run])


def mergeable(blocks: Sequence[Block]) -> list[Sequence[Block]]:
    """The runs of neighbouring blocks to merge, of blocks by their first chunk.

    Chunk ids must go on rising through a run: a deletion finds its postings by binary search.
    """
    runs, start = [], 0
    while start < len(blocks):
        end = max(_ends(blocks, start), default=start + 1)
        if end > start + 1:
            runs.append(blocks[start:end])
        start = end
    return runs


def _ends(blocks: Sequence[Block], start: int) -> Iterable[int]:
    """Where a run from `start` could end."""
    total = largest = last = 0
    for at, block in enumerate(blocks[start:], start + 1):
        total, largest = total + block.chunks, max(largest, block.chunks)
        if total > FULL or block.first <= last or block.analysis != blocks[start].analysis:
            return
        last = block.last
        if total >= FANOUT * largest:
            yield at


async def _merge(connection: Connection, library: int, blocks: list[int]) -> None:
    """Blocks, in order, into one."""
    [(merged,)] = await (await connection.execute(_MERGED, [library, blocks, blocks])).fetchall()
    await connection.execute(_MERGE, [library, merged, blocks, blocks])
    await connection.execute("DELETE FROM documents_block WHERE id = ANY(%s::bigint[])", [blocks])


_ADD = """
INSERT INTO documents_block (library_id, versions, chunks, length, analysis) VALUES (%s, %s::bigint[], %s, %s, %s)
RETURNING id
"""

_COPY = "COPY documents_posting (library_id, term, block_id, packed) FROM STDIN (FORMAT BINARY)"

# The trigger documents_forget takes the same lock.
TAKE_TURN = "SELECT pg_try_advisory_xact_lock('documents_block'::regclass::integer, %s::integer)"

_BLOCKS = """
SELECT block.id, chunks, documents_chunk_at(packed, 0) AS first, documents_chunk_at(packed, length(packed) / 8 - 1),
    analysis
FROM documents_block AS block JOIN documents_posting ON block_id = block.id AND term = ''
WHERE block.library_id = %s ORDER BY first
"""

_MERGED = """
INSERT INTO documents_block (library_id, versions, chunks, length, analysis)
SELECT %s, ARRAY(SELECT DISTINCT unnest(versions) FROM documents_block WHERE id = ANY(%s::bigint[])),
    sum(chunks), sum(length), min(analysis)
FROM documents_block WHERE id = ANY(%s::bigint[]) RETURNING id
"""

_MERGE = """
INSERT INTO documents_posting (library_id, term, block_id, packed)
SELECT %s, term, %s, string_agg(packed, '' ORDER BY array_position(%s::bigint[], block_id)) FROM documents_posting
WHERE block_id = ANY(%s::bigint[]) GROUP BY term
"""
