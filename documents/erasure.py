"""What is kept of documents beside their own rows, and how it goes: the one list of it, for purges and receipts.

Rows that cascade from a document, a version or a library in Django's models need no entry: they are counted by their
model's name. What doesn't, or is a file, is entered in ROWS or FILES, by other apps when they are made ready.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import QuerySet, Sum
from django.db.models.functions import Length

from documents.models import Block, Chunk, Document, Embedding, Mention, Posting, Relation, Version

Counts = Mapping[str, int]
"""How much of each kind."""


class StillInUse(Exception):
    """What is to be erased is being made use of; its erasing goes on later."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Documents and all of their versions, by their ids."""

    documents: Sequence[int]
    versions: Sequence[int]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that are made of documents: erased in a lot's transaction, before the documents go, and counted.

    Erasing may raise StillInUse.
    """

    erase: Callable[[Lot], Counts]
    left: Callable[[Lot], Counts]


@dataclass(frozen=True, slots=True)
class Files:
    """Files that are made of a version: under which keys, how many there are and their bytes, and how they go.

    A file that belongs to another version as well is neither counted nor removed.
    """

    keys: Callable[[Version], Sequence[str]]
    measure: Callable[[str], tuple[int, int]]
    remove: Callable[[str], None]


def hold(versions: Iterable[int]) -> None:
    """Keep versions from being erased until this transaction ends; those that are gone already are gone."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [list(versions)])


# Not as Django would lock them: those who work on a version needn't wait.
_HOLD = "SELECT FROM documents_version WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"


# --- The index --------------------------------------------------------------------------------


def _erase_from_index(lot: Lot) -> Counts:
    blocks = list(Block.objects.filter(versions__overlap=lot.versions).order_by("library").values("pk", "library"))
    for library in dict.fromkeys(block["library"] for block in blocks):
        take_turn(library)
    ids = [block["pk"] for block in blocks]
    before = _postings(ids)
    embeddings, _ = Embedding.objects.filter(chunk__version__in=lot.versions).delete()
    mentions, _ = Mention.objects.filter(chunk__version__in=lot.versions).delete()
    relations, _ = Relation.objects.filter(chunk__version__in=lot.versions).delete()
    chunks, _ = Chunk.objects.filter(version__in=lot.versions).delete()
    return {
        "chunks": chunks,
        "embeddings": embeddings,
        "mentions": mentions,
        "relations": relations,
        "postings": before - _postings(ids),
    }


def take_turn(library: int) -> None:
    """Keep the library's blocks from being merged, as the deletion of chunks does, but before they are measured."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock('documents_block'::regclass::integer, %s)", [library])


def _postings(blocks: Sequence[int]) -> int:
    """How often a word stands in a chunk, by the blocks; each takes eight bytes."""
    packed = Posting.objects.filter(block__in=blocks).exclude(term="").aggregate(bytes=Sum(Length("packed")))
    return (packed["bytes"] or 0) // 8


def _left_in_index(lot: Lot) -> Counts:
    blocks = Block.objects.filter(versions__overlap=lot.versions).values_list("pk", flat=True)
    with connection.cursor() as cursor:
        # What has lost its chunk could be anybody's: none may be there.
        cursor.execute(_WITHOUT_CHUNK)
        [(stray,)] = cursor.fetchall()
    return {
        "chunks": Chunk.objects.filter(version__in=lot.versions).count(),
        "embeddings": Embedding.objects.filter(chunk__version__in=lot.versions).count() + stray,
        "mentions": Mention.objects.filter(chunk__version__in=lot.versions).count(),
        "relations": Relation.objects.filter(chunk__version__in=lot.versions).count(),
        "postings": _postings(list(blocks)),
    }


_WITHOUT_CHUNK = """
SELECT count(*) FROM documents_embedding
WHERE NOT EXISTS (SELECT FROM documents_chunk AS chunk WHERE chunk.id = chunk_id)
"""


# --- The documents themselves -----------------------------------------------------------------


def erase_documents(lot: Lot) -> Counts:
    """Erase the rows of documents and all that cascades from them."""
    return by_name(Document.objects.filter(pk__in=lot.documents).delete()[1])


def by_name(counts: Mapping[str, int]) -> Counts:
    """Counts by what a model calls its objects, of those by its label."""
    return {str(apps.get_model(label)._meta.verbose_name_plural): count for label, count in counts.items()}


def documents_left(lot: Lot) -> Counts:
    """The rows of these documents and versions, and those that point at them."""
    left = Counter({"documents": Document.objects.filter(pk__in=lot.documents).count()})
    left["versions"] = Version.objects.filter(pk__in=lot.versions).count()
    for model, ids in ((Document, lot.documents), (Version, lot.versions)):
        for relation in model._meta.related_objects:
            rows = relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": ids})
            left[str(relation.related_model._meta.verbose_name_plural)] += rows.count()
    return left


# --- The admin's log --------------------------------------------------------------------------


def _logged(lot: Lot) -> QuerySet[LogEntry]:
    """What was done with these documents in the admin, by their names."""
    documents = ContentType.objects.get_for_model(Document)
    return LogEntry.objects.filter(content_type=documents, object_id__in=[str(number) for number in lot.documents])


def _erase_from_log(lot: Lot) -> Counts:
    return {"log entries": _logged(lot).delete()[0]}


def _left_in_log(lot: Lot) -> Counts:
    return {"log entries": _logged(lot).count()}


# --- Files ------------------------------------------------------------------------------------


def _stored_under(version: Version) -> list[str]:
    return [kept.name for kept in (version.file, version.unlocked) if kept.name]


def _stored(name: str) -> tuple[int, int]:
    return (1, default_storage.size(name)) if default_storage.exists(name) else (0, 0)


def _remove_stored(name: str) -> None:
    default_storage.delete(name)


def pictures_of(sha256: str) -> Iterator[Path]:
    """The pictures of pages that were made of files with this content."""
    return (settings.DATA_DIR / "cache" / "pages").glob(f"{sha256}-*.png")


def _pictures(sha256: str) -> tuple[int, int]:
    sizes = [] if _is_wanted(sha256) else [path.stat().st_size for path in pictures_of(sha256)]
    return len(sizes), sum(sizes)


def _remove_pictures(sha256: str) -> None:
    if not _is_wanted(sha256):
        for path in pictures_of(sha256):
            path.unlink(missing_ok=True)


def _is_wanted(sha256: str) -> bool:
    """Whether there is a version with this content, of whatever document."""
    return Version.objects.filter(sha256=sha256).exists()


# --- The list ---------------------------------------------------------------------------------

ROWS: list[Rows] = [Rows(_erase_from_index, _left_in_index), Rows(_erase_from_log, _left_in_log)]

FILES: dict[str, Files] = {
    "files": Files(_stored_under, _stored, _remove_stored),
    "pictures of pages": Files(lambda version: [version.sha256], _pictures, _remove_pictures),
}
