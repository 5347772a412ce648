"""Documents that are moved into another library: found there at once, by those who may read it, and by nobody else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from documents.indexing import index
from documents.leases import Lease
from documents.models import Block, Document, Library, Membership, Posting, User
from documents.moving import NotMoved, move
from documents.rag.types import Question
from documents.strays import rows
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give

pytestmark = pytest.mark.django_db

LEAVE = "# Leave\n\nEveryone has 25 days of leave a year.\n"
TRAVEL = "# Travel\n\nTrains are paid for in full, on leave as well.\n"


@pytest.fixture
def target(owner: User) -> Library:
    """Of the owner alone."""
    library = Library.objects.create(name="Archive")
    Membership.objects.create(library=library, user=owner, role=Membership.Role.EDITOR)
    return library


@pytest.fixture
def document(give: Give) -> Document:
    return give("leave.md", LEAVE).version.document


async def found(system: Wiring, *libraries: Library) -> list[str]:
    """By words and by meaning, each alone."""
    opened = await system.system([library.pk for library in libraries])
    by = [await opened.search(Question("leave"), strategy=strategy) for strategy in ("lexical", "naive")]
    assert sorted(passage.source for passage in by[0]) == sorted(passage.source for passage in by[1])
    return sorted(passage.source for passage in by[0])


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("together", [True, False])
async def test_a_document_is_found_in_its_new_library_alone(
    system: Wiring, library: Library, target: Library, give: Give, together: bool
) -> None:
    """Out of a block that holds others' words as well, or out of one of its own."""
    taken = [await in_thread(give, *file) for file in (("leave.md", LEAVE), ("travel.md", TRAVEL))]
    for lot in [taken] if together else [[each] for each in taken]:
        await index(*(received.version.pk for received in lot))
    words = await Posting.objects.exclude(term="").acount()
    assert await found(system, library) == ["leave.md", "travel.md"]
    await in_thread(move, await Document.objects.select_related("container").aget(name="leave.md"), target)
    assert await found(system, library) == ["travel.md"]
    assert await found(system, target) == ["leave.md"]
    assert await found(system, library, target) == ["leave.md", "travel.md"]
    assert await in_thread(rows) == {}
    assert await Posting.objects.exclude(term="").acount() >= words
    assert [block.chunks async for block in Block.objects.all()] == [1, 1]
    await in_thread(move, await Document.objects.select_related("container").aget(name="leave.md"), library)
    assert await found(system, library) == ["leave.md", "travel.md"]
    assert await in_thread(rows) == {}


def test_documents_are_moved_on_the_librarys_page(
    client: Client, owner: User, teammate: User, document: Document, library: Library, target: Library
) -> None:
    client.force_login(owner)
    assert "Archive</option>" in client.get(library.get_absolute_url()).text
    fields = {"document": [document.pk], "to": target.pk}
    page = client.post(reverse("documents-move", args=[library.pk]), fields, follow=True)
    assert "1 document was moved to Archive." in page.text
    assert "leave.md" in client.get(target.get_absolute_url()).text
    client.force_login(teammate)
    assert client.get(document.get_absolute_url()).status_code == 404


def test_only_who_may_edit_both_libraries_can_move(
    client: Client, owner: User, teammate: User, stranger: User, document: Document, library: Library, target: Library
) -> None:
    fields = {"document": document.pk, "to": target.pk}
    address = reverse("documents-move", args=[library.pk])
    for user in (teammate, stranger):
        client.force_login(user)
        assert client.post(address, fields).status_code == 404
    library.memberships.filter(user=teammate).update(role=Membership.Role.EDITOR)
    client.force_login(teammate)
    assert client.post(address, fields).status_code == 404, "they may not edit the target"
    client.force_login(owner)
    for wrong in (library.pk, "", "x", "9" * 30):
        assert client.post(address, fields | {"to": wrong}).status_code == 404
    document.refresh_from_db()
    assert document.library == library


def test_documents_of_other_libraries_can_not_be_mixed_in(
    client: Client, owner: User, document: Document, library: Library, target: Library
) -> None:
    elsewhere = Document.objects.create(library=Library.objects.create(name="Diary"), name="secret.md")
    client.force_login(owner)
    fields = {"document": [document.pk, elsewhere.pk], "to": target.pk}
    page = client.post(reverse("documents-move", args=[library.pk]), fields, follow=True).text
    assert "1 of those ticked is not there any more." in page
    elsewhere.refresh_from_db()
    assert elsewhere.library.name == "Diary"


def test_what_a_container_holds_goes_with_it_and_not_alone(document: Document, target: Library, give: Give) -> None:
    member = give("member.md", TRAVEL).version.document
    member.container = document
    member.save()
    with pytest.raises(NotMoved, match=r"member\.md came in leave\.md\. Move that"):
        move(member, target)
    move(document, target)
    member.refresh_from_db()
    assert member.library == target


def test_a_document_of_the_same_file_stands_in_the_way(owner: User, give: Give, target: Library) -> None:
    document = give("leave.md", LEAVE, source="/files/leave.md").version.document
    Document.objects.create(library=target, name="leave.md", source="/files/leave.md")
    with pytest.raises(NotMoved, match=r"Archive has a document of the same file as leave\.md"):
        move(document, target)


def test_a_document_that_is_being_read_stays(document: Document, target: Library) -> None:
    lease = Lease(document.versions.get().pk)
    assert lease.take()
    with pytest.raises(NotMoved, match="is being read just now"):
        move(document, target)
    lease.release()
    move(document, target)
    document.refresh_from_db()
    assert document.library == target
