"""What a question's narrowings leave of the libraries that may be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import partial

import numpy as np
from django.utils.timezone import make_aware
from numpy.typing import NDArray
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from documents.rag.parsing.kinds import media_types
from documents.rag.types import Narrowing

Connection = AsyncConnection[TupleRow]

FEW = 20_000
"""Chunks up to which those that are left are looked up first, and searched one by one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is searched of `libraries`: these `chunks`, or all that meet `condition` where they are too many to list.

    The condition is on the tables `chunk`, `version` and `document`, with `values` for its placeholders.
    """

    libraries: list[int]
    condition: sql.Composable = field(default_factory=partial(sql.SQL, "true"))
    values: Mapping[str, object] = field(default_factory=dict)
    chunks: NDArray[np.int64] | None = None

    @property
    def empty(self) -> bool:
        return not self.libraries or (self.chunks is not None and not len(self.chunks))


async def find_scope(connection: Connection, libraries: list[int], narrowings: Sequence[Narrowing]) -> Scope:
    """What is left of the libraries after all the narrowings."""
    for narrowing in narrowings:
        if narrowing.libraries:
            rows = await (await connection.execute(_LIBRARIES, [libraries])).fetchall()
            libraries = named(narrowing.libraries, dict(rows))
    condition, values = _condition(narrowings)
    if not values or not libraries:
        return Scope(libraries)
    whole = {"libraries": libraries, "limit": FEW + 1} | values
    cursor = await connection.execute(_CHUNKS.format(condition=condition), whole, binary=True)
    [(chunks,)] = await cursor.fetchall()
    listed = np.array(chunks, np.int64) if len(chunks) <= FEW else None
    return Scope(libraries, condition, values, listed)


def named(names: Iterable[str], libraries: Mapping[int, str]) -> list[int]:
    """The libraries of any of these names; where none has a name, those whose names begin so."""
    folded = {number: _folded(name) for number, name in libraries.items()}
    found: set[int] = set()
    for name in map(_folded, names):
        same = {number for number, of_library in folded.items() if of_library == name}
        found |= same or {number for number, of_library in folded.items() if of_library.startswith(name)}
    return sorted(found)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


def _condition(narrowings: Iterable[Narrowing]) -> tuple[sql.Composed, dict[str, object]]:
    """All that narrows but the libraries, and the values for its placeholders."""
    parts: list[sql.Composed] = []
    values: dict[str, object] = {}

    def must(test: sql.SQL, value: object) -> None:
        name = f"narrowing_{len(values)}"
        values[name] = value
        parts.append(test.format(sql.Placeholder(name)))

    for narrowing in narrowings:
        if narrowing.types:
            must(_OF_TYPE, sorted(media_types(narrowing.types)))
        if narrowing.after:
            must(_AFTER, _begin(narrowing.after))
        if narrowing.before:
            must(_BEFORE, _begin(narrowing.before))
        for phrase in filter(str.strip, narrowing.phrases):
            must(_HOLDS, _pattern(phrase))
    return sql.SQL(" AND ").join(parts), values


def _begin(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


def _pattern(phrase: str) -> str:
    """A regular expression of Postgres' for these words with any white space between them."""
    return r"\s+".join(re.sub(r"[^\w\s]", r"\\\g<0>", word) for word in phrase.replace("\0", " ").split())


_LIBRARIES = "SELECT id, name FROM documents_library WHERE id = ANY(%s::bigint[])"

_OF_TYPE = sql.SQL("version.media_type = ANY({}::text[])")
_AFTER = sql.SQL("version.created >= {}")
_BEFORE = sql.SQL("version.created < {}")
_HOLDS = sql.SQL("chunk.text ~* {}")

_CHUNKS = sql.SQL("""
SELECT ARRAY(
    SELECT chunk.id FROM documents_document AS document
    JOIN documents_version AS version ON version.id = document.current_id
    JOIN documents_chunk AS chunk ON chunk.version_id = version.id
    WHERE document.deleted_at IS NULL AND document.library_id = ANY(%(libraries)s::bigint[]) AND {condition}
    LIMIT %(limit)s
)
""")
