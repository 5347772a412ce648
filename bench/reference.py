"""What retrieval should find: BM25 by the book over every chunk, and vectors compared one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector
from psycopg import sql

from bench.shelf import DIMENSIONS, Words, Written
from documents.rag.lexical import K1, B
from documents.rag.types import Hit, Vector
from documents.vector_db import Pool, Space


@dataclass
class FullScoring:
    """BM25 of every chunk of some libraries for questions of some words, from the words as they were drawn."""

    libraries: Collection[int]
    wanted: NDArray[np.int64]
    lengths: list[int] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    postings: defaultdict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def read(self, document: Written) -> None:
        if document.version.document.library_id in self.libraries:
            for position, words in enumerate(document.words):
                self._read((document.version.pk, position), words)

    def _read(self, place: tuple[int, int], words: Words) -> None:
        found, counts = np.unique(words[np.isin(words, self.wanted)], return_counts=True)
        for word, count in zip(found.tolist(), counts.tolist(), strict=True):
            self.postings[word].append((len(self.places), count))
        self.places.append(place)
        self.lengths.append(len(words))

    def scores(self, question: Words) -> NDArray[np.float64]:
        """Of the chunks at all `places`."""
        lengths = np.array(self.lengths, np.float64)
        norms = K1 * (1 - B + B * lengths / lengths.mean())
        scores = np.zeros(len(lengths))
        for word in question.tolist():
            if listed := self.postings[word]:
                chunks, counts = np.array(listed).T
                rarity = np.log1p((len(lengths) - len(chunks) + 0.5) / (len(chunks) + 0.5))
                scores[chunks] += rarity * counts * (K1 + 1) / (counts + norms[chunks])
        return scores

    def agreement(self, question: Words, hits: Sequence[Hit], numbers: Mapping[int, int]) -> float:
        """The share of the ten best chunks that is among the ten first hits; of equal scores any will do."""
        scores = self.scores(question)
        tenth = np.sort(scores)[-10]
        good = [hit for hit in hits[:10] if scores[numbers[hit.chunk]] >= tenth - 1e-6]
        return len(good) / min(int(np.count_nonzero(scores)), 10)

    async def numbers(self, pool: Pool) -> dict[int, int]:
        """Chunk → its number in `places`."""
        async with pool.connection() as connection:
            rows = await connection.execute("SELECT version_id, position, id FROM documents_chunk", binary=True)
            of_place = {(version, position): chunk for version, position, chunk in await rows.fetchall()}
        return {of_place[place]: number for number, place in enumerate(self.places)}


async def nearest(pool: Pool, space: Space, vector: Vector, limit: int, among: sql.Composable) -> list[int]:
    """The nearest of those chunks that meet a condition, by comparing the vectors of all of them."""
    query = _NEAREST.format(space=sql.Literal(space.id), dimensions=sql.Literal(DIMENSIONS), among=among)
    async with pool.connection() as connection:
        rows = await connection.execute(query, [HalfVector(vector), limit])
        return [chunk for (chunk,) in await rows.fetchall()]


# What is added to the distance keeps the vector index out of it.
_NEAREST = sql.SQL("""
SELECT embedding.chunk_id FROM documents_embedding AS embedding
JOIN documents_chunk AS chunk ON chunk.id = embedding.chunk_id
JOIN documents_version AS version ON version.id = chunk.version_id
WHERE embedding.space_id = {space} AND {among}
ORDER BY (embedding.vector::halfvec({dimensions}) <=> %s) + 0 LIMIT %s
""")
