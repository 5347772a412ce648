"""What a question's narrowings leave of the libraries that may be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import partial, reduce

import numpy as np
from django.utils.timezone import make_aware
from numpy.typing import NDArray
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from documents.bm25 import Asked
from documents.rag.lexical import POSTING
from documents.rag.parsing.kinds import media_types
from documents.rag.terms import is_spaced, possible_terms
from documents.rag.types import Narrowing

Connection = AsyncConnection[TupleRow]

FEW = 20_000
"""Chunks up to which those that are left are looked up first, and searched one by one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is searched of `libraries`: these `chunks`, or all that meet `condition` where they are too many to list.

    The condition is on the tables `chunk` and `version`, with `values` for its placeholders.
    """

    libraries: list[int]
    chunks: NDArray[np.int64] | None = None
    condition: sql.Composable = field(default_factory=partial(sql.SQL, "true"))
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.libraries or (self.chunks is not None and not len(self.chunks))

    def listed(self, chunks: Sequence[int]) -> list[int]:
        """Those of the chunks that are in the list, where there is one."""
        if self.chunks is None:
            return list(chunks)
        given = np.array(chunks, np.int64)
        admitted: list[int] = given[np.isin(given, self.chunks)].tolist()
        return admitted


async def find_scope(connection: Connection, libraries: list[int], narrowings: Sequence[Narrowing]) -> Scope:
    """What is left of the libraries after all the narrowings."""
    for narrowing in narrowings:
        if narrowing.libraries:
            rows = await (await connection.execute(_LIBRARIES, [libraries])).fetchall()
            libraries = named(narrowing.libraries, dict(rows))
    about, text = _Tests("about"), _Tests("text")
    for narrowing in narrowings:
        _test(narrowing, about, text)
    values = {**about.values, **text.values}
    if not values or not libraries:
        return Scope(libraries)
    phrases = [phrase for narrowing in narrowings for phrase in narrowing.phrases]
    chunks = await _listed(connection, libraries, about, text, await _with_words_of(connection, libraries, phrases))
    if chunks is not None:
        return Scope(libraries, chunks)
    return Scope(libraries, None, sql.SQL("{} AND {}").format(about.all, text.all), values)


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


@dataclass(frozen=True, slots=True)
class _Tests:
    """Conditions in SQL, with the values for their placeholders."""

    name: str
    conditions: list[sql.Composable] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def add(self, condition: sql.SQL, value: object) -> None:
        name = f"{self.name}_{len(self.values)}"
        self.values[name] = value
        self.conditions.append(condition.format(sql.Placeholder(name)))

    @property
    def all(self) -> sql.Composed:
        return sql.SQL(" AND ").join([sql.SQL("true"), *self.conditions])


def _test(narrowing: Narrowing, about: _Tests, text: _Tests) -> None:
    """Add what a narrowing, but for its libraries, asks of a chunk's version, and of its text."""
    if narrowing.types:
        about.add(_OF_TYPE, sorted(media_types(narrowing.types)))
    if narrowing.after:
        about.add(_AFTER, _begin(narrowing.after))
    if narrowing.before:
        about.add(_BEFORE, _begin(narrowing.before))
    for phrase in filter(str.strip, narrowing.phrases):
        text.add(_HOLDS, _pattern(phrase))


async def _with_words_of(
    connection: Connection, libraries: list[int], phrases: Iterable[str]
) -> NDArray[np.int64] | None:
    """The chunks that have all words of the phrases, wherever in their text; None where there are no words."""
    words = [terms for phrase in phrases for terms in possible_terms(phrase)]
    if not words:
        return None
    asked = await Asked.of(connection, libraries, sorted(set[str]().union(*words)))
    nowhere = np.empty(0, POSTING)
    each = [np.concatenate([asked.postings.get(term, nowhere)["chunk"] for term in terms]) for terms in words]
    return reduce(np.intersect1d, each).astype(np.int64)


async def _listed(
    connection: Connection, libraries: list[int], about: _Tests, text: _Tests, among: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """The chunks, of those `among` which they must be, that meet the tests; None for too many."""
    # How many are left of a document is known before they are read, but for a phrase's.
    likely = 2**40 if text.values else FEW
    values = {**about.values, **text.values, "libraries": libraries, "few": FEW, "likely": likely}
    if among is not None:
        values["among"] = array_literal(among)
    query = _CHUNKS.format(about=about.all, text=text.all, among=sql.SQL("") if among is None else _AMONG)
    cursor = await connection.execute(query, values, binary=True)
    [(chunks,)] = await cursor.fetchall()
    return None if chunks is None else np.array(chunks, np.int64)


def array_literal(numbers: NDArray[np.int64]) -> str:
    """An array as Postgres writes it: of a list, many take long to adapt."""
    return f"{{{','.join(map(str, numbers.tolist()))}}}"


def _begin(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


def _pattern(phrase: str) -> str:
    """A regular expression of Postgres' for these words, whole, with any white space between them."""
    words = phrase.replace("\0", " ").split()
    begin = r"(?<![[:alnum:]])" if is_spaced(words[0][0]) else ""
    end = r"(?![[:alnum:]])" if is_spaced(words[-1][-1]) else ""
    return begin + r"\s+".join(re.sub(r"[^\w\s]", r"\\\g<0>", word) for word in words) + end


_LIBRARIES = "SELECT id, name FROM documents_library WHERE id = ANY(%s::bigint[])"

_OF_TYPE = sql.SQL("version.media_type = ANY({}::text[])")
_AFTER = sql.SQL("version.created >= {}")
_BEFORE = sql.SQL("version.created < {}")
_HOLDS = sql.SQL("chunk.text ~* {}")

_AMONG = sql.SQL("AND chunk.id = ANY(%(among)s::bigint[])")

_CHUNKS = sql.SQL("""
WITH admitted AS MATERIALIZED (
    SELECT version.id, version.chunks_indexed FROM documents_document AS document
    JOIN documents_version AS version ON version.id = document.current_id
    WHERE document.deleted_at IS NULL AND document.library_id = ANY(%(libraries)s::bigint[]) AND {about}
)
SELECT CASE WHEN (SELECT coalesce(sum(chunks_indexed), 0) FROM admitted) <= %(likely)s THEN (
    SELECT CASE WHEN count(*) <= %(few)s THEN coalesce(array_agg(id), ARRAY[]::bigint[]) END FROM (
        SELECT chunk.id FROM admitted JOIN documents_chunk AS chunk ON chunk.version_id = admitted.id
        WHERE {text} {among} LIMIT %(few)s + 1
    ) AS listed
) END
""")
