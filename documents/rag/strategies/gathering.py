"""A strategy at work where the question says to look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from documents.rag import rewriting
from documents.rag.errors import FootnoteError
from documents.rag.followups import background, leans
from documents.rag.freshness import asks_for_newest, newest_first
from documents.rag.queries import NOTHING_ASKED, Query, quoted, understand, where, without_operators
from documents.rag.strategies.tools import Strategy, Tools
from documents.rag.types import Evidence, Narrowing, Notice, Passages, Question, Step


async def gather(question: Question, strategy: Strategy, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """What the strategy finds in what the question narrows to.

    Passages that hold the quoted phrases come first. Others follow where the question has more words than those, as
    a half of what answers a question about "a title" doesn't name it; or where nothing holds them. Where the question
    asks for what is current, newer documents come before those that score nearly alike. A question that leans on those
    before it is written anew by the chat model, where there is one.
    """
    query = understand(question.text)
    for problem in query.problems:
        yield Notice(problem)
    if question.text and not query.text:
        yield Notice(NOTHING_ASKED)
        yield Passages(())
        return
    asked = without_operators(question)
    if tools.llm and leans(asked):
        try:
            written = await rewriting.standalone(asked, tools.llm)
            yield Step("rephrase", f"Searching for “{written.text}”", usage=written.usage, queries=written.texts)
            asked = replace(asked, text=written.text, history=())
        except FootnoteError as error:
            yield Notice(f"{error} The question was searched for together with what was asked before.", failure=True)
    if leans(asked):
        yield Step("follow-up", f"Taking it together with “{' '.join(background(asked).split())}”")
    fresh = asks_for_newest(asked.text)
    if fresh:
        yield Step("freshness", "Preferring newer documents")
        asked = replace(asked, top_k=2 * question.top_k)
    passages = Passages(())
    for narrowing in _wider(query.narrowing):
        if step := _looking(narrowing, query):
            yield Step("narrowing", step)
        async for event in strategy(asked, tools.narrowed(narrowing)):
            if isinstance(event, Passages) and event.evidence is not Evidence.FOUND:
                yield event
                return
            if isinstance(event, Passages):
                found = newest_first(event.found) if fresh else event.found
                passages = _joined(passages, replace(event, found=found), question.top_k)
            else:
                yield event
        if len(passages.found) == question.top_k or (passages.found and query.only_phrases):
            break
        if not passages.found and narrowing != Narrowing():
            yield Notice(_nothing_found(narrowing))
    yield passages


def _wider(narrowing: Narrowing) -> list[Narrowing]:
    """What to try in turn."""
    return [narrowing, replace(narrowing, phrases=())] if narrowing.phrases else [narrowing]


def _looking(narrowing: Narrowing, query: Query) -> str:
    if narrowing != query.narrowing:
        return f"Searching beyond what holds {quoted(query.narrowing.phrases)}"
    return f"Searching {where(narrowing)}" if narrowing != Narrowing() else ""


def _joined(first: Passages, then: Passages, limit: int) -> Passages:
    there = {passage.chunk for passage in first.found}
    others = tuple(passage for passage in then.found if passage.chunk not in there)
    return replace(then, found=(first.found + others)[:limit])


def _nothing_found(narrowing: Narrowing) -> str:
    if narrowing.phrases:
        return (
            f"Nothing holds {quoted(narrowing.phrases)} literally; the words were searched for without quotation marks."
        )
    return f"Nothing was found {where(narrowing)}. Check the names and dates, or ask without them."
