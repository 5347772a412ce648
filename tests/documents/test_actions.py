"""What the admin offers for ticked documents: removing, restoring, erasing for good, reading again."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localtime

from documents.ingest import delete
from documents.models import Document, Library, Membership, Receipt, User, Version
from documents.purging import work_off
from tests.documents.conftest import Give

pytestmark = pytest.mark.django_db

LIST = "/admin/documents/document/"
REMOVED = LIST + "?removed=yes"


@pytest.fixture
def admin(owner: User, client: Client) -> Client:
    """An administrator, who owns the library."""
    return signed_in(client, owner)


@pytest.fixture
def document(give: Give) -> Document:
    return give("leave.md", "# Leave").version.document


@pytest.fixture
def removed(document: Document) -> Document:
    delete(document)
    return document


def signed_in(client: Client, user: User, *permissions: str) -> Client:
    """As somebody who may open the admin, with these permissions there, or all."""
    user.is_staff, user.is_superuser = True, not permissions
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def act(client: Client, action: str, *documents: Document, at: str = LIST, **more: str) -> str:
    """The page that an action ends at."""
    ticked = [str(document.pk) for document in documents]
    return client.post(at, {"action": action, "_selected_action": ticked, **more}, follow=True).text


def offered(client: Client, address: str) -> list[str]:
    return re.findall(r'<option value="(\w+)"', client.get(address).text)


# --- What is shown and offered ----------------------------------------------------------------


def test_the_list_shows_what_is_in_use_or_what_was_removed(admin: Client, give: Give, removed: Document) -> None:
    give("travel.md", "# Travel")
    assert ("leave.md" in admin.get(LIST).text, "travel.md" in admin.get(LIST).text) == (False, True)
    page = admin.get(REMOVED).text
    assert ("leave.md" in page, "travel.md" in page) == (True, False)
    assert f"removed {localtime(removed.deleted_at):%-d %b %Y, %H:%M}" in page


def test_each_list_offers_what_can_be_done_there(admin: Client, give: Give, removed: Document) -> None:
    give("travel.md", "# Travel")
    assert offered(admin, LIST) == ["read_again", "remove"]
    assert offered(admin, REMOVED) == ["restore", "erase"]


def test_what_an_archive_held_is_not_listed_beside_it(admin: Client, give: Give, removed: Document) -> None:
    member = give("member.md", "# Member").version.document
    Document.objects.filter(pk=member.pk).update(container=removed, deleted_at=removed.deleted_at)
    assert "member.md" not in admin.get(REMOVED).text


def test_what_was_removed_is_shown_to_editors_alone(client: Client, teammate: User, removed: Document) -> None:
    assert "leave.md" not in signed_in(client, teammate).get(REMOVED).text


def test_what_is_to_be_erased_is_not_listed_any_more(admin: Client, removed: Document) -> None:
    act(admin, "erase", removed, at=REMOVED, confirmed="1")
    assert "leave.md" not in admin.get(REMOVED).text


def test_who_may_only_look_is_offered_nothing(client: Client, owner: User, document: Document) -> None:
    looking = signed_in(client, owner, "view_document")
    assert "leave.md" in looking.get(LIST).text
    assert offered(looking, LIST) == []
    act(looking, "remove", document)
    assert Document.objects.filter(deleted_at=None).exists()


def test_erasing_is_offered_by_the_permission_to_delete_alone(client: Client, owner: User, removed: Document) -> None:
    changing = signed_in(client, owner, "view_document", "change_document")
    assert offered(changing, REMOVED) == ["restore"]
    act(changing, "erase", removed, at=REMOVED, confirmed="1")
    assert not Receipt.objects.exists()


def test_staff_without_any_permission_do_not_get_in(client: Client, stranger: User, document: Document) -> None:
    stranger.is_staff = True
    stranger.save()
    client.force_login(stranger)
    assert client.get(LIST).status_code == 403
    assert client.post(LIST, {"action": "remove", "_selected_action": [document.pk]}).status_code == 403
    assert Document.objects.filter(deleted_at=None).exists()


def test_a_readers_administration_changes_no_document(client: Client, teammate: User, document: Document) -> None:
    reading = signed_in(client, teammate)
    address = reverse("admin:documents_document_change", args=[document.pk])
    assert 'name="_save"' not in reading.get(address).text
    assert reading.post(address, {"name": "mine.md", "title": "Mine"}).status_code == 403


def test_a_removed_document_is_shown_and_not_changed(admin: Client, removed: Document) -> None:
    page = admin.get(reverse("admin:documents_document_change", args=[removed.pk]))
    assert page.status_code == 200
    assert 'name="_save"' not in page.text


def test_a_library_leads_to_its_receipts(admin: Client, library: Library) -> None:
    page = admin.get(reverse("admin:documents_library_changelist")).text
    assert f'href="/receipts/?library={library.pk}"' in page


# --- Removing and restoring -------------------------------------------------------------------


def test_ticked_documents_are_removed(admin: Client, document: Document) -> None:
    page = act(admin, "remove", document)
    assert "1 document was removed, to be restored within 30 days if need be." in page
    assert Document.objects.get().deleted_at


def test_a_reader_removes_nothing(client: Client, teammate: User, document: Document) -> None:
    page = act(signed_in(client, teammate), "remove", document)
    assert "1 document was left alone: you may not edit the library." in page
    assert not Document.objects.get().deleted_at


def test_a_stranger_removes_nothing(client: Client, stranger: User, document: Document) -> None:
    act(signed_in(client, stranger), "remove", document)
    assert not Document.objects.get().deleted_at


def test_ticked_documents_are_restored(admin: Client, removed: Document) -> None:
    assert "1 document was restored." in act(admin, "restore", removed, at=REMOVED)
    assert not Document.objects.get().deleted_at


def test_what_cannot_be_restored_is_told(admin: Client, give: Give) -> None:
    first = give("leave.md", "# Leave", source="/rules/leave.md").version.document
    delete(first)
    give("leave.md", "# Leave", source="/rules/leave.md")
    assert "leave.md can&#x27;t be restored" in act(admin, "restore", first, at=REMOVED)


# --- Erasing ----------------------------------------------------------------------------------


def test_erasing_asks_first_and_ends_at_the_receipt(admin: Client, removed: Document, owner: User) -> None:
    asked = act(admin, "erase", removed, at=REMOVED)
    assert "Erase 1 document for good" in asked
    assert "leave.md" in asked
    assert not Receipt.objects.exists()
    ended = act(admin, "erase", removed, at=REMOVED, confirmed="1")
    receipt = Receipt.objects.get()
    assert f"Receipt {receipt.pk}" in ended
    assert receipt.by == owner
    work_off()
    assert not Document.objects.exists()


def test_what_changed_since_it_was_asked_is_asked_again(admin: Client, removed: Document, give: Give) -> None:
    other = give("travel.md", "# Travel").version.document
    delete(other)
    ended = act(admin, "erase", removed, other, at=REMOVED, confirmed="1")
    assert "Erase 2 documents for good" in ended
    assert not Receipt.objects.exists()


def test_documents_of_two_libraries_give_two_receipts(admin: Client, removed: Document, owner: User) -> None:
    archive = Library.objects.create(name="Archive")
    Membership.objects.create(library=archive, user=owner, role=Membership.Role.OWNER)
    other = Document.objects.create(library=archive, name="old.md", deleted_at=removed.deleted_at)
    ended = act(admin, "erase", removed, other, at=REMOVED, confirmed="2")
    assert "<h1>Receipts</h1>" in ended
    work_off()
    assert not Document.objects.exists()
    assert [receipt.erased["documents"] for receipt in Receipt.objects.all()] == [1, 1]


def test_an_editor_erases_nothing(client: Client, teammate: User, library: Library, removed: Document) -> None:
    library.memberships.filter(user=teammate).update(role=Membership.Role.EDITOR)
    page = act(signed_in(client, teammate), "erase", removed, at=REMOVED, confirmed="1")
    assert "1 document was left alone: only a library&#x27;s owner removes documents for good." in page
    assert not Receipt.objects.exists()


def test_the_administrations_log_forgets_what_is_erased(admin: Client, removed: Document, give: Give) -> None:
    kept = give("travel.md", "# Travel").version.document
    act(admin, "remove", kept)
    act(admin, "restore", removed, at=REMOVED)
    act(admin, "remove", removed)
    act(admin, "erase", removed, at=REMOVED, confirmed="1")
    work_off()
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["travel.md"]
    receipt = Receipt.objects.get()
    assert (receipt.erased["log entries"], receipt.left["log entries"]) == (2, 0)


# --- Reading again ----------------------------------------------------------------------------


def test_what_failed_is_read_again_and_nothing_else(admin: Client, document: Document, give: Give) -> None:
    ready = give("travel.md", "# Travel").version
    Version.objects.filter(document=document).update(status="failed", error="It broke.")
    Version.objects.filter(pk=ready.pk).update(status="ready")
    page = act(admin, "read_again", document, ready.document)
    assert "1 document was tried again." in page
    assert "1 document was left alone: only what failed is tried again" in page
    assert [*Version.objects.order_by("pk").values_list("status", "error")] == [("queued", ""), ("ready", "")]


def test_what_needs_a_password_is_not_tried_without(admin: Client, document: Document) -> None:
    Version.objects.update(status="failed", needs_password=True)
    assert "1 document was left alone" in act(admin, "read_again", document)
    assert Version.objects.get().needs_password


def test_a_reader_has_nothing_read_again(client: Client, teammate: User, document: Document) -> None:
    Version.objects.update(status="failed")
    act(signed_in(client, teammate), "read_again", document)
    assert Version.objects.get().status == "failed"
