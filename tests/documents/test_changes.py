"""Renaming, removing and restoring, by who may edit the library; for anybody else there is nothing to change."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.test import Client
from django.urls import reverse

from documents.indexing import index
from documents.ingest import Keep, Received, delete
from documents.models import Chunk, Document, Library, Membership, User
from documents.naming import safe_name
from documents.rag.types import Passage, Question
from documents.removing import restore
from documents.renaming import rename
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, OpenAIServer

pytestmark = pytest.mark.django_db

LEAVE = "# Leave\n\nEveryone has 25 days of leave a year.\n"


@pytest.fixture
def document(give: Give) -> Document:
    return give("leave.md", LEAVE).version.document


@pytest.fixture
def elsewhere(stranger: User) -> Document:
    """A document of a library of which nobody else knows."""
    diary = Library.objects.create(name="Diary")
    Membership.objects.create(library=diary, user=stranger, role=Membership.Role.OWNER)
    return Document.objects.create(library=diary, name="secret.md")


async def found(system: Wiring, library: Library, text: str) -> Sequence[Passage]:
    return await (await system.system([library.pk])).search(Question(text), strategy="hybrid")


# --- Rename -----------------------------------------------------------------------------------


def test_a_document_is_renamed(client: Client, owner: User, document: Document) -> None:
    client.force_login(owner)
    address = reverse("document-rename", args=[document.pk])
    page = client.post(address, {"title": "Holidays", "name": "holidays.md"}, follow=True).text
    assert "It is called Holidays from now on." in page
    document.refresh_from_db()
    assert (document.title, document.name) == ("Holidays", "holidays.md")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("rules.txt", "rules.txt.md"),
        ("rules", "rules.md"),
        ("RULES.MD", "RULES.MD"),
        ("👩\u200d💻 rules", "👩\u200d💻 rules.md"),
    ],
)
def test_a_file_keeps_its_ending(client: Client, owner: User, document: Document, given: str, kept: str) -> None:
    client.force_login(owner)
    client.post(reverse("document-rename", args=[document.pk]), {"title": "", "name": given})
    document.refresh_from_db()
    assert document.name == kept == safe_name(kept)


@pytest.mark.parametrize(
    ("field", "given", "sentence"),
    [
        ("name", " ", "A document needs a file name. Give one."),
        ("name", "..", "“..” names no file. Give a name with a letter or digit in it."),
        ("name", ".md", "“” names no file."),
        ("name", "../a/rules.md", "A file name has no slash in it"),
        ("name", "a\\rules.md", "A file name has no slash in it"),
        ("name", "rules\u202edm.exe", "There is something invisible in it (U+202E)."),
        ("name", "rules\x07.md", "There is something invisible in it (U+0007)."),
        ("name", "x" * 256, "It has 256 characters. Shorten it to 255."),
        ("name", "x" * 255, "It has 258 characters. Shorten it to 255."),
        ("name", "plan.md", "plan.md is here already. Choose another name."),
        ("name", "plan", "plan.md is here already. Choose another name."),
        ("title", "Rules\u202e", "There is something invisible in it (U+202E)."),
        ("title", "x" * 501, "It has 501 characters. Shorten it to 500."),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_what_to_do(
    client: Client, owner: User, document: Document, give: Give, field: str, given: str, sentence: str
) -> None:
    give("plan.md", "# Plan")
    client.force_login(owner)
    fields = {"title": "Rules", "name": "rules.md", field: given}
    response = client.post(reverse("document-rename", args=[document.pk]), fields)
    assert response.status_code == 400
    assert sentence in response.text
    assert "<h1>leave.md</h1>" in response.text
    document.refresh_from_db()
    assert (document.name, document.title) == ("leave.md", "")


def test_a_document_that_has_its_name_in_common_with_another_can_have_a_title(
    client: Client, owner: User, document: Document, give: Give
) -> None:
    give("leave.md", LEAVE.replace("25", "30"))
    client.force_login(owner)
    client.post(reverse("document-rename", args=[document.pk]), {"title": "The old rules", "name": "leave.md"})
    document.refresh_from_db()
    assert document.title == "The old rules"


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_passages_bear_the_new_names_at_once_and_keep_them(
    system: Wiring, model: OpenAIServer, library: Library, give: Give
) -> None:
    received = await in_thread(give, "leave.md", LEAVE)
    await index(received.version.pk)
    document = await Document.objects.select_related("current").aget()
    requests = len(model.requests(EMBEDDINGS))
    await in_thread(rename, document, name="holidays.md", title="Holidays")
    assert len(model.requests(EMBEDDINGS)) == requests, "nothing is embedded again"
    [passage] = await found(system, library, "days of leave")
    assert (passage.title, passage.source) == ("Holidays", "holidays.md")

    newer = await in_thread(give, "holidays.md", LEAVE.replace("25", "30"), keep=Keep.VERSION)
    await index(newer.version.pk)
    [passage] = await found(system, library, "days of leave")
    assert passage.title == "Holidays"
    assert "30 days" in passage.text

    document = await Document.objects.select_related("current").aget()
    await in_thread(rename, document, name="holidays.md", title="")
    assert (await Document.objects.aget()).title == "Leave", "as the file calls itself"


# --- Remove and restore -----------------------------------------------------------------------


def test_several_documents_are_removed_and_restored_at_once(
    client: Client, owner: User, library: Library, give: Give
) -> None:
    documents = [give(f"{number}.md", f"# {number}").version.document.pk for number in range(3)]
    client.force_login(owner)
    gone = client.post(reverse("documents-remove", args=[library.pk]), {"document": documents[:2]}, follow=True).text
    assert "2 documents were removed" in gone
    assert [row.pk for row in Document.objects.readable_by(owner)] == documents[2:]
    listed = client.get(reverse("library-removed", args=[library.pk])).text
    assert "0.md" in listed
    assert "2.md" not in listed
    back = client.post(reverse("documents-restore", args=[library.pk]), {"document": documents[:1]}, follow=True).text
    assert "1 document was restored." in back
    assert [row.pk for row in Document.objects.readable_by(owner)] == [documents[0], documents[2]]


def test_ticking_nothing_gets_a_sentence(client: Client, owner: User, library: Library) -> None:
    client.force_login(owner)
    for name in ("documents-remove", "documents-restore"):
        assert "Tick at least one document." in client.post(reverse(name, args=[library.pk]), follow=True).text


def test_only_who_may_edit_a_library_can_change_what_is_in_it(
    client: Client, teammate: User, stranger: User, document: Document
) -> None:
    library = document.library_id
    for user in (teammate, stranger):
        client.force_login(user)
        for name in ("documents-remove", "documents-restore"):
            assert client.post(reverse(name, args=[library]), {"document": document.pk}).status_code == 404
        assert client.get(reverse("library-removed", args=[library])).status_code == 404
        assert client.post(reverse("document-rename", args=[document.pk]), {"name": "x.md"}).status_code == 404
    document.refresh_from_db()
    assert (document.deleted_at, document.name) == (None, "leave.md")


def test_who_may_only_read_is_shown_no_way_to_change_anything(
    client: Client, teammate: User, document: Document
) -> None:
    client.force_login(teammate)
    pages = client.get(document.library.get_absolute_url()).text + client.get(document.get_absolute_url()).text
    for name in ("Choose leave.md", "Remove", "Rename", "Recently removed"):
        assert name not in pages


def test_an_editor_can_change_what_is_in_a_library(
    client: Client, teammate: User, library: Library, document: Document
) -> None:
    library.memberships.filter(user=teammate).update(role=Membership.Role.EDITOR)
    client.force_login(teammate)
    client.post(reverse("documents-remove", args=[library.pk]), {"document": document.pk})
    assert not Document.objects.readable_by(teammate).exists()
    client.post(reverse("documents-restore", args=[library.pk]), {"document": document.pk})
    assert Document.objects.readable_by(teammate).exists()


def test_documents_of_other_libraries_can_not_be_mixed_in(
    client: Client, owner: User, document: Document, elsewhere: Document
) -> None:
    client.force_login(owner)
    both = {"document": [document.pk, elsewhere.pk, "x", "9" * 30]}
    page = client.post(reverse("documents-remove", args=[document.library_id]), both, follow=True).text
    assert "1 document was removed" in page
    assert "3 of those ticked are not there any more." in page
    elsewhere.refresh_from_db()
    assert elsewhere.deleted_at is None
    delete(elsewhere)
    client.post(reverse("documents-restore", args=[document.library_id]), both)
    elsewhere.refresh_from_db()
    assert elsewhere.deleted_at is not None


def test_a_document_whose_file_has_another_one_is_not_restored(
    client: Client, owner: User, library: Library, give: Give
) -> None:
    removed = give("leave.md", LEAVE, source="/files/leave.md").version.document
    delete(removed)
    give("leave.md", LEAVE, source="/files/leave.md")
    client.force_login(owner)
    page = client.post(reverse("documents-restore", args=[library.pk]), {"document": removed.pk}, follow=True)
    assert "leave.md can&#x27;t be restored: another document has been made of the same file." in page.text
    assert "were restored" not in page.text
    assert "was restored" not in page.text


def test_what_went_with_a_container_comes_back_with_it(client: Client, owner: User, library: Library) -> None:
    container, member, gone_before = (
        Document.objects.create(library=library, name=name) for name in ("all.zip", "a.txt", "b.txt")
    )
    Document.objects.exclude(pk=container.pk).update(container=container)
    delete(gone_before)
    delete(container)
    assert list(Document.objects.removed_from(library)) == [container]
    container.refresh_from_db()
    restore(container)
    assert list(Document.objects.readable_by(owner)) == [member, container]
    assert list(Document.objects.removed_from(library)) == [gone_before]


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_is_restored_is_found_again_without_being_read_again(
    system: Wiring, model: OpenAIServer, library: Library, give: Give
) -> None:
    received: Received = await in_thread(give, "leave.md", LEAVE)
    await index(received.version.pk)
    document = await Document.objects.aget()
    chunks = [chunk.pk async for chunk in Chunk.objects.all()]
    await in_thread(delete, document)
    assert not await found(system, library, "days of leave")
    requests = len(model.requests(EMBEDDINGS))
    await in_thread(restore, document)
    assert len(model.requests(EMBEDDINGS)) == requests
    assert len(await found(system, library, "days of leave")) == 1
    assert [chunk.pk async for chunk in Chunk.objects.all()] == chunks


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_was_removed_before_it_was_read_is_read_when_it_is_restored(
    system: Wiring, library: Library, give: Give
) -> None:
    received: Received = await in_thread(give, "leave.md", LEAVE)
    document = await Document.objects.aget()
    await in_thread(delete, document)
    await index(received.version.pk)
    assert not await Chunk.objects.aexists()
    await in_thread(restore, document)
    await index(received.version.pk)
    assert len(await found(system, library, "days of leave")) == 1
