"""A vector database in memory: exact search and the same BM25, for tests of the heart and small trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from documents.rag.duplicates import signature
from documents.rag.entities import mentions
from documents.rag.lexical import EVERY_CHUNK, indexed_terms, pack, score
from documents.rag.terms import telling_terms
from documents.rag.types import Chunk, Hit, Mention, Narrowing, Passage, Vector


class MemoryVectorDB:
    """Chunks are known by their place in `chunks`; narrowed by their metadata's `library_name`, and by phrases."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.vectors: list[Vector] = []
        self.narrowings: tuple[Narrowing, ...] = ()

    def narrowed(self, narrowing: Narrowing) -> MemoryVectorDB:
        other = copy(self)
        other.narrowings = (*self.narrowings, narrowing)
        return other

    async def add(self, chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> None:
        assert len(chunks) == len(vectors)
        self.chunks += chunks
        self.vectors += vectors

    async def known(self, hashes: Collection[bytes]) -> Mapping[bytes, Vector]:
        pairs = zip(self.chunks, self.vectors, strict=True)
        return {chunk.hash: vectors for chunk, vectors in pairs if chunk.hash in hashes}

    async def dense(self, vector: Vector, limit: int) -> list[Hit]:
        hits = [
            Hit(number, float(np.max(windows @ vector)), signature(chunk))
            for number, (chunk, windows) in enumerate(zip(self.chunks, self.vectors, strict=True))
        ]
        return self._admitted(sorted(hits, key=lambda hit: -hit.score))[:limit]

    async def lexical(self, text: str, limit: int) -> list[Hit]:
        packed = pack(
            {number: indexed_terms(chunk.heading, chunk.text, "en") for number, chunk in enumerate(self.chunks)}
        )
        question = telling_terms(text)
        postings = {term: packed[term] for term in question if term in packed}
        average = packed[EVERY_CHUNK]["length"].sum() / max(len(self.chunks), 1)
        hits = score(question, postings, chunks=len(self.chunks), average_length=float(average), limit=len(self.chunks))
        return [replace(hit, signature=signature(self.chunks[hit.chunk])) for hit in self._admitted(hits)[:limit]]

    async def whole(self, tokens: int) -> list[Passage] | None:
        there = [self._passage(hit.chunk) for hit in self._admitted([Hit(at, 0.0) for at in range(len(self.chunks))])]
        return there if sum(passage.tokens for passage in there) <= tokens else None

    async def mentions_in(self, chunks: Sequence[int]) -> list[Mention]:
        return [mention for number in chunks for mention in self._named(number)]

    async def mentions_of(self, keys: Collection[str], limit: int) -> list[Mention]:
        there = [hit.chunk for hit in self._admitted([Hit(at, 0.0) for at in range(len(self.chunks))])]
        named = sorted((each for number in there for each in self._named(number)), key=lambda each: -each.role)
        return [each for key in keys for each in [one for one in named if one.key == key][:limit]]

    async def commonest(self, names: int) -> list[Mention]:
        there = [hit.chunk for hit in self._admitted([Hit(at, 0.0) for at in range(len(self.chunks))])]
        told = [each for number in there for each in self._named(number)]
        counts = Counter(each.key for each in told)
        common = {key for key, count in sorted(counts.items(), key=lambda item: -item[1])[:names] if count > 1}
        return [each for each in told if each.key in common]

    async def passages(self, hits: Sequence[Hit]) -> list[Passage]:
        return [self._passage(hit.chunk, hit.score) for hit in self._admitted(hits)]

    async def neighbours(self, chunks: Sequence[int], radius: int) -> Mapping[int, Sequence[Passage]]:
        return {
            number: [
                self._passage(near)
                for near in range(max(number - radius, 0), min(number + radius + 1, len(self.chunks)))
                if self._follows(number, near)
            ]
            for number in chunks
        }

    def _named(self, number: int) -> list[Mention]:
        return [replace(each, chunk=number) for each in mentions(self.chunks[number])]

    def _admitted(self, hits: Sequence[Hit]) -> list[Hit]:
        return [hit for hit in hits if all(_fits(self.chunks[hit.chunk], narrowing) for narrowing in self.narrowings)]

    def _follows(self, number: int, near: int) -> bool:
        """Whether the chunk `near` stands in the same document, as far away as its place in the list."""
        one, other = self.chunks[number].metadata, self.chunks[near].metadata
        return bool(one["source"] == other["source"] and other["chunk_id"] - one["chunk_id"] == near - number)

    def _passage(self, number: int, score: float = 0.0) -> Passage:
        chunk = self.chunks[number]
        return Passage(number, chunk.text, chunk.spans, chunk.tokens, score, chunk.metadata, chunk.heading_path)


def _fits(chunk: Chunk, narrowing: Narrowing) -> bool:
    named = str(chunk.metadata.get("library_name", "")).casefold() in map(str.casefold, narrowing.libraries)
    holds = all(_plain(phrase) in _plain(chunk.text) for phrase in narrowing.phrases)
    return (named or not narrowing.libraries) and holds


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
