from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from documents.rag.errors import FootnoteError
from documents.rag.followups import background, in_words
from documents.rag.fusion import fuse
from documents.rag.strategies.tools import Tools
from documents.rag.types import Hit, Notice, Passages, Question, Step

DEEP = 300
"""How many candidates of each ranking are joined: what counts is how far they stand out from many."""


async def hybrid(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """The `top_k` best of BM25 and dense retrieval together; of BM25 alone, and said so, where embedding fails.

    Dense retrieval has as much say as the model understands of the question's language.
    """
    yield Step("lexical", "Searching by words")
    understanding = tools.understands(question.text)
    if understanding:
        yield Step("dense", "Searching by meaning")
    lexical, (dense, trouble) = await asyncio.gather(
        tools.lexical(in_words(question), DEEP), _by_meaning(question, tools)
    )
    if trouble:
        yield Notice(trouble, failure=True)
    found = {"lexical": lexical, "dense": dense}
    fused = fuse(found, {"dense": understanding})
    yield await tools.passages(fused, found | {"fused": fused}, question.top_k)


async def _by_meaning(question: Question, tools: Tools) -> tuple[list[Hit], str]:
    """The nearest chunks, and what kept them from being found."""
    if not tools.understands(question.text):
        return [], ""
    try:
        return await tools.dense(question.text, DEEP, background=background(question)), ""
    except FootnoteError as error:
        return [], f"{error} This was searched by words only."
