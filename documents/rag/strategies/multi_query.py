from __future__ import annotations

from collections.abc import AsyncIterator

from documents.rag import rewriting
from documents.rag.strategies.rewritten import over
from documents.rag.strategies.tools import Tools
from documents.rag.types import Notice, Passages, Question, Step


async def multi_query(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """Hybrid, for the question and other ways to ask it, which a chat model writes."""
    async for event in over(question, tools, rewriting.rewordings, "Asking it in other words", words=True):
        yield event
