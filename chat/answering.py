"""The answers that this process writes; each goes on without its reader."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError

from chat import records
from chat.live import Live
from chat.models import Message
from chat.records import Asked, Ground
from chat.writing import Writing, interrupted
from documents.threads import in_thread

AT_A_TIME = 8
"""Questions for which passages are looked for at a time. Of many at once, the first then begin long before the last,
and the last no later than if all were begun together."""

RENEWAL = 5.0
"""Seconds between two renewals of the leases."""

T = TypeVar("T")

logger = logging.getLogger(__name__)

_open: dict[asyncio.AbstractEventLoop, Answers] = {}


@asynccontextmanager
async def open_answers() -> AsyncIterator[Answers]:
    """What this event loop answers: opened once, inside `documents.wiring.open_system`, and found by `current`."""
    loop = asyncio.get_running_loop()
    _open[loop] = Answers(Live(settings.REDIS_URL))
    try:
        await _open[loop].tidy()
        yield _open[loop]
    finally:
        await _open.pop(loop).close()


def current() -> Answers:
    """What was opened for the running event loop."""
    return _open[asyncio.get_running_loop()]


class Answers:
    """One question's story, from being asked to its answer's end, many at a time."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self._turns = asyncio.Semaphore(AT_A_TIME)
        self._writing: dict[int, Writing] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._renewing = asyncio.create_task(self._renew_regularly())

    async def close(self) -> None:
        """Break off what is being written, keeping the text so far."""
        for writing in self._writing.values():
            writing.end(Message.Status.INTERRUPTED)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._renewing.cancel()
        await self.live.close()

    async def begin(self, session: str, asked: Asked) -> Ground:
        """Begin an answer; once this returns, the question is stored. Raises a PermanentError otherwise.

        `session` is the asker's session key.
        """
        return await asyncio.shield(self._spawn(self._begin(session, asked)))

    async def _begin(self, session: str, asked: Asked) -> Ground:
        ground = await self._look_up_in_turn(session, asked)
        writing = Writing(ground, self.live.draft())
        self._spawn(self._end_turn(writing))
        try:
            await in_thread(records.store, ground)
        except BaseException:
            writing.end(Message.Status.FAILED)
            raise
        self._writing[ground.answer] = writing
        self._spawn(self._finish(writing))
        self.live.publish(ground.answer, writing.draft, stop=lambda: writing.end(Message.Status.STOPPED))
        self.live.announce(ground.conversation, question=ground.question, answer=ground.answer)
        return ground

    async def _look_up_in_turn(self, session: str, asked: Asked) -> Ground:
        await self._turns.acquire()
        try:
            ground = await in_thread(records.look_up, session, asked)
            if ground.stale:
                await self.interrupt([ground.stale])
        except BaseException:
            self._turns.release()
            raise
        return ground

    async def _end_turn(self, writing: Writing) -> None:
        await writing.gathered.wait()
        self._turns.release()

    async def _finish(self, writing: Writing) -> None:
        try:
            await writing.finish()
        finally:
            del self._writing[writing.answer]

    async def interrupt(self, answers: Iterable[int]) -> None:
        """Turn answers whose writer is gone into interrupted ones, with the text that their log still has."""
        for answer in answers:
            outcome = interrupted(await self.live.events(answer))
            await in_thread(records.finish, answer, outcome)

    async def tidy(self) -> None:
        """Interrupt all answers whose writer is gone."""
        await self.interrupt(await in_thread(records.orphans))

    async def _renew_regularly(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            if self._writing:
                try:
                    await in_thread(records.renew, list(self._writing))
                except (OperationalError, InterfaceError) as error:
                    logger.warning("The answers' leases can't be renewed just now: %s", error)

    def _spawn(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
