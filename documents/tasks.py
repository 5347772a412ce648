"""What the worker is asked to do, and what it does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from threading import Thread
from typing import Any, TypeVar

from celery import Task, current_app, shared_task
from celery.signals import heartbeat_sent
from django.conf import settings
from django.core.cache import cache as shared_cache

from documents import indexing, leases, progress, wiring
from documents.upkeep import merge_blocks

Result = TypeVar("Result")

UPKEEP_SECONDS = 10


@shared_task(bind=True, max_retries=None)
def index(self: Task[[int], None], version_id: int) -> None:
    try:
        run(indexing.index(version_id))
    except indexing.TryAgain as again:
        raise self.retry(countdown=again.seconds, exc=again) from again


@shared_task(expires=UPKEEP_SECONDS)
def upkeep() -> None:
    """Queue what a killed worker or a lost queue left behind; merge small blocks of postings."""
    if not tasks_in(settings.CELERY_TASK_ROUTES[index.name]["queue"]):
        for version in leases.free().order_by("pk"):
            index.delay(version.pk)
    run(merge_blocks())


def tasks_in(queue: str) -> int:
    """How many tasks wait in a queue."""
    with current_app.connection_for_read() as connection, connection.channel() as channel:
        return int(channel.queue_declare(queue).message_count)  # type: ignore[attr-defined]


@heartbeat_sent.connect
def beat(**_: Any) -> None:
    """Every two seconds, in each worker's own process."""
    progress.beat()
    if shared_cache.add("upkeep", True, UPKEEP_SECONDS):
        upkeep.delay()


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, done on this process' own event loop, where the system stays open."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    ready: Future[asyncio.AbstractEventLoop] = Future()
    Thread(target=lambda: asyncio.run(_keep_open(ready)), name="system", daemon=True).start()
    return ready.result()


async def _keep_open(ready: Future[asyncio.AbstractEventLoop]) -> None:
    async with wiring.open_system():
        ready.set_result(asyncio.get_running_loop())
        await asyncio.Event().wait()
