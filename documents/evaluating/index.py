"""Where a collection is indexed: in a library of its own, which nobody may read, and which goes with its runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from documents.evaluating.collection import Collection, Entry
from documents.models import Chunk, Document, EvaluationRun, Library, Version
from documents.rag.evaluation import Place
from documents.rag.system import RAGSystem
from documents.threads import in_thread
from documents.vector_db import Pool, merge
from documents.versions import CHUNKS

AT_A_TIME = 100
"""Documents that are indexed in one call."""

KEPT = timedelta(days=1)
"""How long the index of runs that were broken off is kept for their being gone on with."""


def index_of(runs: Sequence[EvaluationRun], collection: Collection) -> Library:
    """The runs' library, with a row for each document; made where they have none yet."""
    return runs[0].index or _make(runs, collection)


@transaction.atomic
def _make(runs: Sequence[EvaluationRun], collection: Collection) -> Library:
    library = Library.objects.create(name=f"Evaluation of {collection.name}"[:200])
    documents = Document.objects.bulk_create(
        Document(library=library, source=entry["id"], name=entry["id"][:255], title=entry.get("title", "")[:500])
        for entry in collection.corpus
    )
    versions = Version.objects.bulk_create(
        Version(document=document, media_type="text/plain", bytes=0, status=Version.Status.EMBEDDING)
        for document in documents
    )
    for document, version in zip(documents, versions, strict=True):
        document.current = version
    Document.objects.bulk_update(documents, ["current"], batch_size=1000)
    EvaluationRun.objects.filter(pk__in=[run.pk for run in runs]).update(index=library)
    return library


async def complete(
    library: Library, collection: Collection, system: RAGSystem, pool: Pool, tell: Callable[[str, int, int], None]
) -> None:
    """Index what of the collection isn't in the library yet."""
    versions = await in_thread(_waiting, library)
    left = [entry for entry in collection.corpus if entry["id"] in versions]
    total = len(collection.corpus)
    for start in range(0, len(left), AT_A_TIME):
        tell("indexing", total - len(left) + start, total)
        lot = left[start : start + AT_A_TIME]
        await system.index_documents([entry["text"] for entry in lot], [_metadata(e, library, versions) for e in lot])
        await in_thread(_are_ready, [versions[entry["id"]] for entry in lot])
    tell("indexing", total, total)
    await merge(pool, library.pk)


def _waiting(library: Library) -> dict[str, int]:
    """Source → version, of the documents that aren't indexed yet, or only in part."""
    waiting = Document.objects.filter(library=library).exclude(current__status=Version.Status.READY)
    return dict(waiting.values_list("source", "current"))


def _metadata(entry: Entry, library: Library, versions: dict[str, int]) -> dict[str, object]:
    title = entry.get("title", "")
    return {"source": entry["id"], "title": title, "library": library.pk, "version": versions[entry["id"]]}


def _are_ready(versions: Sequence[int]) -> None:
    Version.objects.filter(pk__in=versions).update(status=Version.Status.READY, chunks_indexed=CHUNKS)


def places_in(library: Library) -> dict[str, Place]:
    """Source → the document, anywhere in it."""
    chunks: dict[int, set[int]] = {}
    for version, chunk in Chunk.objects.filter(version__document__library=library).values_list("version", "pk"):
        chunks.setdefault(version, set()).add(chunk)
    rows = Document.objects.filter(library=library).values_list("source", "pk", "current")
    return {source: Place(source, document, chunks.get(version, set())) for source, document, version in rows}


def abandoned() -> QuerySet[Library]:
    """Libraries of runs that are all finished, or that nobody has gone on with for a day."""
    of_late = Q(started__gt=Now() - KEPT) | Q(lease_until__gt=Now() - KEPT)
    kept = ~Q(state=EvaluationRun.State.FINISHED) & of_late | Q(lease_until__gt=Now())
    wanted = EvaluationRun.objects.filter(kept).exclude(index=None)
    return Library.objects.filter(indexed_for__isnull=False).exclude(pk__in=wanted.values("index")).distinct()


def tidy() -> None:
    """Remove what a crash left behind, once nobody will go on with it."""
    for library in abandoned():
        remove(library)


def remove(library: Library) -> None:
    # By itself: chunks of many versions at once are far quicker.
    Chunk.objects.filter(version__document__library=library).delete()
    library.delete()
