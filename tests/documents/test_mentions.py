"""What chunks name: stored with them, gone with them, and told to nobody who may not read them."""

from __future__ import annotations

import pytest

from documents import vector_db
from documents.models import Block, Document, Library, Mention
from documents.moving import move
from documents.rag.types import Mention as Named
from documents.rag.types import Role
from documents.reanalysis import renew_block
from documents.threads import in_thread
from documents.vector_db import remove
from tests.documents.shelf import Shelf

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

MILAN = "The director Guido Brignone was born in Milan."


def told(mentions: list[Named]) -> set[tuple[str, Role]]:
    return {(mention.key, mention.role) for mention in mentions}


async def test_it_works(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, MILAN, "Trains to Milan are late.")
    database = shelf.database(library)
    there = await database.mentions_of({"milan", "guido brignone", "nobody"}, 10)
    assert sorted(mention.key for mention in there) == ["guido brignone", "milan", "milan"]
    assert told(await database.mentions_in([there[0].chunk])) >= {(there[0].key, Role.NAME)}
    assert len(await database.mentions_of({"milan"}, 1)) == 1


async def test_another_librarys_names_are_told_to_nobody_else(shelf: Shelf, library: Library, attic: Library) -> None:
    await shelf.document(attic, MILAN)
    (secret,) = await shelf.database(attic).mentions_of({"milan"}, 10)
    database = shelf.database(library)
    assert await database.mentions_of({"milan"}, 10) == []
    assert await database.mentions_in([secret.chunk]) == []


async def test_the_limit_is_for_all_libraries_together_and_titles_come_before_texts(
    shelf: Shelf, library: Library, attic: Library
) -> None:
    for container in (library, attic):
        await shelf.document(container, MILAN, "Trains to Milan are late.")
    database = shelf.database(library, attic)
    *_, last = await database.mentions_of({"milan"}, 10)
    await Mention.objects.filter(chunk=last.chunk).aupdate(role=Role.TITLE)
    there = await database.mentions_of({"milan"}, 3)
    assert [mention.role for mention in there] == [Role.TITLE, Role.NAME, Role.NAME]
    assert there[0].chunk == last.chunk


async def test_only_what_counts_is_told(shelf: Shelf, library: Library) -> None:
    old = await shelf.version(library)
    await shelf.write(old, MILAN)
    document = await Document.objects.aget(pk=old.document_id)
    document.current = None
    await document.asave()
    assert await shelf.database(library).mentions_of({"milan"}, 10) == []


async def test_the_commonest_names_are_those_of_what_may_be_read_and_counts(
    shelf: Shelf, library: Library, attic: Library
) -> None:
    await shelf.document(library, MILAN, "The Night Train to Milan is late.", "The Night Train to Rome is not.")
    for _ in range(3):
        await shelf.document(attic, "It is far to Lima and to Quito.")
    told = await shelf.database(library).commonest(10)
    assert {mention.key for mention in told} == {"milan", "night train"}
    assert [mention.key for mention in await shelf.database(library).commonest(1)] == ["milan", "milan"]
    assert "lima" in {mention.key for mention in await shelf.database(library, attic).commonest(10)}


async def test_of_very_many_chunks_some_are_looked_at_for_the_commonest(
    shelf: Shelf, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shelf.document(library, *[MILAN] * 12)
    monkeypatch.setattr(vector_db, "LOOKED_AT", 4)
    told = await shelf.database(library).commonest(1)
    assert len(told) == 4
    assert len({mention.key for mention in told}) == 1


async def test_names_go_with_their_chunk(shelf: Shelf, library: Library) -> None:
    version = await shelf.document(library, MILAN)
    other = await shelf.document(library, MILAN)
    async with shelf.pool.connection() as connection:
        await remove(connection, [version.pk])
    assert {version async for version in Mention.objects.values_list("chunk__version", flat=True)} == {other.pk}


async def test_they_move_with_their_document(shelf: Shelf, library: Library, attic: Library) -> None:
    version = await shelf.document(library, MILAN)
    await in_thread(move, await Document.objects.select_related("container").aget(pk=version.document_id), attic)
    assert await shelf.database(library).mentions_of({"milan"}, 10) == []
    assert len(await shelf.database(attic).mentions_of({"milan"}, 10)) == 1


async def test_what_was_indexed_before_there_were_names_gets_them_from_upkeep(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, MILAN)
    await Mention.objects.all().adelete()
    await Block.objects.aupdate(analysis=2)
    assert await renew_block(shelf.pool, library.pk)
    there = await shelf.database(library).mentions_of({"milan", "notes"}, 10)
    assert told(there) == {("milan", Role.NAME), ("notes", Role.TITLE)}
