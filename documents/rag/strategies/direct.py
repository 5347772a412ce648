from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from documents.rag.hydration import joined
from documents.rag.strategies.hybrid import hybrid
from documents.rag.strategies.tools import Tools
from documents.rag.types import Evidence, Notice, Passages, Question, Step

UNSOURCED = "No document was read for this answer: it is what the model says by itself."

TOO_MUCH = (
    "There is no chat model, and too much to quote from all of it; passages were searched for instead. "
    "Choose fewer libraries, or connect a model."
)


async def direct(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """All there is, where it has room in a prompt; else no document, and the answer is marked so.

    Where nobody can answer without documents, what hybrid finds.
    """
    whole = await tools.vector_db.whole(tools.room)
    if whole:
        documents = joined(whole)
        yield Step("whole", f"Reading all of it: {len(documents)} document{'s' if len(documents) > 1 else ''}")
        yield Passages(documents, evidence=Evidence.WHOLE)
    elif tools.llm:
        async for event in unsourced(question, tools):
            yield event
    elif whole is None:
        yield Notice(TOO_MUCH, failure=True)
        async for event in hybrid(question, tools):
            yield replace(event, by="hybrid") if isinstance(event, Passages) else event
    else:
        yield Passages(())


async def unsourced(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """No document, and plainly so."""
    yield Notice(UNSOURCED)
    yield Passages((), evidence=Evidence.NONE)
