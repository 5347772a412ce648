"""What an older analysis made of the texts, made again from the stored chunks while they are searched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from psycopg.rows import TupleRow

from documents.blocks import TAKE_TURN, Pool, add_block
from documents.mentions import NAME_ENDS, name
from documents.models import Block
from documents.rag.entities import mentions
from documents.rag.lexical import Postings, indexed_terms, pack
from documents.rag.terms import ANALYSIS
from documents.rag.types import Chunk, Mention


def libraries() -> list[int]:
    """Those with postings of an older analysis."""
    return list(Block.objects.filter(analysis__lt=ANALYSIS).values_list("library", flat=True).distinct())


async def renew_block(pool: Pool, library: int) -> bool:
    """Make a block of a library anew, with what its chunks name, in one transaction.

    False where none is old, or the library's are being changed.

    What is asked finds the texts of old blocks as well, by the terms that both analyses make of them.
    """
    async with pool.connection() as connection, connection.transaction():
        [(mine,)] = await (await connection.execute(TAKE_TURN, [library])).fetchall()
        old = await (await connection.execute(_OLD, [library, ANALYSIS])).fetchall() if mine else []
        for block, versions in old:
            rows = await (await connection.execute(_CHUNKS, [block])).fetchall()
            packed, named = await asyncio.to_thread(_analysed, rows)
            await connection.execute("DELETE FROM documents_block WHERE id = %s", [block])
            await add_block(connection, library, versions, packed)
            await connection.execute(_FORGET, [[chunk for chunk, *_ in rows]])
            await name(connection, library, named)
            await connection.execute(NAME_ENDS, [list(named)])
        return bool(old)


def _analysed(rows: Sequence[TupleRow]) -> tuple[dict[str, Postings], dict[int, list[Mention]]]:
    """The postings and mentions of chunks' (id, text, language, heading path, position, title)."""
    chunks = {
        number: Chunk(text, (), 0, {"title": title, "chunk_id": position}, tuple(path))
        for number, text, _, path, position, title in rows
    }
    languages = {number: language for number, _, language, *_ in rows}
    packed = pack(
        {number: indexed_terms(chunk.heading, chunk.text, languages[number]) for number, chunk in chunks.items()}
    )
    return packed, {number: mentions(chunk) for number, chunk in chunks.items()}


_OLD = "SELECT id, versions FROM documents_block WHERE library_id = %s AND analysis < %s ORDER BY id LIMIT 1"

_FORGET = "DELETE FROM documents_mention WHERE chunk_id = ANY(%s::bigint[])"

# The title is the one that `originals.metadata` tells.
_CHUNKS = """
SELECT chunk.id, chunk.text, chunk.language, chunk.heading_path, chunk.position,
    CASE WHEN title_given THEN document.title ELSE coalesce(nullif(version.title, ''), name) END
FROM documents_posting AS posting CROSS JOIN generate_series(0, length(packed) / 8 - 1) AS place
JOIN documents_chunk AS chunk ON chunk.id = documents_chunk_at(packed, place)
JOIN documents_version AS version ON version.id = chunk.version_id
JOIN documents_document AS document ON document.id = version.document_id
WHERE posting.block_id = %s AND term = ''
"""
