from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from documents.rag.errors import CannotCallTools, FootnoteError
from documents.rag.prompts import AGENT, turns
from documents.rag.strategies.desk import OUTPUT, SPECS, Desk, Done
from documents.rag.strategies.iterative import iterative
from documents.rag.strategies.tools import Tools
from documents.rag.types import LLM, ChatMessage, Hit, Notice, Passages, Question, Step, ToolCall, Usage

NO_MODEL = "An agent needs a chat model that can call tools, and none is connected; the question was taken in rounds."


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an agent is stopped: rounds, calls a round, seconds, tokens read and written, and money."""

    rounds: int = 8
    calls: int = 6
    seconds: float = 90.0
    tokens: int = 100_000
    cost: float = 1.0

    def reached(self, rounds: int, seconds: float, usage: Usage) -> str:
        """The limit that is reached, in words; empty as long as none is."""
        if rounds >= self.rounds:
            return f"{self.rounds} rounds"
        if seconds >= self.seconds:
            return f"{self.seconds:.0f} seconds"
        if usage.prompt_tokens + usage.completion_tokens >= self.tokens:
            return f"{self.tokens:,} tokens"
        return f"a cost of {self.cost:g}" if usage.cost >= self.cost else ""


LIMITS = Limits()

UNABLE: dict[str, float] = {}
"""Models that were found unable to call tools, and when; after a while they are tried again."""

_TRIED_AGAIN = 3_600.0


async def agentic(question: Question, tools: Tools, limits: Limits = LIMITS) -> AsyncIterator[Step | Notice | Passages]:
    """What a chat model finds that searches, finds, opens and cites by calls of tools, within limits.

    On a limit, or where the model fails on its way, what it has found by then counts. Where there is no model, or none
    that can call tools, the question is taken in rounds, and a Notice says so.
    """
    research = Research(question, tools, limits)
    if why := _unfit(tools.llm):
        yield Notice(why, failure=True)
    else:
        assert tools.llm
        try:
            async for step in research.run(tools.llm):
                yield step
        except CannotCallTools:
            UNABLE[tools.llm.name] = time.monotonic()
            yield Notice(_unable(tools.llm), failure=True)
        except FootnoteError as error:
            instead = (
                "The answer rests on what was found by then." if research.desk.passages else "It was taken in rounds."
            )
            yield Notice(f"{error} {instead}", failure=True)
    if found := research.desk.evidence():
        hits = [Hit(passage.chunk, passage.score) for passage in found]
        yield Passages(tuple(found[: question.top_k]), {"agent": hits})
        return
    async for event in iterative(question, tools):
        yield replace(event, by="iterative") if isinstance(event, Passages) else event


def _unfit(llm: LLM | None) -> str:
    """Why it can't be an agent; empty where it may."""
    if llm is None:
        return NO_MODEL
    lately = time.monotonic() - UNABLE.get(llm.name, -_TRIED_AGAIN) < _TRIED_AGAIN
    return _unable(llm) if llm.profile.tools is False or lately else ""


def _unable(llm: LLM) -> str:
    return f"{llm.name} can't call tools, as an agent must; the question was taken in rounds."


@dataclass(slots=True)
class Research:
    """An agent at work: what it was told, and what that cost."""

    question: Question
    tools: Tools
    limits: Limits
    desk: Desk = field(init=False)
    usage: Usage = field(default_factory=Usage)
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.desk = Desk(self.tools, self.question.top_k)

    async def run(self, llm: LLM) -> AsyncIterator[Step | Notice]:
        """Raises FootnoteError, CannotCallTools where it makes no use of its tools."""
        yield Step("agent", f"{llm.name} may search in up to {self.limits.rounds} rounds")
        messages = [*self._asked(), *await self._found_before()]
        number = useless = 0
        while not (limit := self.limits.reached(number, time.monotonic() - self.started, self.usage)):
            try:
                async with asyncio.timeout(self.limits.seconds - (time.monotonic() - self.started)):
                    calls, usage = await self._reply(llm, messages)
                    number += 1
                    done = await self.desk.answer(calls)
            except TimeoutError:
                continue  # The limit of time tells.
            if not calls:
                if number == 1:
                    raise CannotCallTools
                return
            yield _step(number, done, usage)
            if self.desk.cited:
                return
            useless = 0 if any(each.useful for each in done) else useless + 1
            if useless == 2:
                limit = "calls that lead nowhere"
                break
            messages += _exchange(calls, done)
        yield Notice(f"{llm.name} was stopped at its limit of {limit}; the answer rests on what was found by then.")

    async def _reply(self, llm: LLM, messages: Sequence[ChatMessage]) -> tuple[list[ToolCall], Usage]:
        calls: list[ToolCall] = []
        usage = Usage()
        async for piece in llm.stream(messages, tools=SPECS):
            if isinstance(piece, ToolCall):
                calls.append(piece)
            elif isinstance(piece, Usage):
                usage = piece
        self.usage += usage
        return calls[: self.limits.calls], usage

    def _asked(self) -> list[ChatMessage]:
        told = AGENT.format(rounds=self.limits.rounds, output=f"{OUTPUT:,}")
        asked = {"role": "user", "content": self.question.text}
        return [{"role": "system", "content": told}, *turns(self.question), asked]

    async def _found_before(self) -> list[ChatMessage]:
        """What an earlier answer rested on, as if the agent had searched for it."""
        if not self.question.found:
            return []
        hits = [Hit(chunk, 1.0) for chunk in self.question.found]
        self.desk.passages += await self.tools.vector_db.passages(hits)
        calls = [
            ToolCall(f"before_{at}", "open", f'{{"passage": {at}, "before": 0, "after": 0}}') for at in self._numbers()
        ]
        return _exchange(calls, await self.desk.answer(calls)) if calls else []

    def _numbers(self) -> range:
        return range(1, len(self.desk.passages) + 1)


def _step(number: int, done: Sequence[Done], usage: Usage) -> Step:
    doing = "; ".join(dict.fromkeys(each.doing for each in done))
    queries = tuple(query for each in done for query in each.queries)
    return Step("round", f"Round {number}: {doing}", usage=usage, queries=queries)


def _exchange(calls: Sequence[ToolCall], done: Sequence[Done]) -> list[ChatMessage]:
    """The calls and what they were answered, as the protocol has it."""
    told = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls
    ]
    answers = [
        {"role": "tool", "tool_call_id": call.id, "content": each.output}
        for call, each in zip(calls, done, strict=True)
    ]
    return [{"role": "assistant", "content": None, "tool_calls": told}, *answers]
