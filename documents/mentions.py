"""What chunks name, stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from documents.rag.types import Mention

NAME_ENDS = """
INSERT INTO documents_mention (library_id, chunk_id, key, name, role)
SELECT library_id, chunk_id, end_key, end_name, 0 FROM documents_relation
CROSS JOIN LATERAL (VALUES (subject_key, subject), (object_key, object)) AS ends(end_key, end_name)
WHERE chunk_id = ANY(%s::bigint[]) ON CONFLICT DO NOTHING
"""
"""The ends of chunks' relations are names in them."""

_COPY = "COPY documents_mention (library_id, chunk_id, key, name, role) FROM STDIN (FORMAT BINARY)"
_TYPES = ("int8", "int8", "text", "text", "int2")


async def name(connection: AsyncConnection[TupleRow], library: int, named: Mapping[int, Sequence[Mention]]) -> None:
    """Store what chunks of a library name."""
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for chunk, mentions in named.items():
            for mention in mentions:
                await copy.write_row((library, chunk, mention.key, mention.name, mention.role.value))
