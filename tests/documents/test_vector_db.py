"""The index in Postgres: found is what the words and vectors say, in the libraries admitted; gone is gone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from django.utils import timezone
from psycopg.errors import UniqueViolation

from documents import blocks, vector_db
from documents.models import Document, Library
from documents.rag.errors import BadVector
from documents.rag.types import Chunk, Span, Vector
from documents.vector_db import create_space, live_space, merge, remove
from tests.documents.shelf import Shelf, chunks_of, texts_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

# --- Finding ----------------------------------------------------------------------------------


async def test_it_works(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "Trains are booked in second class.", "Parents take leave.", "Lunch is at noon.")
    database = shelf.database(library)
    assert await texts_of(database, await database.lexical("Who may book a train?", 10)) == [
        "Trains are booked in second class."
    ]
    assert len(await database.dense(shelf.vectors(1)[0], 10)) == 3


async def test_a_passage_says_where_it_is_from(shelf: Shelf, library: Library) -> None:
    version = await shelf.document(library, "Trains are booked in second class.")
    database = shelf.database(library)
    (hit,) = await database.lexical("trains", 10)
    (passage,) = await database.passages([hit])
    assert passage.score == hit.score
    assert passage.spans == (Span(1, 0, 34),)
    assert passage.metadata == {
        "chunk_id": 0,
        "language": "en",
        "version": version.pk,
        "media_type": "text/markdown",
        "paged": False,
        "document": version.document_id,
        "source": "notes.md",
        "title": "notes.md",
        "name": "notes.md",
        "library": library.pk,
        "library_name": "Handbook",
        "given": version.created.date(),
    }


async def test_a_library_that_is_not_admitted_gives_nothing(shelf: Shelf, library: Library, attic: Library) -> None:
    await shelf.document(attic, "A secret train.")
    stranger, (hit,) = shelf.database(library), await shelf.database(attic).lexical("train", 10)
    for database in (stranger, shelf.database()):
        assert await database.lexical("train", 10) == []
        assert await database.dense(shelf.vectors(1)[0], 10) == []
        assert await database.passages([hit]) == []
        assert await database.neighbours([hit.chunk], 2) == {}


async def test_a_library_that_is_not_admitted_takes_nothing(shelf: Shelf, library: Library, attic: Library) -> None:
    about = {"library": attic.pk, "version": 1, "chunk_id": 0, "source": "x"}
    with pytest.raises(PermissionError):
        await shelf.database(library).add([Chunk("x", (Span(1, 0, 1),), 1, about)], [shelf.vectors(1)])


async def test_words_of_other_libraries_do_not_sway_the_scores(shelf: Shelf, library: Library, attic: Library) -> None:
    await shelf.document(library, "apple banana", "banana cherry", "cherry")
    before = await shelf.database(library).lexical("apple banana", 10)
    await shelf.document(attic, *["banana apple"] * 20)
    assert await shelf.database(library).lexical("apple banana", 10) == before


async def test_only_current_versions_of_documents_that_are_not_deleted_are_found(
    shelf: Shelf, library: Library
) -> None:
    kept = await shelf.document(library, "apple kept")
    await shelf.write(await shelf.version(library, current=False), *["apple coming"] * 30)
    gone = await shelf.document(library, *["apple gone"] * 30)
    await Document.objects.filter(pk=gone.document_id).aupdate(deleted_at=timezone.now())
    database = shelf.database(library)
    for hits in (await database.lexical("apple", 3), await database.dense(shelf.vectors(1)[0], 3)):
        assert await texts_of(database, hits) == ["apple kept"]
    hidden = await shelf.rows("SELECT id FROM documents_chunk WHERE version_id <> %s", kept.pk)
    assert await database.neighbours([int(chunk) for (chunk,) in hidden], 1) == {}


async def test_the_best_window_of_a_chunk_counts_and_each_chunk_once(shelf: Shelf, library: Library) -> None:
    version = await shelf.version(library)
    about = {"library": library.pk, "version": version.pk, "source": "x"}
    chunks = [Chunk(f"text {at}", (Span(1, 0, 6),), 2, about | {"chunk_id": at}) for at in range(3)]
    windows = [shelf.vectors(30), shelf.vectors(1), shelf.vectors(1)]
    database = shelf.database(library)
    await database.add(chunks, windows)
    hits = await database.dense(windows[0][20], 3)
    assert len(set(chunks_of(hits))) == 3
    assert hits[0].score == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("exact", [10_000, 0], ids=["compared", "by the index"])
async def test_the_twentieth_search_finds_what_exact_search_finds(
    shelf: Shelf, library: Library, attic: Library, exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_db, "EXACT", exact)
    await shelf.document(attic, *(shelf.sentence() for _ in range(300)))
    await shelf.document(library, *(shelf.sentence() for _ in range(43)))
    rows = await shelf.rows("SELECT chunk_id, vector::text FROM documents_embedding WHERE library_id = %s", library.pk)
    stored = {chunk: np.fromstring(str(text)[1:-1], sep=",") for chunk, text in rows}
    for _ in range(20):
        question = shelf.vectors(1)[0].astype(np.float16).astype(np.float32)
        hits = await shelf.database(library).dense(question, 50)
        distance = {chunk: -(vector @ question) / np.linalg.norm(vector) for chunk, vector in stored.items()}
        assert chunks_of(hits)[:10] == sorted(distance, key=lambda chunk: distance[chunk])[:10]
        assert len(hits) == 43


async def test_neighbours_stand_in_document_order_within_their_document(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple 0", "apple 1", "apple 2")
    await shelf.document(library, "pear 0", "pear 1", "pear 2", "pear 3")
    database = shelf.database(library)
    hits = [*await database.lexical("apple 2", 1), *await database.lexical("pear 1", 1)]
    around = await database.neighbours(chunks_of(hits), 1)
    assert [[passage.text for passage in around[hit.chunk]] for hit in hits] == [
        ["apple 1", "apple 2"],
        ["pear 0", "pear 1", "pear 2"],
    ]


# --- Storing ----------------------------------------------------------------------------------


async def test_chunks_added_again_are_replaced(shelf: Shelf, library: Library) -> None:
    version = await shelf.document(library, "apple", "banana", "cherry")
    before = await shelf.counts()
    await shelf.write(version, "apple", "banana", "cherry")
    assert await shelf.counts() == before
    await shelf.write(version, "mango", start=1)
    assert [text for (text,) in await shelf.rows("SELECT text FROM documents_chunk ORDER BY position")] == [
        "apple",
        "mango",
        "cherry",
    ]
    await shelf.assert_index_is_sound()


async def test_a_bad_vector_is_not_stored(shelf: Shelf, library: Library) -> None:
    version = await shelf.version(library)
    about = {"library": library.pk, "version": version.pk, "chunk_id": 0, "source": "x"}
    chunk = Chunk("x", (Span(1, 0, 1),), 1, about)
    makers: list[Callable[[], Vector]] = [
        lambda: np.full((1, 8), np.nan, np.float32),
        lambda: np.zeros((1, 8), np.float32),
        lambda: np.full((1, 8), 70_000, np.float32),
        lambda: np.full((1, 8), 1e-9, np.float32),
        lambda: np.ones((1, 7), np.float32),
        lambda: np.ones((0, 8), np.float32),
    ]
    for make in makers:
        with pytest.raises(BadVector):
            await shelf.database(library).add([chunk], [make()])
    assert sum((await shelf.counts()).values()) == 0


async def test_there_is_one_live_space(shelf: Shelf) -> None:
    assert await live_space(shelf.pool) == shelf.space
    with pytest.raises(UniqueViolation):
        await create_space(shelf.pool, "other", 8, "live")


# --- Merging and forgetting -------------------------------------------------------------------


async def test_merging_changes_the_blocks_and_not_what_is_found(shelf: Shelf, library: Library) -> None:
    for _ in range(40):
        await shelf.document(library, *(shelf.sentence() for _ in range(3)))
    database = shelf.database(library)
    before = await database.lexical("apple fig lemon", 50)
    await merge(shelf.pool, library.pk)
    assert (await shelf.counts())["block"] == 1
    assert await database.lexical("apple fig lemon", 50) == before
    await shelf.assert_index_is_sound()


@pytest.mark.parametrize("merged", [False, True], ids=["before merging", "after merging"])
async def test_however_a_chunk_goes_nothing_of_it_stays(shelf: Shelf, library: Library, *, merged: bool) -> None:
    versions = [await shelf.document(library, *(shelf.sentence() for _ in range(4))) for _ in range(60)]
    if merged:
        await merge(shelf.pool, library.pk)
    async with shelf.pool.connection() as connection:
        await remove(connection, [version.pk for version in versions[1:30:2]])
        await connection.execute("DELETE FROM documents_chunk WHERE version_id = %s AND position = 2", [versions[0].pk])
    await Document.objects.filter(pk=versions[31].document_id).adelete()
    await versions[33].adelete()
    counts = await shelf.counts()
    assert counts["chunk"] == counts["embedding"] == 240 - 15 * 4 - 1 - 8
    await shelf.assert_index_is_sound()
    await merge(shelf.pool, library.pk)
    await shelf.assert_index_is_sound()


async def test_a_library_goes_with_all_that_was_made_of_it(shelf: Shelf, library: Library, attic: Library) -> None:
    await shelf.document(attic, "apple")
    before = await shelf.counts()
    await shelf.document(library, "apple", "banana")
    await library.adelete()
    assert await shelf.counts() == before


async def test_a_space_goes_with_its_vectors(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple", "banana")
    await shelf.rows("DELETE FROM documents_embeddingspace RETURNING id")
    assert (await shelf.counts())["embedding"] == 0


async def test_a_deletion_during_a_merge_waits_and_leaves_nothing(shelf: Shelf, library: Library) -> None:
    versions = [await shelf.document(library, shelf.sentence()) for _ in range(8)]
    async with shelf.pool.connection() as deleting, deleting.transaction():
        await remove(deleting, [versions[3].pk])
        await merge(shelf.pool, library.pk)
        assert (await shelf.counts())["block"] == 8
    await merge(shelf.pool, library.pk)
    assert (await shelf.counts())["block"] == 1
    await shelf.assert_index_is_sound()


async def test_small_neighbours_merge_and_ids_never_fall() -> None:
    small = [blocks.Block(at, 10, 10 * at, 10 * at + 9) for at in range(1, 9)]
    assert blocks.mergeable(small) == [small]
    assert blocks.mergeable(small[:3]) == []
    assert blocks.mergeable([blocks.Block(0, 2_048, 1, 9), *small[:4]]) == [small[:4]]
    late = blocks.Block(9, 10, 25, 60)
    assert blocks.mergeable([*small[:2], late, *small[3:]]) == [small[3:]]
