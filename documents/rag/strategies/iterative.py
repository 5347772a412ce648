from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from documents.rag.errors import FootnoteError
from documents.rag.queries import quoted
from documents.rag.strategies.hybrid import Ranked, ranked
from documents.rag.strategies.tools import Tools
from documents.rag.sufficiency import judged, missing
from documents.rag.types import Hit, Notice, Passages, Question, Role, Step

ROUNDS = 3

SOURCES = 5
"""Passages whose names are followed in a round."""

BRIDGE = 0.5
"""What a passage that another one names, by its title or the heading it stands under, gets of that one's score."""

OWN = 0.8
"""And what of its own."""

FOLLOWED = 0.6
"""What the best passages of a follow-up query score at least, as a part of the best score there is."""

BEST = 2
"""How many of them."""

NAMESAKES = 8
"""Places that one name leads to, at most."""


async def iterative(question: Question, tools: Tools) -> AsyncIterator[Step | Notice | Passages]:
    """What hybrid finds, and what that leads to, in at most three rounds; it ends where nothing new comes.

    A round follows the names in the best passages to what bears them as title or heading, and looks for what the
    question names and none of the passages holds. A chat model, where there is one, says whether they are enough, and
    what to look for instead; where it fails, the rules go on. docs/benchmarks.md has what was measured.
    """
    async for event in ranked(question, tools):
        if isinstance(event, Ranked):
            board = Board(event, question.found)
        else:
            yield event
    judge, number, why = tools.llm, 1, "the rounds are over"
    while number < ROUNDS:
        passages = await tools.vector_db.passages(board.best(question.top_k))
        queries: Sequence[str] = missing(question.text, passages)
        if judge:
            try:
                written = await judged(question.text, passages, judge, f"=== {secrets.token_hex(8)} ===")
                verdict = "not enough yet" if written.texts else "enough"
                yield Step("judge", f"{judge.name} finds the passages {verdict}", usage=written.usage)
                if not written.texts:
                    why = f"so says {judge.name}"
                    break
                queries = written.texts
            except FootnoteError as error:
                yield Notice(f"{error} Whether the passages are enough was decided by rules.", failure=True)
                judge = None
        there = board.best(question.top_k)
        followed = await board.follow_names(tools, question.top_k)
        new = await asyncio.gather(*(board.search(query, tools) for query in queries))
        searched = [query for query, came in zip(queries, new, strict=True) if came]
        if board.best(question.top_k) == there:
            why = "nothing new came"
            break
        number += 1
        yield Step("round", f"Round {number}: {_doing(followed, searched)}", queries=(*followed, *searched))
    yield Step("enough", f"Ended after {number} round{'s' if number > 1 else ''}: {why}")
    yield await tools.passages(board.ranking(), board.lists, question.top_k)


class Board:
    """Every chunk that was found, with its score; scores only rise."""

    def __init__(self, first: Ranked, found: Sequence[int]) -> None:
        self._own = defaultdict[int, float](float, {hit.chunk: hit.score for hit in first.fused})
        self._hits = {hit.chunk: hit for hit in first.fused}
        self._lists = first.lists
        self._sources: set[int] = set()
        self._queries: set[str] = set()
        for chunk in found:
            self._lift(chunk, self._highest())

    @property
    def lists(self) -> dict[str, list[Hit]]:
        return self._lists | {"followed": self.ranking()}

    def ranking(self) -> list[Hit]:
        return sorted(self._hits.values(), key=lambda hit: -hit.score)

    def best(self, count: int) -> list[Hit]:
        return self.ranking()[:count]

    async def follow_names(self, tools: Tools, count: int) -> list[str]:
        """Lift what the best passages name; the names that lead to one of the `count` best now."""
        sources = {hit.chunk: hit.score for hit in self.best(SOURCES) if hit.chunk not in self._sources}
        self._sources |= sources.keys()
        said = defaultdict[str, list[int]](list)
        for mention in await tools.vector_db.mentions_in(list(sources)):
            if mention.role is not Role.TITLE:
                said[mention.key].append(mention.chunk)
        led: dict[int, str] = {}
        for mention in await tools.vector_db.mentions_of(list(said), NAMESAKES):
            scores = [sources[chunk] for chunk in said[mention.key] if chunk != mention.chunk]
            if mention.role is not Role.NAME and scores:
                bridged = BRIDGE * max(scores) + OWN * self._own[mention.chunk]
                if self._lift(mention.chunk, bridged, mention.signature):
                    led[mention.chunk] = mention.name
        return list(dict.fromkeys(led[hit.chunk] for hit in self.best(count) if hit.chunk in led))

    async def search(self, query: str, tools: Tools) -> bool:
        """Lift the best that a follow-up query finds; whether that was anything new."""
        if query in self._queries:
            return False
        self._queries.add(query)
        async for event in ranked(Question(query), tools):
            if isinstance(event, Ranked):
                found = sorted(event.fused, key=lambda hit: -hit.score - self._own[hit.chunk] / 2)[:BEST]
        lifted = [self._lift(hit.chunk, FOLLOWED * self._highest(), hit.signature) for hit in found]
        return any(lifted)

    def _highest(self) -> float:
        return max((hit.score for hit in self._hits.values()), default=1.0)

    def _lift(self, chunk: int, score: float, signature: Sequence[int] = ()) -> bool:
        """Whether its score rose."""
        before = self._hits.get(chunk)
        if before and before.score >= score:
            return False
        self._hits[chunk] = Hit(chunk, score, before.signature if before else signature)
        return True


def _doing(followed: Sequence[str], searched: Sequence[str]) -> str:
    doing = [f"following {quoted(followed)}"] if followed else []
    doing += [f"looking for {quoted(searched)}"] if searched else []
    return " and ".join(doing) or "following what the passages name"
