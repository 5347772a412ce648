"""Erasing for good: what goes, what is told of it, who may order it, and what a kill in the middle leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import DO_NOTHING
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from documents import erasure, purging
from documents.indexing import index
from documents.ingest import Received, delete
from documents.leases import Lease
from documents.models import (
    Block,
    Chunk,
    Document,
    Embedding,
    ErasedVersion,
    Library,
    Membership,
    Mention,
    Page,
    Posting,
    Receipt,
    User,
    Version,
)
from documents.purging import erase, erase_library, erase_overdue, work_off
from documents.rag.lexical import indexed_terms, pack
from documents.rag.types import Question
from documents.removing import KEPT, remove_library, restore_library
from documents.threads import in_thread
from documents.vector_db import PgVectorDB
from documents.wiring import Wiring
from tests.documents.conftest import Give

pytestmark = pytest.mark.django_db

LEAVE = "# Leave\n\nEveryone has 25 days of leave a year.\n"
TRAVEL = "# Travel\n\nTrains are paid for in full.\n"


@pytest.fixture
def removed(give: Give) -> Document:
    document = give("leave.md", LEAVE).version.document
    delete(document)
    return document


def erase_all(library: Library) -> Receipt:
    receipt = erase(library, Document.objects.removed_from(library))
    work_off()
    receipt.refresh_from_db()
    return receipt


def rows_of_all_tables() -> dict[str, int]:
    return {
        model.__name__: model.objects.count() for model in (Document, Version, Page, Chunk, Embedding, Block, Posting)
    }


async def indexed(give: Give, *files: tuple[str, str]) -> list[Received]:
    taken = [await in_thread(give, *file) for file in files]
    for received in taken:
        await index(received.version.pk)
    return taken


# --- What goes --------------------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_the_receipt_counts_what_was_there_and_nothing_of_it_is_left(
    system: Wiring, library: Library, give: Give
) -> None:
    received, other = await indexed(give, ("leave.md", LEAVE), ("travel.md", TRAVEL))
    chunks = [chunk async for chunk in Chunk.objects.filter(version=received.version)]
    words = pack({chunk.pk: indexed_terms("Leave", chunk.text, chunk.language) for chunk in chunks})
    before = {
        "documents": 1,
        "versions": 1,
        "pages": await Page.objects.filter(version=received.version).acount(),
        "chunks": len(chunks),
        "embeddings": await Embedding.objects.filter(chunk__in=chunks).acount(),
        "mentions": await Mention.objects.filter(chunk__in=chunks).acount(),
        "postings": sum(len(postings) for term, postings in words.items() if term),
        "quotations": 0,
        "files": 1,
        "bytes of files": len(LEAVE.encode()),
        "pictures of pages": 0,
        "bytes of pictures of pages": 0,
    }
    file = (await Version.objects.aget(pk=received.version.pk)).file.name
    await in_thread(delete, received.version.document)
    receipt = await in_thread(erase_all, library)
    assert receipt.finished
    assert {kind: receipt.erased.get(kind, 0) for kind in before} == before
    assert set(receipt.left.values()) == {0}
    assert not default_storage.exists(str(file))
    [line] = [line async for line in ErasedVersion.objects.all()]
    assert (line.document, line.number, line.sha256) == (
        received.version.document_id,
        1,
        received.version.sha256,
    )
    assert [version.pk async for version in Version.objects.all()] == [other.version.pk]
    passages = await (await system.system([library.pk])).search(Question("trains"), strategy="hybrid")
    assert [passage.source for passage in passages] == ["travel.md"]


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_one_transaction_erases_what_stands_in_one_block_of_the_index(
    system: Wiring, library: Library, give: Give
) -> None:
    received = [*await indexed(give, ("leave.md", LEAVE)), *await indexed(give, ("travel.md", TRAVEL))]
    for each in received:
        await in_thread(delete, each.version.document)
    receipt = await in_thread(erase, library, Document.objects.removed_from(library))
    left = []
    for _ in received:
        await in_thread(purging._step, receipt.pk)
        left.append((await Document.objects.acount(), await Block.objects.acount()))
    assert left == [(1, 1), (0, 0)]


def test_no_name_is_kept_on_a_receipt(removed: Document) -> None:
    receipt = erase_all(removed.library)
    kept = f"{list(Receipt.objects.values())} {list(ErasedVersion.objects.values())}"
    assert receipt.finished
    assert "leave" not in kept.lower()


def test_what_a_container_holds_goes_with_it(library: Library, removed: Document, give: Give) -> None:
    member = give("member.md", TRAVEL).version.document
    Document.objects.filter(pk=member.pk).update(container=removed, deleted_at=removed.deleted_at)
    receipt = erase_all(library)
    assert receipt.erased["documents"] == 2
    assert not Document.objects.exists()


def picture(sha256: str) -> Any:
    path = settings.DATA_DIR / "cache" / "pages" / f"{sha256}-1-600.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG")
    return path


def test_pictures_of_pages_go_unless_another_document_has_the_same_file(
    library: Library, removed: Document, give: Give
) -> None:
    sha256 = Version.objects.get().sha256
    kept = picture(sha256)
    twin = give("twin.md", LEAVE).version.document
    assert erase_all(library).erased["pictures of pages"] == 0
    assert kept.exists()
    delete(twin)
    receipt = erase_all(library)
    assert (receipt.erased["pictures of pages"], receipt.erased["bytes of pictures of pages"]) == (1, 4)
    assert not kept.exists()


def test_what_is_there_is_never_erased(library: Library, give: Give) -> None:
    document = give("leave.md", LEAVE).version.document
    erase(library, Document.objects.filter(pk=document.pk))
    work_off()
    assert Document.objects.filter(pk=document.pk).exists()


def test_every_row_that_points_at_a_document_is_counted_or_cascades() -> None:
    """A table whose rows neither cascade from Django's models nor stand in erasure.ROWS would be told by no receipt."""
    relations: list[Any] = [
        relation
        for model in (Document, Version, Page, Chunk, Library)
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete
    ]
    by_hand = {relation.related_model.__name__ for relation in relations if relation.on_delete is DO_NOTHING}
    assert by_hand == {"Chunk", "Embedding", "Mention", "Relation", "Block", "Posting"}, (
        "enter it in documents.erasure.ROWS, then here"
    )


# --- Killed in the middle ---------------------------------------------------------------------


@pytest.mark.parametrize("steps", range(5))
def test_a_purge_that_is_killed_is_gone_on_with_and_its_receipt_is_whole(
    library: Library, give: Give, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """By the row, so that there are several transactions; after `steps` of them the worker is killed."""
    monkeypatch.setattr(purging, "DOCUMENTS", 1)
    for name in ("a.md", "b.md"):
        delete(give(name, f"# {name}").version.document)
    receipt = erase(library, Document.objects.removed_from(library))
    for _ in range(steps):
        purging._step(receipt.pk)
    receipt.refresh_from_db()
    assert bool(receipt.finished) == (steps == 5)
    work_off()
    receipt.refresh_from_db()
    assert receipt.finished
    assert (receipt.erased["documents"], receipt.erased["files"], receipt.erased["bytes of files"]) == (2, 2, 12)
    assert set(receipt.left.values()) == {0}


def test_a_kill_between_removing_a_file_and_noting_it_is_made_up_for(
    library: Library, removed: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(key: str) -> None:
        raise Killed

    receipt = erase(library, Document.objects.removed_from(library))
    with monkeypatch.context() as patched:
        patched.setitem(erasure.FILES, "pictures of pages", replace(erasure.FILES["pictures of pages"], remove=die))
        with pytest.raises(Killed):
            work_off()
    [line] = ErasedVersion.objects.all()
    assert not line.files_removed
    assert not default_storage.exists(line.files[0][1])
    work_off()
    receipt.refresh_from_db()
    assert (receipt.erased["files"], receipt.erased["bytes of files"]) == (1, len(LEAVE))


def test_a_receipt_is_not_told_before_it_is_whole(client: Client, owner: User, removed: Document) -> None:
    client.force_login(owner)
    receipt = erase(removed.library, Document.objects.removed_from(removed.library))
    page = client.get(receipt.get_absolute_url()).text
    assert "the erasing goes on" in page
    assert "Download" not in page
    assert client.get(reverse("receipt-file", args=[receipt.pk])).status_code == 404


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_worker_at_it_leaves_nothing_behind(
    system: Wiring, library: Library, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is erased after its text was embedded, and before that is stored."""
    received = await in_thread(give, "leave.md", LEAVE)

    async def meanwhile(self: Any, *args: Any) -> None:
        await in_thread(delete, received.version.document)
        await in_thread(erase_all, library)
        await add(self, *args)

    add = PgVectorDB.add
    monkeypatch.setattr(PgVectorDB, "add", meanwhile)
    await index(received.version.pk)
    assert set((await in_thread(rows_of_all_tables)).values()) == {0}
    assert (await Receipt.objects.aget()).left["chunks"] == 0


# --- By whom ----------------------------------------------------------------------------------


def test_an_owner_erases_what_is_ticked_and_gets_a_receipt(
    client: Client, owner: User, library: Library, removed: Document, give: Give
) -> None:
    other = give("travel.md", TRAVEL).version.document
    delete(other)
    client.force_login(owner)
    response = client.post(reverse("documents-erase", args=[library.pk]), {"document": removed.pk})
    receipt = Receipt.objects.get()
    assert response["Location"] == receipt.get_absolute_url()
    assert list(Document.objects.removed_from(library)) == [other], "at once, whenever the worker comes to it"
    work_off()
    assert "nothing is left" in client.get(receipt.get_absolute_url()).text
    written = client.get(reverse("receipt-file", args=[receipt.pk])).json()
    assert written["erased"]["documents"] == 1
    assert written["by"] == owner.email
    assert written["versions"][0]["document"] == removed.pk
    assert receipt.get_absolute_url() in client.get(reverse("receipts"), {"library": library.pk}).text


def test_an_owner_empties_the_bin(client: Client, owner: User, library: Library, removed: Document) -> None:
    client.force_login(owner)
    client.post(reverse("documents-erase", args=[library.pk]), {"all": 1})
    work_off()
    assert not Document.objects.exists()
    page = client.post(reverse("documents-erase", args=[library.pk]), {"all": 1}, follow=True)
    assert "There is nothing to erase." in page.text


def test_only_an_owner_may_erase(
    client: Client, teammate: User, stranger: User, library: Library, removed: Document
) -> None:
    for user, role in ((teammate, "reader"), (teammate, "editor"), (stranger, "")):
        library.memberships.filter(user=user).update(role=role)
        client.force_login(user)
        for fields in ({"document": removed.pk}, {"all": 1}):
            assert client.post(reverse("documents-erase", args=[library.pk]), fields).status_code == 404
        for name in ("library-remove", "library-restore", "library-erase"):
            assert client.post(reverse(name, args=[library.pk]), {"name": library.name}).status_code == 404
        assert "Remove for good" not in client.get(reverse("library-removed", args=[library.pk])).text
    assert not Receipt.objects.exists()
    library.refresh_from_db()
    assert library.deleted_at is None


def test_documents_of_other_libraries_are_not_erased_with_them(
    client: Client, owner: User, stranger: User, library: Library, removed: Document
) -> None:
    diary = Library.objects.create(name="Diary")
    Membership.objects.create(library=diary, user=stranger, role=Membership.Role.OWNER)
    secret = Document.objects.create(library=diary, name="secret.md", deleted_at=timezone.now())
    client.force_login(owner)
    client.post(reverse("documents-erase", args=[library.pk]), {"document": [removed.pk, secret.pk]})
    work_off()
    assert list(Document.objects.all()) == [secret]


def test_a_receipt_is_seen_by_the_librarys_owner_and_by_administrators_alone(
    client: Client, owner: User, teammate: User, stranger: User, library: Library, removed: Document
) -> None:
    receipt = erase_all(library)
    administrator = User.objects.create_superuser("admin@example.com", "x")
    for user, status in ((owner, 200), (administrator, 200), (teammate, 404), (stranger, 404)):
        client.force_login(user)
        assert client.get(receipt.get_absolute_url()).status_code == status
        assert client.get(reverse("receipt-file", args=[receipt.pk])).status_code == status
        assert (receipt.get_absolute_url() in client.get(reverse("receipts")).text) == (status == 200)


# --- In time ----------------------------------------------------------------------------------


def test_what_was_removed_thirty_days_ago_is_erased(library: Library, removed: Document, give: Give) -> None:
    lately = give("travel.md", TRAVEL).version.document
    delete(lately)
    Document.objects.filter(pk=removed.pk).update(deleted_at=timezone.now() - KEPT - timedelta(minutes=1))
    erase_overdue()
    work_off()
    assert list(Document.objects.all()) == [lately]
    receipt = Receipt.objects.get()
    assert receipt.by is None
    erase_overdue()
    assert Receipt.objects.count() == 1


def test_a_library_removed_thirty_days_ago_is_erased(library: Library, give: Give) -> None:
    give("leave.md", LEAVE)
    remove_library(library)
    erase_overdue()
    assert not Receipt.objects.exists()
    Library.objects.update(deleted_at=timezone.now() - KEPT - timedelta(minutes=1))
    erase_overdue()
    erase_overdue()
    work_off()
    assert not Library.objects.exists()
    assert Receipt.objects.get().erased["documents"] == 1


# --- Libraries --------------------------------------------------------------------------------


def test_a_removed_library_is_seen_by_nobody_and_restored_by_its_owner(
    client: Client, owner: User, teammate: User, library: Library, give: Give
) -> None:
    document = give("leave.md", LEAVE).version.document
    client.force_login(owner)
    wrong = client.post(reverse("library-remove", args=[library.pk]), {"name": "Handbok"}, follow=True)
    assert "Write the library&#x27;s name, Handbook, to remove it." in wrong.text
    page = client.post(reverse("library-remove", args=[library.pk]), {"name": "Handbook"}, follow=True)
    assert "Handbook was removed. You can restore it within 30 days." in page.text
    for user in (owner, teammate):
        client.force_login(user)
        for address in (library.get_absolute_url(), document.get_absolute_url()):
            assert client.get(address).status_code == 404
        assert client.post(reverse("upload", args=[library.pk])).status_code == 404
    assert "Handbook" not in client.get(reverse("libraries")).text
    assert client.post(reverse("library-restore", args=[library.pk])).status_code == 404
    client.force_login(owner)
    client.post(reverse("library-restore", args=[library.pk]))
    assert client.get(document.get_absolute_url()).status_code == 200


def test_a_library_is_erased_with_all_that_is_in_it(
    client: Client, owner: User, library: Library, removed: Document, give: Give
) -> None:
    give("travel.md", TRAVEL)
    client.force_login(owner)
    assert client.post(reverse("library-erase", args=[library.pk])).status_code == 404, "only once it is removed"
    remove_library(library)
    client.post(reverse("library-erase", args=[library.pk]))
    assert client.post(reverse("library-restore", args=[library.pk])).status_code == 404
    work_off()
    receipt = Receipt.objects.get()
    assert (receipt.erased["documents"], receipt.erased["libraries"], receipt.erased["memberships"]) == (2, 1, 2)
    assert (receipt.library, receipt.library_number) == (None, library.pk)
    assert set(receipt.left.values()) == {0}
    assert "All of library" in client.get(receipt.get_absolute_url()).text


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_nothing_of_a_removed_library_is_found_even_by_who_had_begun_to_look(
    system: Wiring, library: Library, give: Give
) -> None:
    await indexed(give, ("leave.md", LEAVE))
    begun = await system.system([library.pk])
    await in_thread(remove_library, library)
    assert not await begun.search(Question("days of leave"), strategy="hybrid")
    await in_thread(restore_library, library)
    assert await begun.search(Question("days of leave"), strategy="hybrid")


def test_who_works_on_a_document_of_a_removed_library_stops(library: Library, give: Give) -> None:
    version = give("leave.md", LEAVE).version
    lease = Lease(version.pk)
    assert lease.take()
    remove_library(library)
    assert not lease.take()
    restore_library(library)
    assert lease.take()


def test_what_comes_into_a_library_while_it_is_erased_goes_too(library: Library, give: Give) -> None:
    receipt = erase_library(library)
    late = give("late.md", TRAVEL).version
    work_off()
    receipt.refresh_from_db()
    assert receipt.erased["documents"] == 1
    assert not default_storage.exists(str(late.file.name))
