"""Stand-ins for the heart's collaborators: real implementations, small, with a queue of replies and a history."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from documents.rag.terms import telling_terms
from documents.rag.tracing import calling
from documents.rag.types import UNKNOWN, ChatMessage, ModelProfile, Passage, Piece, Relevance, ToolSpec, Usage, Vector


class FakeEmbedding:
    """Texts that share words are near each other."""

    name = "fake"
    batch = 4

    def __init__(self, dimensions: int = 64) -> None:
        self.dimensions = dimensions
        self.history: list[list[str]] = []
        self.errors: deque[Exception] = deque()

    def understands(self, text: str) -> float:
        return float(text.isascii())

    def windows(self, text: str) -> list[str]:
        return [text]

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        self.history.append(list(texts))
        if self.errors:
            raise self.errors.popleft()
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vector:
        vector = np.full(self.dimensions, 1e-3, dtype=np.float32)
        for term in telling_terms(text):
            digest = hashlib.sha256(term.encode("utf-8", "surrogatepass")).digest()
            vector[int.from_bytes(digest[:4], "little") % self.dimensions] += 1
        return vector / np.linalg.norm(vector)


class FakeLLM:
    """Streams the queued replies piece by piece; an exception in a reply is raised where it stands."""

    name = "fake-model"

    def __init__(self, *replies: Sequence[Piece | Exception], profile: ModelProfile = UNKNOWN) -> None:
        self.replies = deque(replies)
        self.profile = profile
        self.history: list[list[ChatMessage]] = []
        self.offered: list[list[str]] = []

    async def stream(self, messages: Sequence[ChatMessage], *, tools: Sequence[ToolSpec] = ()) -> AsyncGenerator[Piece]:
        self.history.append(list(messages))
        self.offered.append([tool.name for tool in tools])
        with calling("chat", self.name, "nowhere", ()) as call:
            for piece in self.replies.popleft():
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            call.usage = self.profile.priced(Usage(prompt_tokens=10, completion_tokens=5))
            yield call.usage


class FakeReranker:
    """Finds the last passage the most relevant, or raises the queued errors."""

    name = "fake-reranker"

    def __init__(self) -> None:
        self.history: list[tuple[str, int]] = []
        self.errors: deque[Exception] = deque()

    async def relevance(self, question: str, passages: Sequence[Passage]) -> Relevance:
        self.history.append((question, len(passages)))
        if self.errors:
            raise self.errors.popleft()
        return Relevance(range(len(passages)))
