"""Golden questions asked by a worker, which whoever wants to know the result needn't wait for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet

from documents import wiring
from documents.evaluating.evaluation import ask_golden_questions, measured_on
from documents.evaluating.golden import golden_questions
from documents.evaluating.runs import free, make
from documents.evaluating.variants import variants_of
from documents.models import EvaluationRun, Library, User
from documents.rag.errors import FootnoteError
from documents.threads import in_thread

EVALUATE = "documents.tasks.evaluate"


@transaction.atomic
def start(user: User, libraries: Sequence[int], strategies: Sequence[str]) -> list[EvaluationRun]:
    """A run for each strategy on the golden questions that the user may read. Raises NothingToAsk."""
    measured = measured_on(golden_questions(user, libraries), libraries)
    runs = make(measured, variants_of(strategies), user, in_background=True)
    # Where Redis is away, upkeep finds them later.
    transaction.on_commit(queue, robust=True)
    return runs


def queue() -> None:
    current_app.send_task(EVALUATE)


def waiting() -> QuerySet[EvaluationRun]:
    """Runs that are to be done by a worker, and that none works on."""
    return free().filter(in_background=True, state=EvaluationRun.State.RUNNING)


async def work_off() -> None:
    """Do what waits, one series after another, so that none takes the other's time."""
    while run := await in_thread(waiting().order_by("pk").select_related("by").first):
        with suppress(FootnoteError):  # It is written down.
            await _carry_on(run)


async def _carry_on(run: EvaluationRun) -> None:
    """With the rights that whoever asked for it has now."""
    runs = await in_thread(lambda: list(EvaluationRun.objects.filter(series=run.series).order_by("pk")))
    libraries = await in_thread(_readable, run)
    questions = await in_thread(golden_questions, run.by, libraries) if run.by else []
    await ask_golden_questions(runs, questions, libraries, wiring.current(), _say_nothing, patience=0)


def _readable(run: EvaluationRun) -> list[int]:
    readable = Library.objects.readable_by(run.by) if run.by else Library.objects.none()
    return list(readable.filter(evaluation_runs=run).values_list("pk", flat=True))


def _say_nothing(what: str, done: int, total: int) -> None:
    """The results' rows tell how far it is."""
