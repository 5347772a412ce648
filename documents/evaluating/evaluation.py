"""An evaluation from its beginning, or where it was broken off, to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from django.db import InterfaceError, OperationalError

from documents import spaces, spending
from documents.evaluating import index, report
from documents.evaluating.answers import measured as measured_answers
from documents.evaluating.collection import Collection, history
from documents.evaluating.golden import digest, golden_questions
from documents.evaluating.judged import Judged
from documents.evaluating.runs import PATIENCE, Measured, RunLease, Tell, UnderWay, begin, break_off, carry_out, take
from documents.evaluating.variants import system_of, variants_of
from documents.indexing import BUG
from documents.leases import LeaseLost
from documents.models import EvaluationRun, User
from documents.rag.errors import BudgetExhausted, FootnoteError, PermanentError
from documents.rag.evaluation import Place
from documents.rag.metering import Allowance
from documents.threads import in_thread
from documents.wiring import Wiring


class NothingToAsk(PermanentError):
    """There is no golden question in these libraries whose answer stands in a document. Add one on a library's page."""


async def on_collection(
    collection: Collection,
    strategies: Sequence[str],
    wiring: Wiring,
    tell: Tell,
    *,
    model: str | None = None,
    rerank: bool | None = None,
    answers: dict[str, dict[str, float]] | None = None,
) -> list[EvaluationRun]:
    """A finished run for each strategy, in an index of their own, which is removed then.

    What its answers are worth is put into `answers` by its name, where that is given.
    """
    await in_thread(index.tidy)
    await spaces.end_trials()
    await wiring.database([])  # Makes the live space, where there is none yet.
    if model:
        await spaces.try_out(model)
    space = await spaces.of_model(model, on_trial=True) if model else None
    variants = await in_thread(variants_of, strategies, space, rerank=rerank)
    measured = Measured(collection.digest, len(collection.queries), collection=collection.name)
    runs = await in_thread(begin, measured, variants, None)
    async with _held(runs) as lease:
        library = await in_thread(index.index_of, runs, collection)
        system = await system_of(variants[0], wiring, [library.pk], cached=True)
        await index.complete(library, collection, system, wiring.pool, tell)
        questions = _judged(collection, await in_thread(index.places_in, library))
        for run in runs:
            await carry_out(run, questions, system, lease, tell)
            if answers is not None:
                name = report.strategy(run)
                answers[name] = await measured_answers(collection, system, name, tell)
        await in_thread(index.remove, library)
    await spaces.end_trials()
    return runs


async def on_golden_questions(
    user: User,
    libraries: Sequence[int],
    strategies: Sequence[str],
    wiring: Wiring,
    tell: Tell,
    *,
    model: str | None = None,
    rerank: bool | None = None,
) -> list[EvaluationRun]:
    """A finished run for each strategy, on what the user may read of these libraries. Raises NothingToAsk."""
    questions = await in_thread(golden_questions, user, libraries)
    measured = measured_on(questions, libraries)
    space = await spaces.of_model(model) if model else None
    variants = await in_thread(variants_of, strategies, space, rerank=rerank)
    runs = await in_thread(begin, measured, variants, user)
    await ask_golden_questions(runs, questions, libraries, wiring, tell)
    return runs


def measured_on(questions: Sequence[Judged], libraries: Sequence[int]) -> Measured:
    """Raises NothingToAsk."""
    if not questions:
        raise NothingToAsk
    return Measured(digest(questions), len(questions), libraries=tuple(libraries))


async def ask_golden_questions(
    runs: Sequence[EvaluationRun],
    questions: Sequence[Judged],
    libraries: Sequence[int],
    wiring: Wiring,
    tell: Tell,
    *,
    patience: float = PATIENCE,
) -> None:
    """Bring runs to their end, which search these libraries and no other."""
    async with _held(runs, patience) as lease:
        if not questions:
            raise NothingToAsk
        allowance = await in_thread(_allowance, runs[0])
        for run in runs:
            system = await system_of(run.variant, wiring, libraries, allowance=allowance)
            await carry_out(run, questions, system, lease, tell)


def _allowance(run: EvaluationRun) -> Allowance | None:
    """What whoever asks may still spend. Raises BudgetExhausted: without its models a strategy is another."""
    if run.by is None:
        return None
    allowance, sentence = spending.allowance(run.by)
    if allowance and allowance.left <= 0:
        raise BudgetExhausted(sentence)
    return allowance


@asynccontextmanager
async def _held(runs: Sequence[EvaluationRun], patience: float = PATIENCE) -> AsyncIterator[RunLease]:
    """Work on runs that nobody else works on; what breaks it off is written down. Raises UnderWay."""
    lease = await take(runs, patience)
    try:
        async with lease.renewed(), spending.kept(runs[0].by_id):
            yield lease
    except LeaseLost as lost:
        raise UnderWay from lost
    except BaseException as error:
        await in_thread(break_off, runs, _said(error))
        raise
    finally:
        await in_thread(lease.release)


def _said(error: BaseException) -> str:
    """What is wrong, in a sentence; "" where it may be gone on with as it is."""
    if isinstance(error, FootnoteError):
        return str(error)
    passes = isinstance(error, (OperationalError, InterfaceError)) or not isinstance(error, Exception)
    return "" if passes else BUG.format(error=type(error).__name__)


def _judged(collection: Collection, places: dict[str, Place]) -> list[Judged]:
    return [
        Judged(
            key=query["id"],
            text=query["text"],
            history=history(query),
            grades=collection.relevance[query["id"]],
            places=[places[document] for document in collection.relevance[query["id"]] if document in places],
        )
        for query in collection.queries
    ]
