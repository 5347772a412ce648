"""Hybrid retrieval for a question and for what a chat model makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from documents.rag.errors import FootnoteError
from documents.rag.followups import standalone
from documents.rag.fusion import fuse
from documents.rag.rewriting import Written
from documents.rag.strategies.tools import DEPTH, Tools
from documents.rag.types import LLM, Hit, Notice, Passages, Question, Step

Rewrite = Callable[[str, LLM], Awaitable[Written]]

NO_MODEL = "This needs a chat model, and none is connected; the question was searched for as it stands."


async def over(
    question: Question, tools: Tools, rewrite: Rewrite, doing: str, *, words: bool
) -> AsyncIterator[Step | Notice | Passages]:
    """The best of all rankings together; what the model wrote weighs, in all, as much as the question itself.

    With `words`, what it wrote is searched for by its words as well. Without a model, or where it fails, the question
    alone is searched for, and a Notice says so.
    """
    text = standalone(question)
    written: tuple[str, ...] = ()
    try:
        if tools.llm:
            made = await rewrite(text, tools.llm)
            written = made.texts
            yield Step("rewriting", f"{doing}: {' · '.join(written)}", usage=made.usage)
        else:
            yield Notice(NO_MODEL, failure=True)
    except FootnoteError as error:
        yield Notice(f"{error} The question was searched for as it stands.", failure=True)
    yield Step("dense", "Searching by words and by meaning")
    asked = [("", text, True, 1.0), *((f" {at}", each, words, 1 / len(written)) for at, each in enumerate(written, 1))]
    try:
        found = await asyncio.gather(*(_lists(tools, *each[:3]) for each in asked))
    except FootnoteError as error:
        yield Notice(f"{error} This was searched by words only.", failure=True)
        found = [{"lexical": await tools.lexical(text, DEPTH)}]
    lists = {name: hits for each in found for name, hits in each.items()}
    weights = {
        name: weight * (tools.understands(each) if name.startswith("dense") else 1.0)
        for (_, each, _, weight), of_each in zip(asked, found, strict=False)
        for name in of_each
    }
    fused = fuse(lists, weights)
    yield await tools.passages(fused, lists | {"fused": fused}, question.top_k)


async def _lists(tools: Tools, suffix: str, text: str, words: bool) -> Mapping[str, list[Hit]]:
    """A text's rankings, by name."""
    dense = await tools.dense(text, DEPTH) if tools.understands(text) else []
    return {f"dense{suffix}": dense} | ({f"lexical{suffix}": await tools.lexical(text, DEPTH)} if words else {})
