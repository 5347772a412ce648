"""An evaluation from its beginning, or where it was broken off, to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from documents import spaces
from documents.evaluating import golden, index
from documents.evaluating.collection import Collection, history
from documents.evaluating.judged import Judged
from documents.evaluating.runs import Measured, Tell, begin, break_off, carry_out, take
from documents.evaluating.variants import system_of, variant_of
from documents.models import EvaluationRun, User
from documents.rag.errors import FootnoteError, PermanentError
from documents.rag.evaluation import Place
from documents.threads import in_thread
from documents.wiring import Wiring


class NothingToAsk(PermanentError):
    """There is no golden question in these libraries whose answer stands in a document. Add one on a library's page."""


async def on_collection(
    collection: Collection, strategies: Sequence[str], wiring: Wiring, tell: Tell, *, model: str | None = None
) -> list[EvaluationRun]:
    """A finished run for each strategy, in an index of their own, which is removed then."""
    await in_thread(index.tidy)
    await spaces.end_trials()
    if model:
        await spaces.try_out(model)
    space = await spaces.of_model(model, on_trial=True) if model else None
    variants = [await variant_of(wiring, strategy, space) for strategy in strategies]
    measured = Measured(collection.digest, len(collection.queries), collection=collection.name)
    runs = await in_thread(begin, measured, variants, None)
    async with _held(runs):
        library = await in_thread(index.index_of, runs, collection)
        system = await system_of(variants[0], wiring, [library.pk], cached=True)
        await index.complete(library, collection, system, wiring.pool, tell)
        questions = _judged(collection, await in_thread(index.places_in, library))
        for run in runs:
            await carry_out(run, questions, system, tell)
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
) -> list[EvaluationRun]:
    """A finished run for each strategy, on what the user may read of these libraries. Raises NothingToAsk."""
    questions = await in_thread(golden.golden_questions, user, libraries)
    if not questions:
        raise NothingToAsk
    space = await spaces.of_model(model) if model else None
    variants = [await variant_of(wiring, strategy, space) for strategy in strategies]
    measured = Measured(golden.digest(questions), len(questions), libraries=tuple(libraries))
    runs = await in_thread(begin, measured, variants, user)
    async with _held(runs):
        for run in runs:
            await carry_out(run, questions, await system_of(run.variant, wiring, libraries, cached=False), tell)
    return runs


@asynccontextmanager
async def _held(runs: Sequence[EvaluationRun]) -> AsyncIterator[None]:
    """Work on runs that nobody else works on; what breaks it off is written down."""
    lease = await take(runs)
    try:
        async with lease.renewed():
            yield
    except BaseException as error:
        await in_thread(break_off, runs, str(error) if isinstance(error, FootnoteError) else "")
        raise
    finally:
        await in_thread(lease.release)


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
