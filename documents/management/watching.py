"""Folders watched: a library is in step with them a moment after they change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from django.db.models.functions import Now
from watchfiles import awatch

from documents.management.finishing import work_off
from documents.models import Source
from documents.progress import worker_is_running
from documents.sources.types import Vanished
from documents.sync import Change, Event, sync
from documents.threads import in_thread
from documents.wiring import open_system

LOOK_AGAIN = 2_000
"""Milliseconds after which is looked for what was still being written."""

LOOK_ANYWAY = 60.0
"""Seconds after which the folders are listed though nothing was heard of them: a network's disk tells of no changes."""


async def watch(folders: Sequence[Source], tell: Callable[[Event], None]) -> None:
    """Keep a library in step with folders until cancelled; what waits is indexed here while no worker runs.

    Raises Vanished where one of them is removed as a source.
    """
    watched = [_Watched(source, tell) for source in folders]
    paths = (source.address for source in folders)
    async with open_system():
        # The first look comes once the folders are watched, so that no change falls between the two.
        async for changes in awatch(*paths, watch_filter=None, rust_timeout=LOOK_AGAIN, yield_on_timeout=True):
            for each in watched:
                if each.is_unfinished or any(path.startswith(each.source.address) for _, path in changes):
                    await each.look()


class _Watched:
    """A folder, and what was told of it."""

    def __init__(self, source: Source, tell: Callable[[Event], None]) -> None:
        self.source = source
        self._tell = tell
        self._again = True
        self._looked = 0.0
        self._complaints: set[Event] = set()

    @property
    def is_unfinished(self) -> bool:
        return self._again or time.monotonic() - self._looked > LOOK_ANYWAY

    async def look(self) -> None:
        """Bring the library in step, and say what changed; what is wrong is said once."""
        if not await in_thread(Source.objects.filter(pk=self.source.pk).update, next_run=Now()):
            raise Vanished(f"{self.source} is no source of the library any more, so it is watched no longer.")
        report = await sync(self.source.pk)
        self._again = report is None or bool(report.retry_after)
        self._looked = time.monotonic()
        if report is None:
            return
        wrong = [Event(Change.FAILED, "", self.source.address, report.error)] if report.error else []
        for event in [*report.events, *wrong]:
            if event not in self._complaints:
                self._tell(event)
        self._complaints = {event for event in [*report.events, *wrong] if event.error}
        if report.versions and not await asyncio.to_thread(worker_is_running):
            await work_off(report.versions)
