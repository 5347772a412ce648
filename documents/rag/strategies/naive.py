from __future__ import annotations

from collections.abc import AsyncIterator

from documents.rag.followups import background
from documents.rag.strategies.tools import DEPTH, Tools
from documents.rag.types import Notice, Passages, Question, Step


async def naive(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """The `top_k` nearest chunks (Lewis et al., Retrieval-Augmented Generation, NeurIPS 2020)."""
    yield Step("dense", "Searching by meaning")
    hits = await tools.dense(question.text, max(DEPTH, question.top_k), background=background(question))
    yield await tools.passages(hits, {"dense": hits}, question.top_k)
