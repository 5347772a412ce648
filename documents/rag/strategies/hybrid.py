from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from documents.rag.errors import FootnoteError
from documents.rag.fusion import fuse
from documents.rag.strategies.tools import Tools, standalone
from documents.rag.types import Hit, Notice, Passages, Question, Step

DEPTH = 100
"""How many candidates each retriever gives."""


async def hybrid(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """The `top_k` best of BM25 and dense retrieval together; of BM25 alone, and said so, where embedding fails."""
    text = standalone(question)
    yield Step("lexical", "Searching by words")
    yield Step("dense", "Searching by meaning")
    lexical, dense = await asyncio.gather(tools.lexical(text, DEPTH), tools.dense(text, DEPTH), return_exceptions=True)
    if isinstance(lexical, BaseException):
        raise lexical
    if isinstance(dense, FootnoteError):
        yield Notice(f"{dense} This was searched by words only.")
        dense = list[Hit]()
    elif isinstance(dense, BaseException):
        raise dense
    found = {"lexical": lexical, "dense": dense}
    fused = fuse(found)[: question.top_k]
    yield await tools.passages(fused, found | {"fused": fused})
