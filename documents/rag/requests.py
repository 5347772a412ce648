"""Texts of several callers on their way to an endpoint: sent together, in full requests, several of them at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from itertools import groupby

from documents.rag.errors import PermanentError
from documents.rag.types import Vector

TEXTS = 64
BYTES = 290_000
"""A request may hold 300,000 tokens, and a token is at least one byte."""
IN_FLIGHT = 8


class _Caller:
    """Who waits for the vectors of `count` texts; `all_there` is done when they are there, or never will be."""

    def __init__(self, count: int) -> None:
        self.vectors: dict[int, Vector] = {}
        self.all_there: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count = count
        self.context = copy_context()
        """Where what is sent for it is noted."""

    def take(self, place: int, vector: Vector) -> None:
        self.vectors[place] = vector
        if len(self.vectors) == self._count and not self.all_there.done():
            self.all_there.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.all_there.done():
            self.all_there.set_exception(error)


@dataclass(slots=True, eq=False)
class _Waiting:
    text: str
    caller: _Caller
    place: int


class Requests:
    """Nobody waits while fewer than IN_FLIGHT requests are under way; what comes meanwhile fills the next ones."""

    def __init__(self, send: Callable[[list[str]], Awaitable[Vector]]) -> None:
        """`send` gives n texts' vectors, (n, dimensions), or raises."""
        self._send = send
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def vectors(self, texts: Sequence[str]) -> list[Vector]:
        """A vector a text, in their order. Raises what `send` does for them."""
        if not texts:
            return []
        caller = _Caller(len(texts))
        self._waiting.extend(_Waiting(text, caller, place) for place, text in enumerate(texts))
        # At the end of this turn of the loop, so that those who come in it share a request.
        asyncio.get_running_loop().call_soon(self._start)
        try:
            await caller.all_there
        finally:
            caller.all_there.cancel()
        return [caller.vectors[place] for place in range(len(texts))]

    def _start(self) -> None:
        while len(self._under_way) < IN_FLIGHT and (batch := self._next()):
            task = asyncio.create_task(self._run(batch), context=batch[0].caller.context)
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()

    def _next(self) -> list[_Waiting]:
        """As many as a request holds, but for those whose caller has gone."""
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < TEXTS:
            one = self._waiting[0]
            size += len(one.text.encode())
            if batch and size > BYTES:
                break
            self._waiting.popleft()
            if not one.caller.all_there.done():
                batch.append(one)
        return batch

    async def _run(self, batch: Sequence[_Waiting]) -> None:
        try:
            vectors = await self._send([one.text for one in batch])
        except PermanentError as error:
            await self._apart(batch, error)
        except Exception as error:
            _fail(batch, error)
        else:
            for one, vector in zip(batch, vectors, strict=True):
                one.caller.take(one.place, vector)

    async def _apart(self, batch: Sequence[_Waiting], error: PermanentError) -> None:
        """Ask for each caller alone, so that the text of one doesn't spoil it for the others."""
        callers = [list(texts) for _, texts in groupby(batch, key=lambda one: one.caller)]
        if len(callers) == 1:
            _fail(batch, error)
            return
        for texts in callers:
            await self._run(texts)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for one in batch:
        one.caller.fail(error)
