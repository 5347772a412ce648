"""What chunks name, stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from documents.rag.types import Mention

_COPY = "COPY documents_mention (library_id, chunk_id, key, name, role) FROM STDIN (FORMAT BINARY)"
_TYPES = ("int8", "int8", "text", "text", "int2")


async def name(connection: AsyncConnection[TupleRow], library: int, named: Mapping[int, Sequence[Mention]]) -> None:
    """Store what chunks of a library name."""
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for chunk, mentions in named.items():
            for mention in mentions:
                await copy.write_row((library, chunk, mention.key, mention.name, mention.role.value))
