"""Hybrid retrieval for a question and for what a chat model makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

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
    asked = [_Asked("", text, 1.0, by_words=True)]
    asked += [_Asked(f" {at}", each, 1 / len(written), by_words=words) for at, each in enumerate(written, 1)]
    try:
        found = await asyncio.gather(*(each.rankings(tools) for each in asked))
    except FootnoteError as error:
        yield Notice(f"{error} This was searched by words only.", failure=True)
        found = [{"lexical": await tools.lexical(text, DEPTH)}]
    lists = {name: hits for of_one in found for name, hits in of_one.items()}
    weights = {name: weight for each in asked for name, weight in each.weights(tools).items()}
    fused = fuse(lists, weights)
    yield await tools.passages(fused, lists | {"fused": fused}, question.top_k)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A text that is searched for; its rankings have names that end in `suffix`."""

    suffix: str
    text: str
    weight: float
    by_words: bool

    async def rankings(self, tools: Tools) -> dict[str, list[Hit]]:
        found = {f"dense{self.suffix}": await tools.dense(self.text, DEPTH) if tools.understands(self.text) else []}
        if self.by_words:
            found[f"lexical{self.suffix}"] = await tools.lexical(self.text, DEPTH)
        return found

    def weights(self, tools: Tools) -> dict[str, float]:
        understood = tools.understands(self.text)
        return {f"dense{self.suffix}": self.weight * understood, f"lexical{self.suffix}": self.weight}
