"""What the worker is asked to do, and what it does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import cache
from threading import Event, Lock, Thread
from typing import Any, ParamSpec, TypeVar

from celery import Task, current_app, shared_task
from celery.signals import heartbeat_sent, worker_shutting_down
from django.conf import settings
from django.core.cache import cache as shared_cache

from documents import indexing, leases, progress, purging, recognition, reembedding, relations, strays, sync, wiring
from documents.evaluating import background
from documents.evaluating import index as evaluation_index
from documents.queueing import INDEX, RECOGNISE, REEMBED, RELATE, queue_recognition, send
from documents.upkeep import merge_blocks, renew_blocks

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

UPKEEP_SECONDS = 10
TIDY_SECONDS = 120


@shared_task(name=INDEX, bind=True, max_retries=None)
def index(self: Task[..., None], *version_ids: int) -> None:
    try:
        run(indexing.index, *version_ids)
    except indexing.TryAgain as again:
        raise self.retry(countdown=again.seconds, exc=again) from again
    except CancelledError:
        self.delay(*version_ids)


@shared_task(name=RECOGNISE)
def recognise() -> None:
    """Recognise pages as long as some wait, unless this process does so already: one thread is enough for all."""
    if _recognising.acquire(blocking=False):
        try:
            with suppress(CancelledError):
                run(recognition.recognise)
        finally:
            _recognising.release()


_recognising = Lock()


@shared_task(expires=UPKEEP_SECONDS)
def upkeep() -> None:
    """Queue what a killed worker or a lost queue left behind; erase what is due; merge and renew postings."""
    if not tasks_in(settings.CELERY_TASK_ROUTES[INDEX]["queue"]):
        send(leases.free().order_by("pk"))
    if leases.recognisable().exists() and not tasks_in(settings.CELERY_TASK_ROUTES[RECOGNISE]["queue"]):
        queue_recognition()
    if leases.buildable().exists():
        reembed.delay()
    if relations.due().exists():
        relate.delay()
    if background.waiting().exists() and not tasks_in(settings.CELERY_TASK_ROUTES[background.EVALUATE]["queue"]):
        background.queue()
    purging.erase_overdue()
    if purging.unfinished():
        purge.delay()
    if shared_cache.add("tidy", True, TIDY_SECONDS):
        strays.tidy()
        evaluation_index.tidy()
    with suppress(CancelledError):
        run(merge_blocks)
        run(renew_blocks)


@shared_task(name=REEMBED, expires=UPKEEP_SECONDS)
def reembed() -> None:
    with suppress(CancelledError):
        run(reembedding.go_on)


@shared_task(name=RELATE, expires=UPKEEP_SECONDS)
def relate() -> None:
    with suppress(CancelledError):
        run(relations.read)


@shared_task(name=purging.PURGE, expires=UPKEEP_SECONDS)
def purge() -> None:
    purging.work_off()


@shared_task(name=sync.SYNC)
def bring_in_step(source_id: int) -> None:
    with suppress(CancelledError):
        run(sync.sync, source_id)


@shared_task(name=background.EVALUATE)
def evaluate() -> None:
    """Do the evaluations that wait, unless this process does so already."""
    if _evaluating.acquire(blocking=False):
        try:
            with suppress(CancelledError):
                run(background.work_off)
        finally:
            _evaluating.release()


_evaluating = Lock()


@shared_task(name="documents.tasks.fetch_due")
def fetch_due() -> None:
    """Beat asks for it; what is due stands in Postgres, so it does no harm that several do."""
    sync.fetch_due()


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


# --- The worker's event loop --------------------------------------------------------------------

_at_work: set[asyncio.Task[Any] | None] = set()
_opening = Lock()
_stopping = Event()


def run(work: Callable[Parameters, Awaitable[Result]], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """The result of `work`, done on this process' one event loop, where the system stays open.

    Raises CancelledError where it was broken off because the worker shuts down.
    """

    async def working() -> Result:
        if _stopping.is_set():
            raise asyncio.CancelledError
        task = asyncio.current_task()
        _at_work.add(task)
        try:
            return await work(*args, **kwargs)
        finally:
            _at_work.discard(task)

    return asyncio.run_coroutine_threadsafe(working(), _loop()).result()


@worker_shutting_down.connect
def break_off(**_: Any) -> None:
    """End what is being done: it goes on where it was at the next start."""
    _stopping.set()
    _loop().call_soon_threadsafe(lambda: [task.cancel() for task in _at_work if task])


def _loop() -> asyncio.AbstractEventLoop:
    with _opening:
        return _opened()


@cache
def _opened() -> asyncio.AbstractEventLoop:
    ready: Future[asyncio.AbstractEventLoop] = Future()
    Thread(target=lambda: asyncio.run(_keep_open(ready)), name="system", daemon=True).start()
    return ready.result()


async def _keep_open(ready: Future[asyncio.AbstractEventLoop]) -> None:
    async with wiring.open_system():
        ready.set_result(asyncio.get_running_loop())
        await asyncio.Event().wait()
