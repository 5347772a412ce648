from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from documents.rag.routing import route
from documents.rag.strategies.agentic import agentic
from documents.rag.strategies.direct import unsourced
from documents.rag.strategies.graph import graph
from documents.rag.strategies.hybrid import hybrid
from documents.rag.strategies.iterative import iterative
from documents.rag.strategies.tools import Strategy, Tools
from documents.rag.types import Notice, Passages, Question, Step

_CHOICES: dict[str, Strategy] = {
    "direct": unsourced,
    "hybrid": hybrid,
    "iterative": iterative,
    "agentic": agentic,
    "graph": graph,
}


async def auto(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """What the strategy finds that suits the question, by rules (`documents.rag.routing`); says which, and why."""
    chosen = route(question, has_model=tools.llm is not None)
    yield Step("route", f"Choosing {chosen.strategy}: {chosen.reason}")
    async for event in _CHOICES[chosen.strategy](question, tools):
        yield replace(event, by=event.by or chosen.strategy) if isinstance(event, Passages) else event
