"""Answers as they are written, for everyone who follows them on any process.

What is written here is served from memory; Redis carries it to other processes and keeps it for a replay.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import RedisError

from chat.log import Draft, Entry, Log
from chat.relay import Inbox, Outbox, connect, stop_key


class Live:
    """This process's side of all logs; made and used on one event loop."""

    def __init__(self, url: str) -> None:
        self._outbox = Outbox(url)
        self._inbox = Inbox(url)
        self._redis = connect(url)

    async def close(self) -> None:
        """Send what is left and let go."""
        await self._outbox.close()
        await self._inbox.close()
        await self._redis.aclose()

    def draft(self) -> Draft:
        """A log that nobody can follow until it is published."""
        return Draft(self._outbox.tell)

    def publish(self, answer: int, draft: Draft, *, stop: Callable[[], None]) -> None:
        """Let an answer be followed; `stop` is called when somebody presses Stop."""
        self._outbox.carry(_answer_key(answer), draft, stop=stop)

    def announce(self, conversation: uuid.UUID, *, question: int, answer: int) -> None:
        """Tell everyone who has the conversation open that an answer begins."""
        key = _conversation_key(conversation)
        log = self._inbox.log(key) or Log()
        log.add(Entry.of(answer, {"type": "asked", "question": question, "answer": answer}))
        self._outbox.carry(key, log)

    async def stop(self, answer: int) -> None:
        """Press Stop. Raises RedisError where another process writes the answer and can't be told."""
        key = _answer_key(answer)
        if not self._outbox.stop(key):
            await self._redis.set(stop_key(key), "1", ex=600)

    @contextmanager
    def following_answer(self, answer: int) -> Iterator[Log]:
        key = _answer_key(answer)
        if log := self._outbox.written(key):
            yield log
        else:
            with self._inbox.following(key) as log:
                yield log

    @contextmanager
    def following_conversation(self, conversation: uuid.UUID) -> Iterator[Log]:
        """Its events are announcements, numbered by their answers."""
        with self._inbox.following(_conversation_key(conversation)) as log:
            yield log

    async def events(self, answer: int) -> list[dict[str, Any]]:
        """All events of an answer that Redis has; none where it can't be reached."""
        try:
            entries: Any = await self._redis.xrange(_answer_key(answer))
        except (RedisError, OSError):
            return []
        return [json.loads(fields[b"e"]) for _, fields in entries]


def logged(answer: int) -> list[dict[str, Any]]:
    """All events of an answer that Redis has, for a view, which stands in no event loop of ours."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        entries: Any = client.xrange(_answer_key(answer))
    return [json.loads(fields[b"e"]) for _, fields in entries]


def forget(answers: Collection[int]) -> int:
    """Have Redis forget the events of answers that have ended; of how many it had some."""
    return _answers_of("DEL", answers)


def remembered(answers: Collection[int]) -> int:
    """Of how many of these answers Redis has events."""
    return _answers_of("EXISTS", answers)


def _answers_of(command: str, answers: Collection[int]) -> int:
    if not answers:
        return 0
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return int(client.execute_command(command, *map(_answer_key, answers)))


def _answer_key(answer: int) -> str:
    return f"footnote:answer:{answer}"


def _conversation_key(conversation: uuid.UUID) -> str:
    return f"footnote:conversation:{conversation}"
