from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from documents.rag.communities import themes
from documents.rag.strategies.tools import Tools
from documents.rag.types import Hit, Passages, Question, Step

NAMES = 300
"""The commonest names of all that may be read, of which communities are made."""

SHOWN = 3
"""Names by which a theme is told."""


async def by_theme(question: Question, tools: Tools) -> AsyncIterator[Step | Passages]:
    """For each of the weightiest themes of all documents, the passage that names most of it, if there are any."""
    mentions = await tools.vector_db.commonest(NAMES)
    found = (await asyncio.to_thread(themes, mentions))[: question.top_k]
    if not found:
        yield Step("themes", "No names stand together in the documents")
        yield Passages(())
        return
    told = "; ".join(", ".join(theme.names[:SHOWN]) for theme in found)
    yield Step("themes", f"Found {len(found)} theme{'s' if len(found) > 1 else ''}: {told}")
    hits = list({theme.chunk: Hit(theme.chunk, float(theme.weight)) for theme in found}.values())
    passages = await tools.passages(hits, {"themes": hits}, question.top_k)
    yield replace(passages, themes={theme.chunk: theme.names[:SHOWN] for theme in reversed(found)})
