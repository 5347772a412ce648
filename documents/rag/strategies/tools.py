"""What a strategy has at hand. It meets neither user nor filter: the vector database knows what may be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from documents.rag.duplicates import distinct
from documents.rag.types import (
    LLM,
    EmbeddingModel,
    Hit,
    Narrowing,
    Notice,
    Passage,
    Passages,
    Question,
    Step,
    VectorDatabase,
)

BACKGROUND = 0.1
"""How much of the vector of what was said before is added to that of a text. docs/benchmarks.md has what was tried."""

DEPTH = 100
"""How many candidates a retriever gives: more than are kept, as some say the same."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Retrieval over what the asker may read, and a chat model where there is one."""

    embedding_model: EmbeddingModel
    vector_db: VectorDatabase
    llm: LLM | None = None
    room: int = 6_000
    """Tokens of passages that the writer can read at once."""

    def narrowed(self, narrowing: Narrowing) -> Tools:
        """The same over a part of it."""
        return replace(self, vector_db=self.vector_db.narrowed(narrowing))

    def understands(self, text: str) -> float:
        """How much of a say, 0–1, dense retrieval has on this text."""
        return self.embedding_model.understands(text)

    async def dense(self, text: str, limit: int, *, background: str = "") -> list[Hit]:
        """The chunks nearest in meaning, best first; a little nearer to the `background` than the text alone is."""
        texts = [text, background] if background else [text]
        vectors = await self.embedding_model.embed(texts, query=True)
        vector = vectors[0] + BACKGROUND * vectors[1] if background else vectors[0]
        return await self.vector_db.dense(vector / np.linalg.norm(vector), limit)

    async def lexical(self, text: str, limit: int) -> list[Hit]:
        """The chunks that share most with the text in words, by BM25, best first."""
        return await self.vector_db.lexical(text, limit)

    async def passages(self, hits: Sequence[Hit], found_by: Mapping[str, Sequence[Hit]], limit: int) -> Passages:
        """The `limit` best of the hits as passages, each with its 1-based rank in every list that found it.

        Of near-duplicates the best stands for all, of equal ones the newest.
        """
        groups = distinct(hits, limit)
        found = await self.vector_db.passages([hit for group in groups for hit in group])
        by_chunk = {passage.chunk: passage for passage in found}
        ranks = {name: {hit.chunk: rank for rank, hit in enumerate(listed, 1)} for name, listed in found_by.items()}
        there = ([by_chunk[hit.chunk] for hit in group if hit.chunk in by_chunk] for group in groups)
        return Passages(tuple(_ranked(_one_of(alike), ranks) for alike in there if alike), found_by)


Strategy = Callable[[Question, Tools], AsyncIterator[Step | Notice | Passages]]
"""Gathers evidence: an async generator of steps, and last the passages it found, at most `question.top_k`."""


def _one_of(alike: Sequence[Passage]) -> Passage:
    best = max(alike, key=lambda passage: (passage.score, passage.metadata.get("version", 0)))
    others = {passage.document: passage for passage in reversed(alike) if passage.document != best.document}
    return replace(best, also_in=tuple(others.values())[::-1])


def _ranked(passage: Passage, ranks: Mapping[str, Mapping[int, int]]) -> Passage:
    return replace(passage, ranks={name: of[passage.chunk] for name, of in ranks.items() if passage.chunk in of})
