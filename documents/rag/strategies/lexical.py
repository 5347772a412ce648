from __future__ import annotations

from collections.abc import AsyncIterator

from documents.rag.followups import in_words
from documents.rag.strategies.tools import DEPTH, Tools
from documents.rag.types import Notice, Passages, Question, Step


async def lexical(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """The `top_k` best chunks by BM25: half of hybrid, to be measured."""
    yield Step("lexical", "Searching by words")
    hits = await tools.lexical(in_words(question), max(DEPTH, question.top_k))
    yield await tools.passages(hits, {"lexical": hits}, question.top_k)
