from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

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
    async for event in ranked(question, tools):
        if isinstance(event, Ranked):
            yield await tools.passages(event.fused, event.lists, question.top_k)
        else:
            yield event


@dataclass(frozen=True, slots=True)
class Ranked:
    """Two rankings, and the one that they are together."""

    lexical: list[Hit]
    dense: list[Hit]
    fused: list[Hit]

    @property
    def lists(self) -> dict[str, list[Hit]]:
        return {"lexical": self.lexical, "dense": self.dense, "fused": self.fused}


async def ranked(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Ranked]:
    """What hybrid ranks, of which others begin; it comes last."""
    yield Step("lexical", "Searching by words", queries=(question.text,))
    understanding = tools.understands(question.text)
    if understanding:
        yield Step("dense", "Searching by meaning")
    lexical, (dense, trouble) = await asyncio.gather(
        tools.lexical(in_words(question), DEEP), _by_meaning(question, tools)
    )
    if trouble:
        yield Notice(trouble, failure=True)
    yield Ranked(lexical, dense, fuse({"lexical": lexical, "dense": dense}, {"dense": understanding}))


async def _by_meaning(question: Question, tools: Tools) -> tuple[list[Hit], str]:
    """The nearest chunks, and what kept them from being found."""
    if not tools.understands(question.text):
        return [], ""
    try:
        return await tools.dense(question.text, DEEP, background=background(question)), ""
    except FootnoteError as error:
        return [], f"{error} This was searched by words only."
