"""Between the logs in memory and Redis: one flush for all that this process writes, one reader for all it follows.

Event n is stream entry n-0, so that sending one twice can't double it, and what a restarted Redis forgot is sent again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chat.log import Draft, Entry, Log

FLUSH = 0.04
"""Seconds between two flushes, each of which takes all that this process wrote to Redis at once."""

_GATHERING = 0.02
"""Seconds in which the reader lets events gather."""

_AGAIN = 0.5
_BLOCK = 2000
KEPT = 7 * 24 * 3600
"""Seconds after which Redis forgets a log that has not ended."""

_KEPT_ENDED = 15 * 60

logger = logging.getLogger(__name__)


def stop_key(key: str) -> str:
    """Where who presses Stop tells it to whoever writes the answer."""
    return f"{key}:stop"


def connect(url: str, **options: Any) -> Redis:
    """A client that tells of a lost connection instead of hiding it."""
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options)


@dataclass(slots=True, eq=False)
class _Sent:
    log: Log
    stop: Callable[[], None] | None = None
    acknowledged: int = 0

    @property
    def due(self) -> list[Entry]:
        return self.log.entries[self.acknowledged :]


class Outbox:
    """Carries the logs that are written here to Redis, and fetches from there who pressed Stop."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url, redis_connect_func=self._begin_again)
        self._sent: dict[str, _Sent] = {}
        self._news = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._loop = asyncio.create_task(self._flush_regularly())

    async def close(self) -> None:
        """Send what is left."""
        self._loop.cancel()
        await asyncio.gather(self._loop, *filter(None, [self._sending]), return_exceptions=True)
        self._seal()
        await self._send()
        await self._redis.aclose()

    def carry(self, key: str, log: Log, *, stop: Callable[[], None] | None = None) -> None:
        """Send a log's events, those to come too, until it ends or, of one without `stop`, all are there."""
        self._sent[key] = _Sent(log, stop)
        self.tell(urgent=True)

    def written(self, key: str) -> Log | None:
        """The log of an answer that is written here."""
        sent = self._sent.get(key)
        return sent.log if sent and sent.stop else None

    def tell(self, urgent: bool) -> None:
        """There are new events."""
        self._news.set()
        if urgent:
            self._start_sending()

    def stop(self, key: str) -> bool:
        """Press Stop; False where no answer of that key is written here."""
        sent = self._sent.get(key)
        if not sent or not sent.stop:
            return False
        sent.stop()
        return True

    async def _flush_regularly(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(FLUSH)
            self._seal()
            self._start_sending()
            if not self._sent:
                self._news.clear()

    def _start_sending(self) -> None:
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())

    def _seal(self) -> None:
        for sent in self._sent.values():
            if isinstance(sent.log, Draft):
                sent.log.seal()

    async def _send(self) -> None:
        """Nobody waits for this; what fails is sent again."""
        try:
            await self._obey_stops()
            await self._send_due()
        except (RedisError, OSError) as error:
            logger.warning("Redis can't take the event log just now: %s", error)
            await asyncio.sleep(_AGAIN)

    async def _obey_stops(self) -> None:
        """Goes before what is sent, for it may make a new connection (see `_begin_again`)."""
        running = [key for key, sent in self._sent.items() if sent.stop]
        if not running:
            await self._redis.ping()
            return
        pressed = await self._redis.mget([stop_key(key) for key in running])
        for key, stopped in zip(running, pressed, strict=True):
            if stopped:
                self.stop(key)

    async def _begin_again(self, connection: Any) -> None:
        """A server that was restarted may have forgotten what it acknowledged."""
        await connection.on_connect()
        for sent in self._sent.values():
            sent.acknowledged = 0

    async def _send_due(self) -> None:
        batch = [(key, sent, due) for key, sent in self._sent.items() if (due := sent.due)]
        if not batch:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for key, _, due in batch:
            for entry in due:
                pipeline.xadd(key, {"e": entry.json}, id=f"{entry.n}-0")
            pipeline.expire(key, _KEPT_ENDED if due[-1].ends else KEPT)
        replies = iter(await pipeline.execute(raise_on_error=False))
        for key, sent, due in batch:
            self._acknowledge(key, sent, [next(replies) for _ in (*due, "expire")])

    def _acknowledge(self, key: str, sent: _Sent, replies: list[Any]) -> None:
        for reply in replies[:-1]:
            if isinstance(reply, Exception) and "equal or smaller" not in str(reply):
                raise reply
            sent.acknowledged += 1
        is_all = sent.log.ended or (sent.stop is None and not sent.due)
        if is_all and self._sent.get(key) is sent:
            del self._sent[key]


@dataclass(slots=True, eq=False)
class _Followed:
    log: Log
    followers: int = 0


class Inbox:
    """Reads from Redis, by one connection, the logs that are followed here."""

    def __init__(self, url: str) -> None:
        self._redis = connect(url)
        self._waker = connect(url)
        self._followed: dict[str, _Followed] = {}
        self._wake_key, self._woken = f"footnote:wake:{uuid.uuid4()}", "0-0"
        self._more = asyncio.Event()
        self._some = asyncio.Event()
        self._loops = [asyncio.create_task(self._wake_regularly()), asyncio.create_task(self._read_regularly())]

    async def close(self) -> None:
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._redis.aclose()
        await self._waker.aclose()

    @contextmanager
    def following(self, key: str) -> Iterator[Log]:
        """A log that is read from its beginning, as long as somebody follows it."""
        followed = self._followed.setdefault(key, _Followed(Log()))
        followed.followers += 1
        if followed.followers == 1:
            self._more.set()
            self._some.set()
        try:
            yield followed.log
        finally:
            followed.followers -= 1
            if not followed.followers:
                del self._followed[key]

    def log(self, key: str) -> Log | None:
        """The log of that key, where somebody follows it."""
        return self._followed[key].log if key in self._followed else None

    async def _wake_regularly(self) -> None:
        """The reader waits inside Redis, so only an entry in a stream of its own tells it to read more logs."""
        while True:
            await self._more.wait()
            self._more.clear()
            with suppress(RedisError, OSError):
                await self._waker.xadd(self._wake_key, {"e": ""}, maxlen=1)
                await self._waker.expire(self._wake_key, 60)

    async def _read_regularly(self) -> None:
        while True:
            await self._some.wait()
            try:
                await self._read()
            except (RedisError, OSError) as error:
                logger.warning("The event log can't be read from Redis just now: %s", error)
                await asyncio.sleep(_AGAIN)
            await asyncio.sleep(_GATHERING)
            if not self._followed:
                self._some.clear()

    async def _read(self) -> None:
        places: dict[Any, Any] = {key: f"{followed.log.last}-0" for key, followed in self._followed.items()}
        streams: Any = await self._redis.xread({self._wake_key: self._woken, **places}, block=_BLOCK)
        for name, entries in streams or ():
            key = name.decode()
            if key == self._wake_key:
                self._woken = entries[-1][0]
            elif log := self.log(key):
                for _, fields in entries:
                    log.add(Entry.read(fields[b"e"].decode()))
