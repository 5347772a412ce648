"""What a strategy has at hand. It meets neither user nor filter: the vector database knows what may be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from documents.rag.types import EmbeddingModel, Hit, Notice, Passage, Passages, Question, Step, VectorDatabase


@dataclass(frozen=True, slots=True)
class Tools:
    """Retrieval over what the asker may read."""

    embedding_model: EmbeddingModel
    vector_db: VectorDatabase

    def understands(self, text: str) -> bool:
        """Whether dense retrieval has a say on this text."""
        return self.embedding_model.understands(text)

    async def dense(self, text: str, limit: int) -> list[Hit]:
        """The chunks nearest in meaning, best first."""
        vectors = await self.embedding_model.embed([text], query=True)
        return await self.vector_db.dense(vectors[0], limit)

    async def lexical(self, text: str, limit: int) -> list[Hit]:
        """The chunks that share most with the text in words, by BM25, best first."""
        return await self.vector_db.lexical(text, limit)

    async def passages(self, hits: Sequence[Hit], found_by: Mapping[str, Sequence[Hit]]) -> Passages:
        """The hits as passages, each with its 1-based rank in every list that found it."""
        ranks = {name: {hit.chunk: rank for rank, hit in enumerate(found, 1)} for name, found in found_by.items()}
        return Passages(tuple(_ranked(passage, ranks) for passage in await self.vector_db.passages(hits)))


Strategy = Callable[[Question, Tools], AsyncIterator[Step | Notice | Passages]]
"""Gathers evidence: an async generator of steps, and last the passages it found, at most `question.top_k`."""


def _ranked(passage: Passage, ranks: Mapping[str, Mapping[int, int]]) -> Passage:
    return replace(passage, ranks={name: of[passage.chunk] for name, of in ranks.items() if passage.chunk in of})
