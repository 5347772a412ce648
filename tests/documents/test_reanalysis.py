"""Postings of an older analysis are made anew, a block at a time, and found meanwhile."""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import suppress

import pytest
from django.core.management import call_command

from documents import reanalysis
from documents.models import Block, Document, Library
from documents.rag import terms as terms_of
from documents.reanalysis import renew_block
from documents.vector_db import merge, remove
from tests.documents.shelf import Shelf, texts_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

GERMAN = "Die Zertifikate werden jedes Jahr von der Verwaltung erneuert und an alle verteilt."


async def make_old(shelf: Shelf) -> None:
    """The blocks as the first analysis made them of texts without a title: by English stems, without stop words."""
    await Document.objects.aupdate(name="")
    await Block.objects.aupdate(analysis=1)
    await shelf.rows("UPDATE documents_posting SET term = 'zertifik' WHERE term = 'zertifikat' RETURNING 1")
    await shelf.rows("DELETE FROM documents_posting WHERE term IN ('von', 'der') RETURNING 1")


async def test_it_works(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, GERMAN, "apple")
    await make_old(shelf)
    assert await renew_block(shelf.pool, library.pk)
    assert not await renew_block(shelf.pool, library.pk)
    await shelf.assert_index_is_sound()
    assert await asyncio.to_thread(reanalysis.libraries) == []


async def test_the_old_ones_are_found_until_then_beside_the_new_ones(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, GERMAN)
    await shelf.document(library, "apple banana")
    await make_old(shelf)
    await shelf.document(library, GERMAN.replace("Jahr", "Quartal"), "apple")
    database = shelf.database(library)
    assert len(await database.lexical("Wer erneuert die Zertifikate für uns alle?", 10)) == 2
    assert len(await database.lexical("apple", 10)) == 2
    while await renew_block(shelf.pool, library.pk):
        assert len(await database.lexical("apple", 10)) == 2
    await shelf.assert_index_is_sound()


async def test_old_and_new_ones_are_not_merged(shelf: Shelf, library: Library) -> None:
    for _ in range(4):
        await shelf.document(library, shelf.sentence())
    await make_old(shelf)
    for _ in range(4):
        await shelf.document(library, shelf.sentence())
    await merge(shelf.pool, library.pk)
    assert sorted([block.analysis async for block in Block.objects.all()]) == [1, terms_of.ANALYSIS]


async def test_headings_and_titles_are_indexed_again(shelf: Shelf, library: Library) -> None:
    version = await shelf.document(library, "apple")
    await shelf.rows("UPDATE documents_chunk SET heading_path = '[\"Fruit\"]' RETURNING 1")
    version.title = "Harvest"
    await version.asave()
    await make_old(shelf)
    await renew_block(shelf.pool, library.pk)
    database = shelf.database(library)
    for asked in ("harvest", "fruit"):
        assert await texts_of(database, await database.lexical(asked, 10)) == ["apple"]


async def test_broken_off_it_leaves_all_as_it_was(
    shelf: Shelf, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.document(library, GERMAN)
    await make_old(shelf)
    before = await shelf.rows("SELECT term, packed FROM documents_posting ORDER BY term")

    async def killed(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(reanalysis, "add_block", killed)
        with pytest.raises(ConnectionError):
            await renew_block(shelf.pool, library.pk)
    assert await shelf.rows("SELECT term, packed FROM documents_posting ORDER BY term") == before
    assert await renew_block(shelf.pool, library.pk)
    await shelf.assert_index_is_sound()


async def test_what_is_being_deleted_meanwhile_is_left_to_the_deletion(shelf: Shelf, library: Library) -> None:
    versions = [await shelf.document(library, shelf.sentence()) for _ in range(2)]
    await make_old(shelf)
    async with shelf.pool.connection() as deleting, deleting.transaction():
        await remove(deleting, [versions[0].pk])
        assert not await renew_block(shelf.pool, library.pk)
    assert await renew_block(shelf.pool, library.pk)
    await shelf.assert_index_is_sound()


async def test_the_doctor_says_that_it_is_under_way(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple")
    assert "indexed as this version" in await _told()
    await make_old(shelf)
    assert "1 of 1 parts of the index" in await _told()


async def _told() -> str:
    def ask() -> str:
        said = io.StringIO()
        with suppress(SystemExit):  # There is no file that the document was read from.
            call_command("doctor", "--json", stdout=said)
        return str(next(each["detail"] for each in json.loads(said.getvalue())["checks"] if each["name"] == "words"))

    return await asyncio.to_thread(ask)
