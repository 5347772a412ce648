from __future__ import annotations

from collections.abc import AsyncIterator

from documents.rag.entities import key, names
from documents.rag.fusion import fuse
from documents.rag.graph import links, walk
from documents.rag.queries import quoted
from documents.rag.routing import asks_for_themes
from documents.rag.strategies.hybrid import Ranked, ranked
from documents.rag.strategies.themes import by_theme
from documents.rag.strategies.tools import Tools
from documents.rag.types import Notice, Passages, Question, Role, Step

BEST = 10
"""Chunks whose names are followed."""

CANDIDATES = 30
"""Chunks of which a walk begins, each by its score."""

PLACES = 8
"""Places of one name that are looked at."""

WEIGHT = 1.5
"""How much more the walk says than either of hybrid's rankings."""


async def graph(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """What hybrid finds, and what a walk along the names in it comes to, together (`documents.rag.graph`).

    Where nothing leads on, it is what hybrid finds. What is asked about all documents together is answered by theme.
    """
    if asks_for_themes(question.text):
        async for told in by_theme(question, tools):
            if not isinstance(told, Passages):
                yield told
            elif told.found:
                yield told
                return
    async for event in ranked(question, tools):
        if isinstance(event, Ranked):
            found = event
        else:
            yield event
    best = [hit.chunk for hit in found.fused[:BEST]]
    best += [chunk for chunk in question.found if chunk not in best]
    first_word = question.text.partition(" ")[0]  # It has a capital in any case.
    asked = {key(name) for name in (*names(question.text), first_word)}
    said = await tools.vector_db.mentions_in(best)
    keys = asked | {mention.key for mention in said}
    linked = links([*said, *await tools.vector_db.mentions_of(keys, PLACES)])
    begun = [mention.name for mention in linked if mention.key in asked and mention.role is not Role.NAME]
    if begun:
        yield Step("entities", f"Beginning from {quoted(list(dict.fromkeys(begun))[:3])}")
    walked = walk(linked, _scores(found, question), asked) if linked else []
    yield Step("walk", f"Following {len(linked)} links between passages" if linked else "No name leads any further")
    lists = {"graph": walked, "lexical": found.lexical, "dense": found.dense}
    fused = fuse(lists, {"dense": tools.understands(question.text), "graph": WEIGHT})
    yield await tools.passages(fused, lists | {"fused": fused}, question.top_k)


def _scores(found: Ranked, question: Question) -> dict[int, float]:
    scores = {hit.chunk: hit.score for hit in found.fused[:CANDIDATES]}
    highest = max(scores.values(), default=1.0)
    return scores | dict.fromkeys(question.found, highest)
