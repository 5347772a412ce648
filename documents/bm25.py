"""A question's words against the inverted index in Postgres."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from documents.rag.lexical import BM25, POSTING, Postings, score
from documents.rag.types import Hit

WORTH_A_THREAD = 400_000
"""Bytes of postings whose scoring would hold up the event loop for some milliseconds."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's terms and their postings; how many chunks were searched, and terms are in them all."""

    terms: Sequence[str]
    postings: Mapping[str, Postings]
    chunks: int
    length: int

    @classmethod
    async def of(cls, connection: AsyncConnection[TupleRow], libraries: Sequence[int], terms: Sequence[str]) -> Asked:
        async with connection.pipeline():
            totals = await connection.execute(_TOTALS, [libraries])
            listed = await connection.execute(_POSTINGS, [libraries, list(set(terms))], binary=True)
            [(chunks, length)] = await totals.fetchall()
            packed = await listed.fetchall()
        parts = defaultdict[str, list[bytes]](list)
        for term, part in packed:
            parts[term].append(part)
        postings = {term: np.frombuffer(b"".join(each), POSTING) for term, each in parts.items()}
        return cls(terms, postings, chunks, length)

    async def best(self, limit: int, bm25: BM25, *, among: NDArray[np.int64] | None = None) -> list[Hit]:
        """The `limit` best chunks, best first; only ones `among` these, where some are given."""
        scoring = partial(
            score,
            self.terms,
            self.postings,
            chunks=self.chunks,
            average_length=max(self.length, 1) / max(self.chunks, 1),
            limit=limit,
            among=among,
            bm25=bm25,
        )
        small = sum(listed.nbytes for listed in self.postings.values()) < WORTH_A_THREAD
        return scoring() if small else await asyncio.to_thread(scoring)


_TOTALS = """
SELECT coalesce(sum(chunks), 0)::bigint, coalesce(sum(length), 0)::bigint FROM documents_block
WHERE library_id = ANY(%s::bigint[])
"""

# Joined here: Postgres would take three times as long for it.
_POSTINGS = """
SELECT term, packed FROM documents_posting WHERE library_id = ANY(%s::bigint[]) AND term = ANY(%s::text[])
"""
