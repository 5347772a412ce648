"""What belongs to nothing any more: counted for `doctor`, and taken away by upkeep where that is safe."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import connection

from documents import erasure
from documents.erasure import Lot
from documents.models import ErasedVersion, Version

FOLDER = "documents"
"""Of the storage, in which files are kept."""

MARGIN = timedelta(minutes=1)
"""By how much the clocks of the storage and of Postgres may differ."""

SUSPECT = timedelta(days=1)
"""How old it may be: what has lain there longer may belong to another database, and only `doctor` says so."""

WITHOUT_A_CHUNK = """
        SELECT count(*) FROM documents_{of_chunks} WHERE chunk_id NOT IN (SELECT id FROM documents_chunk)"""

IN_ANOTHER_LIBRARY = """
        SELECT count(*) FROM documents_{of_chunks} AS of_chunks JOIN documents_chunk AS chunk ON chunk.id = chunk_id
        JOIN documents_version AS version ON version.id = version_id
        JOIN documents_document AS document ON document.id = document_id
        WHERE of_chunks.library_id <> document.library_id"""

ORPHANS = {
    "chunks without an embedding": """
        SELECT count(*) FROM documents_chunk AS chunk JOIN documents_version AS version ON version.id = version_id
        JOIN documents_document AS document ON document.id = document_id
        WHERE NOT EXISTS (
            SELECT FROM documents_embedding AS embedding JOIN documents_embeddingspace AS space
            ON space.id = space_id AND state = 'live' WHERE chunk_id = chunk.id)
        AND NOT EXISTS (SELECT FROM documents_evaluationrun WHERE index_id = library_id)""",
    "chunks without postings": """
        SELECT count(*) FROM documents_chunk WHERE id NOT IN (SELECT chunk FROM listed)""",
    "postings without a chunk": """
        SELECT count(*) FROM listed WHERE chunk NOT IN (SELECT id FROM documents_chunk)""",
    "chunks in two blocks of postings": """
        SELECT count(*) - count(DISTINCT chunk) FROM listed""",
    "chunks of a version that is neither current nor about to be": """
        SELECT count(*) FROM documents_chunk AS chunk WHERE NOT EXISTS (
            SELECT FROM documents_document AS document WHERE chunk.version_id IN (current_id, latest_id))""",
    "pages without a version": """
        SELECT count(*) FROM documents_page WHERE version_id NOT IN (SELECT id FROM documents_version)""",
    "versions without a document": """
        SELECT count(*) FROM documents_version WHERE document_id NOT IN (SELECT id FROM documents_document)""",
    "blocks of postings of a version that is gone, or in another library than its document": """
        SELECT count(*) FROM documents_block AS block, unnest(versions) AS listed
        LEFT JOIN documents_version AS version ON version.id = listed
        LEFT JOIN documents_document AS document ON document.id = document_id
        WHERE block.library_id IS DISTINCT FROM document.library_id""",
    "postings without their block": """
        SELECT count(*) FROM documents_posting AS posting LEFT JOIN documents_block AS block ON block.id = block_id
        WHERE posting.library_id IS DISTINCT FROM block.library_id""",
    "ready documents whose chunks are not all there": """
        SELECT count(*) FROM documents_document AS document JOIN documents_version AS version ON version.id = current_id
        WHERE status = 'ready' AND chunks_indexed <> (
            SELECT count(*) FROM documents_chunk AS chunk WHERE chunk.version_id = version.id)""",
    **{
        f"{of_chunks}s {what}": query.format(of_chunks=of_chunks)
        for of_chunks in ("embedding", "mention", "relation")
        for what, query in (
            ("without a chunk", WITHOUT_A_CHUNK),
            ("in another library than their document", IN_ANOTHER_LIBRARY),
        )
    },
}

LISTED = """
WITH listed AS (
    SELECT documents_chunk_at(packed, place) AS chunk
    FROM documents_posting, generate_series(0, length(packed) / 8 - 1) AS place WHERE term = ''
)"""


# --- Rows -------------------------------------------------------------------------------------


def rows() -> dict[str, int]:
    """Rows that belong to nothing, by kind; empty where there is none."""
    found = {name: _number(LISTED + query) for name, query in ORPHANS.items()}
    for kind in erasure.ROWS:
        found |= {f"{name} of what was erased": count for name, count in kind.left(Lot([], [])).items()}
    return {name: count for name, count in found.items() if count}


def _number(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


# --- Files ------------------------------------------------------------------------------------


def stored() -> set[str]:
    """The names of all files that are kept."""
    if not default_storage.exists(FOLDER):
        return set()
    return {f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]}


def known() -> set[str]:
    """The names of all files that belong to a version, or to one whose erasing isn't finished."""
    files = erasure.FILES["files"]
    of_versions = {name for version in Version.objects.iterator() for name in files.keys(version)}
    erased = ErasedVersion.objects.filter(files_removed=False).values_list("files", flat=True)
    return of_versions | {key for listed in erased for kind, key, *_ in listed if kind == "files"}


def pictures() -> list[Path]:
    """Pictures of pages of no version."""
    wanted = set(Version.objects.values_list("sha256", flat=True))
    return [path for path in erasure.pictures_of("*") if path.name.partition("-")[0] not in wanted]


def files() -> dict[str, timedelta]:
    """Files that belong to nothing, and how long that has been certain.

    A file is stored before the rows that know it are committed; so it is certain of those alone that are older than all
    transactions under way.
    """
    settled, kept = _settled(), stored()  # Before it is looked what is known.
    ages: dict[str, timedelta] = {}
    for name in kept - known():
        with suppress(FileNotFoundError):  # Erased since it was listed.
            ages[name] = settled - default_storage.get_modified_time(name)
    return {name: age for name, age in ages.items() if age > timedelta(0)}


def _settled() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_TRANSACTION)
        began: datetime = cursor.fetchone()[0]
    return began - MARGIN


_OLDEST_TRANSACTION = """
SELECT coalesce(min(xact_start), clock_timestamp()) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def tidy() -> None:
    """Take away what a crash left: pictures, and files of which no row came to be committed."""
    for path in pictures():
        if time.time() - path.stat().st_mtime > MARGIN.total_seconds():
            path.unlink(missing_ok=True)
    for name, age in files().items():
        if age < SUSPECT:
            default_storage.delete(name)
