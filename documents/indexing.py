"""Versions on their way from their files into the index, and what becomes of them when it doesn't work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError

from documents import long, members, short, spending, versions
from documents.leases import Lease, LeaseLost
from documents.models import Version
from documents.progress import announce
from documents.rag.errors import PasswordNeeded, PermanentError, TransientError
from documents.threads import in_thread

logger = logging.getLogger(__name__)

Status = Version.Status

TRANSIENT = (TransientError, OperationalError, InterfaceError, psycopg.OperationalError, ConnectionError)
TRIES = 6
LONGEST_WAIT = 3_600.0
"""Seconds, however much longer an endpoint asks to be left alone."""

BUG = "Something went wrong inside Footnote ({error}). The worker's log says more; try again after an update."


class TryAgain(Exception):
    """It did not work just now; the versions may be taken again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def index(*version_ids: int) -> None:
    """Bring versions to their end: ready and current, or failed with a sentence.

    Leaves alone what another worker has, what is finished, and where a later one is wanted. Raises TryAgain for what
    may pass by itself. Cancelled, it leaves what was done to whoever takes the versions next.
    """
    lease = Lease(*version_ids)
    try:
        taken = await in_thread(versions.take, lease)
        async with lease.renewed():
            waits = [await _Indexing(lease.of(lot), lot).run() for lot in short.lots(taken)]
    except asyncio.CancelledError:
        await in_thread(lease.release)
        raise
    except (OperationalError, InterfaceError) as error:
        logger.warning("Postgres can't be reached: %s", error)
        raise TryAgain(5) from error
    if wait := max(waits, default=0):
        raise TryAgain(wait)


class Work:
    """The work of a lease on the versions that it is for, and what becomes of them when it doesn't work."""

    waiting = Status.QUEUED
    """How they stand while they are to be tried again."""

    def __init__(self, lease: Lease, together: Sequence[Version]) -> None:
        self.lease = lease
        self.together = together

    async def run(self) -> float:
        """The seconds after which it is to be tried again, 0 where it came to an end."""
        try:
            async with spending.kept():
                await self.do()
        except TRANSIENT as error:
            return await self.postpone(error)
        except Exception as error:
            if len(self.together) > 1:
                return await self.halve()
            await self.give_up(error)
        return 0

    async def do(self) -> None:
        raise NotImplementedError

    async def halve(self) -> float:
        """Find out what is wrong with which of them."""
        middle = len(self.together) // 2
        halves = self.together[:middle], self.together[middle:]
        return max([await type(self)(self.lease.of(half), half).run() for half in halves])

    async def give_up(self, error: Exception) -> None:
        [version] = self.together
        if isinstance(error, LeaseLost):
            await in_thread(versions.forget_unless_wanted, version.pk)
        elif isinstance(error, PermanentError):
            await self.fail(str(error), needs_password=isinstance(error, PasswordNeeded))
        else:
            logger.exception("Version %s could not be indexed", version.pk)
            await self.fail(BUG.format(error=type(error).__name__))

    async def postpone(self, error: Exception) -> float:
        """Let them be tried again in a while, or fail where that has been done often enough."""
        logger.warning("Versions %s have to wait: %s", self.lease.version_ids, error)
        sentence = str(error) if isinstance(error, TransientError) else "The database can't be reached."
        attempts = 1 + min(version.attempts for version in self.together)
        if attempts == TRIES:
            await self.fail(f"{sentence} It was tried {TRIES} times; try again when that is mended.")
            return 0
        asked = error.retry_after if isinstance(error, TransientError) else 0
        seconds = min(max(2.0**attempts, asked), LONGEST_WAIT)
        await self.let_go(wait=seconds, status=self.waiting, attempts=attempts, error=sentence)
        return seconds

    async def fail(self, sentence: str, *, needs_password: bool = False) -> None:
        await self.let_go(status=Status.FAILED, error=sentence, needs_password=needs_password)

    async def let_go(self, *, status: Status, wait: float = 0, **values: Any) -> None:
        try:
            await in_thread(self.lease.give_back, wait=wait, status=status, **values)
        except LeaseLost:
            return
        for version in self.together:
            version.status, version.attempts = status, values.get("attempts", version.attempts)
        await announce(*self.together)


class _Indexing(Work):
    """One long version, or several short ones."""

    async def do(self) -> None:
        for version in self.together:
            await members.take_in(self.lease, version)
        if all(map(short.is_short, self.together)):
            await short.index(self.lease, self.together)
        else:
            [version] = self.together
            await long.index(self.lease, version)
