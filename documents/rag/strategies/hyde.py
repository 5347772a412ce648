from __future__ import annotations

from collections.abc import AsyncIterator

from documents.rag import rewriting
from documents.rag.strategies.rewritten import over
from documents.rag.strategies.tools import Tools
from documents.rag.types import Notice, Passages, Question, Step


async def hyde(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """Hybrid, and the nearest chunks to a passage that a chat model writes as an answer (Gao et al., ACL 2023)."""
    async for event in over(question, tools, rewriting.passage, "Imagining what a document would say", words=False):
        yield event
