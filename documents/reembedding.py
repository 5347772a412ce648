"""A space on its way from begun to ready, and what is told of it; killed anywhere, it goes on where it was."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from documents import leases, spaces
from documents.indexing import BUG, LONGEST_WAIT, TRANSIENT
from documents.leases import LeaseLost, SpaceLease
from documents.models import EmbeddingSpace
from documents.rag.errors import PermanentError, TransientError
from documents.threads import in_thread

logger = logging.getLogger(__name__)

State = EmbeddingSpace.State

TELL_EVERY = 1.0
"""Seconds between two writes of how quickly it goes."""

WAIT = 30.0
"""Seconds until it is tried again, unless the endpoint asks for more."""


async def go_on() -> None:
    """Fill the space that is being built, and index it; leaves it alone where another does so.

    What stops it is written down in a sentence, and what was stored stays. Cancelled, it leaves the rest to the next.
    """
    row = await in_thread(leases.buildable().first)
    if row is None:
        return
    lease = SpaceLease(row.pk)
    if await in_thread(lease.take, leases.buildable()):
        await _Building(lease, row).run()


class _Building:
    """The work of a lease on a space."""

    def __init__(self, lease: SpaceLease, row: EmbeddingSpace) -> None:
        self.lease = lease
        self.space = spaces.space_of(row)

    async def run(self) -> None:
        try:
            async with self.lease.renewed():
                await self.build()
            await in_thread(self.lease.give_back, error="", rate=None)
        except asyncio.CancelledError:
            await in_thread(self.lease.release)
            raise
        except LeaseLost:
            logger.info("%s is not wanted any more", self.space)
        except Exception as error:
            await self.stop(error)

    async def build(self) -> None:
        if await spaces.is_whole(self.space):
            return
        while await self.fill() > spaces.LAST_GAP:
            pass
        await spaces.index(self.space)

    async def fill(self) -> int:
        """Look at all chunks once; how many of them lacked their vectors."""
        began = told = time.monotonic()
        done = 0
        async for count in spaces.fill(self.space):
            done += count
            if (now := time.monotonic()) - told > TELL_EVERY:
                await in_thread(self.lease.write, rate=done / (now - began), error="")
                told = now
        return done

    async def stop(self, error: Exception) -> None:
        """Let another try again in a while, or, where that would be of no use, when somebody says so."""
        try:
            if isinstance(error, TRANSIENT):
                await self.postpone(error)
            elif isinstance(error, PermanentError):
                await in_thread(self.lease.give_back, error=str(error), rate=None)
            else:
                await in_thread(self.lease.give_back, error=BUG.format(error=type(error).__name__), rate=None)
                logger.error("%s could not be built", self.space, exc_info=error)
        except LeaseLost:
            logger.info("%s is not wanted any more", self.space)
        except (OperationalError, InterfaceError):
            logger.warning("Postgres can't be reached: %s", error)

    async def postpone(self, error: Exception) -> None:
        sentence = str(error) if isinstance(error, TransientError) else "The database can't be reached."
        asked = error.retry_after if isinstance(error, TransientError) else 0
        wait = min(max(WAIT, asked), LONGEST_WAIT)
        await in_thread(self.lease.give_back, wait=wait, error=sentence, rate=None)


# --- Told -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """How many of all chunks have vectors in a space, and how quickly (chunks a second) more are made."""

    model: str
    dimensions: int
    state: str
    chunks: int
    of: int
    rate: float | None
    seconds_left: float | None
    error: str

    def __str__(self) -> str:
        said = f"{self.model} ({self.dimensions} dimensions): {self.state}, {self.chunks:,} of {self.of:,} chunks"
        if self.rate:
            said += f", {self.rate:,.0f} a second, {_time(self.seconds_left or 0)} left"
        return f"{said}. {self.error}" if self.error else said


async def standings() -> list[Standing]:
    """Of all spaces that documents are in, the live one first."""
    rows = await in_thread(lambda: list(EmbeddingSpace.objects.exclude(state=State.TRIAL).order_by("state")))
    rows.sort(key=lambda row: row.state != State.LIVE)
    return [await standing(row) for row in rows]


async def standing(row: EmbeddingSpace) -> Standing:
    space = spaces.space_of(row)
    of, missing = await spaces.all_chunks(space), await spaces.missing(space)
    is_ready = row.state == State.BUILDING and not missing and await spaces.is_indexed(space)
    is_worked_on = row.lease and row.lease_until and row.lease_until > timezone.now()
    rate = row.rate if is_worked_on and missing else None
    return Standing(
        model=row.model,
        dimensions=row.dimensions,
        state="ready" if is_ready else row.state,
        chunks=max(of - missing, 0),
        of=of,
        rate=rate,
        seconds_left=missing / rate if rate else None,
        error=row.error,
    )


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
