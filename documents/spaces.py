"""Embedding spaces side by side: one serves while another is built, and they change places in one step."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Exists, OuterRef
from psycopg import sql

from documents import wiring
from documents.endpoints import StaysHere, embeds_outside, kept_here
from documents.gaps import Gaps
from documents.models import Embedding, EmbeddingSpace
from documents.rag.embedding import LocalEmbedding
from documents.rag.errors import PermanentError
from documents.threads import in_thread
from documents.vector_db import Space, add_space, index_name, index_statement

State = EmbeddingSpace.State

LAST_GAP = 512
"""Chunks that may be embedded while indexing waits: what a few requests hold."""

ALMOST = 20_000
"""Chunks that may be embedded on the way to a change of places; with more missing, it is refused."""


class Refused(PermanentError):
    """This can't be done with the embedding spaces as they are."""


def _not_whole(row: EmbeddingSpace, lacking: int) -> Refused:
    missing = "1 chunk is" if lacking == 1 else f"{lacking:,} chunks are"
    return Refused(f"{missing} missing in {row}. Run `manage.py reembed --model {row.model}`.")


def space_of(row: EmbeddingSpace) -> Space:
    return Space(row.pk, row.model, row.dimensions, row.full_dimensions, row.query_prefix, row.passage_prefix)


def differs_from_setting() -> str:
    """That the live space is of another model than EMBEDDING_MODEL names, and what to do; empty where it isn't."""
    live, wanted = in_state(State.LIVE), settings.EMBEDDING_MODEL or LocalEmbedding.name
    if live is None or live.model == wanted:
        return ""
    return (
        f"Documents are embedded by {live.model}, but the setting names {wanted}. "
        f"Run `manage.py reembed --model {wanted}`, or set EMBEDDING_MODEL={live.model}."
    )


def in_state(state: State) -> EmbeddingSpace | None:
    return EmbeddingSpace.objects.filter(state=state).first()


# --- Begun, and thrown away -----------------------------------------------------------------------


async def begin(model: str, dimensions: int | None = None) -> EmbeddingSpace:
    """The space of a model, which is built from now on: the one that was begun or retired, or a new one.

    A retired one of another model is thrown away. Raises Refused, or what is wrong with the model.
    """
    if begun := await in_thread(_begun, model, dimensions):
        return begun
    draft = await wiring.current().draft(model, dimensions)
    await discard(State.RETIRED)
    return await in_thread(_make, draft)


def _begun(model: str, dimensions: int | None) -> EmbeddingSpace | None:
    live, building, retired = in_state(State.LIVE), in_state(State.BUILDING), in_state(State.RETIRED)
    if live is None:
        raise Refused("There is no document yet. Set EMBEDDING_MODEL, and the first one is embedded by that model.")
    if _is_of(live, model, dimensions):
        raise Refused(f"{live} is live already.")
    if building and not _is_of(building, model, dimensions):
        raise Refused(f"{building} is being built. Promote or discard it first.")
    found = building or (retired if retired and _is_of(retired, model, dimensions) else None)
    if found:
        found.state, found.error, found.lease_until = State.BUILDING, "", None
        found.save(update_fields=["state", "error", "lease_until"])
    return found


def _is_of(row: EmbeddingSpace, model: str, dimensions: int | None) -> bool:
    return row.model == model and dimensions in (None, row.dimensions)


def _make(draft: Space) -> EmbeddingSpace:
    try:
        return EmbeddingSpace.objects.create(**{**asdict(draft), "id": None})
    except IntegrityError as error:
        raise Refused("Another space has just been begun. Look how things stand by `manage.py reembed`.") from error


async def discard(*states: State) -> list[EmbeddingSpace]:
    """Throw away the spaces in these states, with their vectors and indexes; which they were."""
    rows = await in_thread(lambda: list(EmbeddingSpace.objects.filter(state__in=states)))
    for row in rows:
        await _throw_away(row)
    return rows


async def _throw_away(row: EmbeddingSpace) -> None:
    """Unless it has been put in force in the meantime."""
    if (await in_thread(EmbeddingSpace.objects.filter(pk=row.pk, state=row.state).delete))[0]:
        await _drop_index(space_of(row))


# --- Chosen to be measured ----------------------------------------------------------------------


async def of_model(model: str, *, on_trial: bool = False) -> Space | None:
    """The space of a model in which documents are, or that is on trial; None for the live one, if there is any yet.

    Raises Refused where there is none, or where some documents are missing in it.
    """
    live = await in_thread(in_state, State.LIVE)
    if live is None or live.model == model:
        return None
    states = [State.TRIAL] if on_trial else [State.BUILDING, State.RETIRED]
    row = await in_thread(EmbeddingSpace.objects.filter(model=model, state__in=states).first)
    if row is None:
        raise Refused(f"Nothing is embedded by {model}. Build a space by `manage.py reembed --model {model}` first.")
    if lacking := 0 if on_trial else await missing(space_of(row)):
        raise _not_whole(row, lacking)
    return space_of(row)


async def try_out(model: str) -> None:
    """See that a collection can be embedded by a model: where it isn't the live one's, in a space on trial."""
    await wiring.current().database([])  # Makes the live space, where there is none yet.
    live, same = await in_thread(in_state, State.LIVE), EmbeddingSpace.objects.filter(model=model)
    if (live and live.model == model) or await in_thread(same.filter(state=State.TRIAL).exists):
        return
    like = await in_thread(same.first)
    draft = space_of(like) if like else await wiring.current().draft(model)
    await add_space(wiring.current().pool, draft, State.TRIAL)


async def end_trials() -> None:
    """Throw away spaces on trial in which nothing is left."""
    filled = Embedding.objects.filter(space=OuterRef("pk"))
    for row in await in_thread(lambda: list(EmbeddingSpace.objects.filter(~Exists(filled), state=State.TRIAL))):
        await _throw_away(row)


# --- Filled, and indexed ----------------------------------------------------------------------------


async def fill(space: Space) -> AsyncGenerator[int]:
    """Embed what the space lacks now; tells of each batch how many chunks it had. Raises StaysHere."""
    if embeds_outside(space.model) and (kept := await in_thread(lambda: kept_here().first())):
        raise StaysHere(
            f"{space.model} is external, and the library “{kept}” is for own endpoints only. "
            "Choose a model of your own, or let its owner take that back."
        )
    model = await wiring.current().embedding_model(space)
    system = await wiring.current().system([], space=space)
    gaps = Gaps(wiring.current().pool, space)
    async with aclosing(gaps.close(system, model.batch)) as filled:
        async for count in filled:
            yield count


async def missing(space: Space) -> int:
    """How many chunks have no vectors in it."""
    return await Gaps(wiring.current().pool, space).count()


async def all_chunks(space: Space) -> int:
    """How many chunks are to have vectors in it."""
    return await Gaps(wiring.current().pool, space).of()


async def is_whole(space: Space) -> bool:
    """Whether it can be put in force as it is."""
    return await is_indexed(space) and not await missing(space)


async def is_indexed(space: Space) -> bool:
    async with wiring.current().pool.connection() as connection:
        rows = await (await connection.execute(_IS_VALID, [index_name(space)])).fetchall()
    return rows == [(True,)]


async def index(space: Space) -> None:
    """Index a space that is filled: five times quicker than to let it grow, and nobody has to wait meanwhile."""
    if await is_indexed(space):
        return
    await _drop_index(space)  # Of one that was broken off, a part is left.
    async with wiring.current().pool.connection() as connection:
        await connection.execute(_STOP_WITH_US)
        await connection.execute(index_statement(space, concurrently=True))


async def _drop_index(space: Space) -> None:
    async with wiring.current().pool.connection() as connection:
        await connection.execute(_DROP.format(index=sql.Identifier(index_name(space))))


_IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"

_DROP = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {index}")

# Else Postgres would go on with it after we were killed, and whoever comes next had to wait.
_STOP_WITH_US = "SET client_connection_check_interval = '2s'"


# --- Put in force -----------------------------------------------------------------------------------


async def put_in_force(row: EmbeddingSpace) -> None:
    """Let a space serve in the place of the live one, in one step, when every chunk has its vectors there.

    What came in since it was built is embedded first, the last of it while indexing waits: so no chunk is ever without
    vectors in the live space. Raises Refused where that is too much, or what is wrong with the model; then all stays as
    it was.
    """
    space = space_of(row)
    while (lacking := await missing(space)) > LAST_GAP:
        if lacking > ALMOST:
            raise _not_whole(row, lacking)
        await _fill(space)
    await index(space)
    async with wiring.current().pool.connection() as connection, connection.transaction():
        held = await (await connection.execute(_HOLD_UP_INDEXING, [space.id])).fetchall()
        if (space.id,) not in held:
            raise Refused(f"{row} has just been thrown away.")
        await _fill(space)
        await connection.execute(_RETIRE)
        await connection.execute(_PUT_IN_FORCE, [space.id])


async def _fill(space: Space) -> None:
    async for _ in fill(space):
        pass


# Stores in other transactions hold the row of the space that they store in (statements.KEEP_SERVING).
_HOLD_UP_INDEXING = """
SELECT id FROM documents_embeddingspace WHERE state = 'live' OR id = %s ORDER BY id FOR NO KEY UPDATE
"""

_RETIRE = "UPDATE documents_embeddingspace SET state = 'retired' WHERE state = 'live'"

_PUT_IN_FORCE = "UPDATE documents_embeddingspace SET state = 'live', error = '' WHERE id = %s"
