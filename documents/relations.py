"""What passages say of what, read by a chat model in the background where a library asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from documents import spending, wiring
from documents.mentions import NAME_ENDS
from documents.models import Block, Chunk, Document, Library, Relation
from documents.rag import types
from documents.rag.entities import key
from documents.rag.errors import FootnoteError, ModelRefused, ModelUnavailable
from documents.rag.relations import relations
from documents.rag.types import LLM
from documents.threads import in_thread

AT_A_TIME = 4

AGAIN = timedelta(minutes=1)
"""Until new passages are looked for."""

SILENCE = timedelta(minutes=5)
"""How long a worker may be silent before another takes its library; and until what may pass is tried again."""

LATER = timedelta(hours=1)
"""Until what somebody has to see to is tried again."""

REFUSALS = 3
"""So many passages are refused before a model has read one, and it is the model's fault, not theirs."""

NO_MODEL = "No chat model is connected that may read them."


def due() -> QuerySet[Library]:
    """Libraries in which passages may wait, and that no worker reads."""
    wanted = Library.objects.filter(relations=True, deleted_at=None)
    return wanted.filter(Q(relations_due=None) | Q(relations_due__lte=Now()))


async def read() -> None:
    """Read what waits, library by library; what keeps one from being read is written down, and tried again later."""
    while library := await in_thread(_take):
        try:
            await _read(library)
        except ModelRefused as error:
            await in_thread(_put_off, library, LATER, str(error))
        except FootnoteError as error:
            await in_thread(_put_off, library, SILENCE, str(error))
        else:
            await in_thread(_put_off, library, AGAIN)


def switched(library: Library) -> None:
    """Begin at once where a library is to be read; else forget what was read."""
    if library.relations:
        _put_off(library, timedelta())
        return
    with transaction.atomic():
        Relation.objects.filter(library=library).delete()
        Chunk.objects.filter(version__document__library=library, related=True).update(related=False)
        # The ends of relations are names, which upkeep finds anew without them.
        Block.objects.filter(library=library).update(analysis=0)


def standing(library: Library) -> str:
    """How far it is, and why no farther; empty where it isn't wanted."""
    if not library.relations:
        return ""
    of, left = _searched(library).count(), _waiting(library).count()
    said = f"A chat model has read {of - left:,} of {of:,} passages for what they say of what."
    return f"{said} {library.relations_error}".strip()


def _searched(library: Library) -> QuerySet[Chunk]:
    documents = Document.objects.filter(library=library, deleted_at=None)
    return Chunk.objects.filter(version__in=documents.values("current"))


def _waiting(library: Library) -> QuerySet[Chunk]:
    return _searched(library).filter(related=False)


def _take() -> Library | None:
    """A library whose turn it is, ours from now on."""
    for library in due().order_by("pk"):
        if due().filter(pk=library.pk).update(relations_due=Now() + SILENCE):
            return library
    return None


def _put_off(library: Library, wait: timedelta, error: str = "") -> None:
    Library.objects.filter(pk=library.pk).update(relations_due=Now() + wait, relations_error=error)


async def _read(library: Library) -> None:
    """A passage that is refused while others are read says nothing; raises what keeps the model from reading any."""
    refused: dict[Chunk, ModelRefused] = {}
    last, is_read = 0, False
    while (is_read or len(refused) < REFUSALS) and (lot := await in_thread(_after, library, last)):
        last = lot[-1].pk
        failure: FootnoteError | None = None
        for chunk, said in await _read_together(library, lot):
            if isinstance(said, ModelRefused):
                refused[chunk] = said
            elif isinstance(said, FootnoteError):
                failure = said
            else:
                await in_thread(_store, library, chunk, said)
                is_read = True
        if failure:
            raise failure
    if refused and not is_read:
        raise next(iter(refused.values()))
    for chunk in refused:
        await in_thread(_store, library, chunk, [])


async def _read_together(
    library: Library, lot: Sequence[Chunk]
) -> list[tuple[Chunk, Sequence[types.Relation] | FootnoteError]]:
    async with spending.kept():
        llm = await _model(library)
        return list(zip(lot, await asyncio.gather(*(_said(llm, chunk) for chunk in lot)), strict=True))


async def _model(library: Library) -> LLM:
    """As it is now: where text may go, and what may be spent, can change meanwhile."""
    allowance, sentence = await in_thread(spending.allowance, None)
    if llm := await wiring.current().llm([library.pk], allowance):
        return llm
    raise ModelUnavailable(sentence if allowance and allowance.left <= 0 else NO_MODEL)


def _after(library: Library, last: int) -> Sequence[Chunk]:
    found = _waiting(library).filter(pk__gt=last).select_related("version__document")
    return list(found.order_by("pk")[:AT_A_TIME])


async def _said(llm: LLM, chunk: Chunk) -> Sequence[types.Relation] | FootnoteError:
    heading = " > ".join((str(chunk.version.document), *chunk.heading_path))
    try:
        return await relations(heading, chunk.text, llm)
    except FootnoteError as error:
        return error


def _store(library: Library, chunk: Chunk, said: Sequence[types.Relation]) -> None:
    """Keep what was read, where the passage is still there, and the library still wants it."""
    with transaction.atomic():
        wanted = Library.objects.filter(pk=library.pk, relations=True)
        document = Document.objects.select_for_update().filter(
            pk=chunk.version.document_id, library=library, deleted_at=None
        )
        if not wanted.update(relations_due=Now() + SILENCE) or not document.exists():
            return
        if not Chunk.objects.filter(pk=chunk.pk).update(related=True):
            return
        Relation.objects.bulk_create(_row(library, chunk, one) for one in said)
        with connection.cursor() as cursor:
            cursor.execute(NAME_ENDS, [[chunk.pk]])


def _row(library: Library, chunk: Chunk, one: types.Relation) -> Relation:
    return Relation(
        library=library,
        chunk=chunk,
        subject=one.subject,
        relation=one.relation,
        object=one.object,
        subject_key=key(one.subject),
        object_key=key(one.object),
    )
