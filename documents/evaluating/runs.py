"""Runs of an evaluation: rows, question by question, that are gone on with where they were broken off."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from documents.evaluating.judged import DEPTH, Judged
from documents.evaluating.variants import Variant
from documents.leases import RENEWAL, SECONDS, Lease
from documents.models import EvaluationResult, EvaluationRun, User
from documents.rag.errors import FootnoteError
from documents.rag.evaluation import Stage, figures, means, stages
from documents.rag.system import RAGSystem
from documents.rag.types import Notice, Passages, Question
from documents.threads import in_thread

Tell = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and how far it goes."""

LOOK_EVERY = 0.5
PATIENCE = SECONDS + RENEWAL
"""Seconds after which a lease that can't be had is being renewed."""


class UnderWay(FootnoteError):
    """Another process is at work on this evaluation. Wait for it, or stop it."""


class Impaired(FootnoteError):
    """A part of what is to be measured did not work."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured on: a collection by its name, or libraries' golden questions; with a hash of it."""

    digest: str
    questions: int
    collection: str = ""
    libraries: tuple[int, ...] = ()


class RunLease(Lease):
    """The right to work on runs."""

    def _held(self) -> QuerySet[Any]:
        return EvaluationRun.objects.filter(pk__in=self.version_ids, lease=self.key)

    def release(self) -> None:
        self._held().update(lease=None, lease_until=Now())


def free() -> QuerySet[EvaluationRun]:
    """Runs that nobody works on."""
    return EvaluationRun.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))


# --- Before -----------------------------------------------------------------------------------


def begin(measured: Measured, variants: Sequence[Variant], by: User | None) -> list[EvaluationRun]:
    """A run for each variant: those that were broken off, where the same was asked for before, else new ones."""
    return _broken_off(measured, variants, by) or make(measured, variants, by)


def _broken_off(measured: Measured, variants: Sequence[Variant], by: User | None) -> list[EvaluationRun]:
    same = EvaluationRun.objects.filter(digest=measured.digest, by=by, in_background=False).select_related("index")
    for series in same.exclude(state=EvaluationRun.State.FINISHED).values_list("series", flat=True):
        runs = list(same.filter(series=series).order_by("pk"))
        if [run.variant for run in runs] == list(variants):
            return runs
    return []


@transaction.atomic
def make(
    measured: Measured, variants: Sequence[Variant], by: User | None, *, in_background: bool = False
) -> list[EvaluationRun]:
    """New runs, of one series."""
    series = uuid.uuid4()
    runs = [
        EvaluationRun.objects.create(
            series=series,
            collection=measured.collection,
            digest=measured.digest,
            questions=measured.questions,
            variant=variant,
            by=by,
            in_background=in_background,
        )
        for variant in variants
    ]
    for run in runs:
        run.libraries.set(measured.libraries)
    return runs


async def take(runs: Sequence[EvaluationRun], patience: float) -> RunLease:
    """The lease of all of them. Waits for that of a process that is gone; raises UnderWay where it isn't."""
    lease = RunLease(*(run.pk for run in runs))
    until = time.monotonic() + patience
    while len(await in_thread(lease.take, free())) < len(runs):
        if time.monotonic() > until:
            await in_thread(lease.release)
            raise UnderWay
        await asyncio.sleep(LOOK_EVERY)
    await in_thread(_are_running, runs)
    return lease


def _are_running(runs: Sequence[EvaluationRun]) -> None:
    unfinished = EvaluationRun.objects.filter(pk__in=[run.pk for run in runs], finished=None)
    unfinished.update(state=EvaluationRun.State.RUNNING, error="")


# --- Meanwhile --------------------------------------------------------------------------------


async def carry_out(
    run: EvaluationRun, questions: Sequence[Judged], system: RAGSystem, lease: RunLease, tell: Tell
) -> None:
    """Ask the questions that the run has no result for yet, and sum it up. Raises LeaseLost."""
    if run.finished:
        return
    done = await in_thread(_done, run)
    left = [question for question in questions if question.key not in done]
    for number, question in enumerate(left, len(done)):
        tell(run.variant["strategy"], number, len(done) + len(left))
        await in_thread(_keep, await _ask(run, question, system), lease)
    await in_thread(_finish, run)
    tell(run.variant["strategy"], len(done) + len(left), len(done) + len(left))


def _done(run: EvaluationRun) -> set[str]:
    return set(run.results.values_list("key", flat=True))


async def _ask(run: EvaluationRun, question: Judged, system: RAGSystem) -> EvaluationResult:
    asked = Question(question.text, question.history, top_k=DEPTH, rerank_top_n=DEPTH)
    started = time.perf_counter()
    found = await _found(system, asked, run.variant["strategy"])
    milliseconds = (time.perf_counter() - started) * 1000
    hydrated = await system.hydrated(found.found[: run.variant["top_k"]])
    return EvaluationResult(
        run=run,
        golden_id=question.golden,
        key=question.key,
        text="" if question.golden else question.text,
        figures=figures(question.ranking(found.found), question.grades),
        milliseconds=milliseconds,
        **_why(question, stages(found, hydrated, question.places)),
    )


async def _found(system: RAGSystem, question: Question, strategy: str) -> Passages:
    """Raises Impaired where something kept the strategy from doing what it is measured for."""
    found = Passages(())
    async for event in system.gather(question, strategy):
        if isinstance(event, Notice) and event.failure:
            raise Impaired(event.text)
        if isinstance(event, Passages):
            found = event
    return found


def _why(question: Judged, stages: Mapping[str, Stage]) -> dict[str, Any]:
    """How many each stage had, and of each place, where it stands and its rank in each."""
    places = [
        {
            "key": place.key,
            "document": place.document,
            "page": place.span.page if place.span else None,
            "lost": place.key in question.lost,
            **{name: stage.ranks[number] for name, stage in stages.items()},
        }
        for number, place in enumerate(question.places)
    ]
    return {"places": places, "stages": [[name, stage.length] for name, stage in stages.items()]}


def _keep(result: EvaluationResult, lease: RunLease) -> None:
    """A golden question that was removed meanwhile has no result."""
    with suppress(IntegrityError), transaction.atomic():
        lease.write()
        result.save()


# --- After ------------------------------------------------------------------------------------


def _finish(run: EvaluationRun) -> None:
    results = list(run.results.values_list("figures", "milliseconds"))
    run.figures = means([of for of, _ in results], [milliseconds for _, milliseconds in results])
    run.questions = len(results)
    run.state, run.finished, run.error = EvaluationRun.State.FINISHED, timezone.now(), ""
    run.save(update_fields=["figures", "questions", "state", "finished", "error"])


def break_off(runs: Sequence[EvaluationRun], error: str) -> None:
    """Leave unfinished runs as they are, to be gone on with: by a worker, unless an error would come again."""
    unfinished = EvaluationRun.objects.filter(pk__in=[run.pk for run in runs], finished=None)
    if not error:
        unfinished = unfinished.filter(in_background=False)
    unfinished.update(state=EvaluationRun.State.INTERRUPTED, error=error, in_background=False)
