"""Sources on their page: for the owner and editors; readers and strangers see nothing of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from documents.models import Document, Library, Membership, Source, User
from tests.documents.conftest import Give

pytestmark = pytest.mark.django_db

PAGE = "https://example.com/leave"


@pytest.fixture
def source(owner: User, library: Library) -> Source:
    return Source.objects.create(
        library=library, address=PAGE, created_by=owner, last_run=timezone.now(), items=12, added=1, gone=2
    )


@pytest.fixture
def administrator(owner: User) -> User:
    """The owner, as an administrator of the installation."""
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    return User.objects.get(pk=owner.pk)


def add(client: Client, library: Library, address: object, kind: str = "page", schedule: str = "daily") -> str:
    values = {"address": str(address), "kind": kind, "schedule": schedule}
    return client.post(reverse("sources", args=[library.pk]), values, follow=True).text


def test_it_works(client: Client, owner: User, library: Library) -> None:
    client.force_login(owner)
    assert "Sources" in client.get(library.get_absolute_url()).text
    assert PAGE in add(client, library, PAGE)
    source = Source.objects.get()
    assert (source.schedule, source.created_by, source.is_due) == ("daily", owner, True)


def test_the_last_result_is_said_in_words(client: Client, owner: User, source: Source) -> None:
    client.force_login(owner)
    row = client.get(reverse("source-row", args=[source.pk])).text
    assert "12 pages; 1 new, 2 gone" in row
    assert "now" in row


def test_an_error_is_said(client: Client, owner: User, source: Source) -> None:
    Source.objects.update(error="It can't be reached.", problems=["logo.png is a PNG image."])
    client.force_login(owner)
    row = client.get(reverse("source-row", args=[source.pk])).text
    assert "It can&#x27;t be reached." in row
    assert "logo.png is a PNG image." in row


def test_a_waiting_source_says_when_no_worker_is_running(client: Client, owner: User, source: Source) -> None:
    client.force_login(owner)
    client.post(reverse("source-fetch", args=[source.pk]))
    assert "no worker is running" in client.get(reverse("source-row", args=[source.pk])).text


def test_the_page_says_when_no_worker_is_running(client: Client, owner: User, library: Library) -> None:
    client.force_login(owner)
    assert "No worker is running, so new documents wait." in client.get(reverse("sources", args=[library.pk])).text


def test_the_schedule_can_be_changed(client: Client, owner: User, source: Source) -> None:
    client.force_login(owner)
    client.post(reverse("source-change", args=[source.pk]), {"schedule": "weekly"})
    changed = Source.objects.get()
    assert changed.next_run is not None
    assert changed.last_run is not None
    assert (changed.next_run - changed.last_run).days == 7
    client.post(reverse("source-change", args=[source.pk]), {"schedule": "none"})
    assert Source.objects.get().next_run is None
    client.post(reverse("source-change", args=[source.pk]), {"schedule": "every second"})
    assert Source.objects.get().schedule == "none"


def test_an_editor_may_do_what_an_owner_may(client: Client, stranger: User, library: Library, source: Source) -> None:
    Membership.objects.create(library=library, user=stranger, role=Membership.Role.EDITOR)
    client.force_login(stranger)
    assert client.get(reverse("sources", args=[library.pk])).status_code == 200
    client.post(reverse("source-fetch", args=[source.pk]))
    assert Source.objects.get().is_due


def test_readers_and_strangers_find_nothing(
    client: Client, teammate: User, stranger: User, library: Library, source: Source
) -> None:
    for user in (teammate, stranger):
        client.force_login(user)
        assert client.get(reverse("sources", args=[library.pk])).status_code == 404
        assert client.post(reverse("sources", args=[library.pk]), {"address": PAGE}).status_code == 404
        assert client.get(reverse("source-row", args=[source.pk])).status_code == 404
        for name in ("source-fetch", "source-change", "source-remove"):
            assert client.post(reverse(name, args=[source.pk])).status_code == 404
    assert Source.objects.get().next_run is None


def test_a_reader_is_shown_no_way_there(client: Client, teammate: User, library: Library) -> None:
    client.force_login(teammate)
    assert reverse("sources", args=[library.pk]) not in client.get(library.get_absolute_url()).text


def test_who_is_not_signed_in_is_sent_away(client: Client, library: Library) -> None:
    assert client.get(reverse("sources", args=[library.pk])).status_code == 302


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://127.0.0.1/", "is not on the public internet"),
        ("http://user:secret@example.com/", "with a user or password"),
        ("example.com", "is no web address"),
        ("file:///etc/passwd", "is no web address"),
        (
            "http://exa mple",
            "“exa mple” can&#x27;t be the name of a host. Give an address as https://example.com/page.",
        ),
        ("http://exa%20mple/", "can&#x27;t be the name of a host"),
        ("http://exa<mple/", "can&#x27;t be the name of a host"),
        ("http://-example.com/", "can&#x27;t be the name of a host"),
        ("http://example..com/", "can&#x27;t be the name of a host"),
        ("http://ex\u202eample.com/", "is no web address"),
        ("http://", "is no web address"),
        ("http:///leave", "is no web address"),
        ("http://[::1", "is no web address"),
        ("http://example.com:99999/", "is no web address"),
        ("http://example.com:port/", "is no web address"),
        ("http://example.com:8080/", "pages are fetched from ports 80 and 443 only"),
        ("", "This field is required."),
    ],
)
def test_an_address_is_refused(client: Client, owner: User, library: Library, address: str, sentence: str) -> None:
    client.force_login(owner)
    assert sentence in add(client, library, address)
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    "address", ["https://xn--exmple-cua.de/a%20b", "https://my_wiki.example.com./", "http://[2606:4700::1]/"]
)
def test_an_unusual_address_is_taken(client: Client, owner: User, library: Library, address: str) -> None:
    client.force_login(owner)
    add(client, library, address)
    assert Source.objects.get().address == address


def test_an_address_is_added_once(client: Client, owner: User, library: Library, source: Source) -> None:
    client.force_login(owner)
    assert "This is a source of the library already." in add(client, library, PAGE)


def test_an_administrator_adds_a_folder_that_the_operator_allows(
    client: Client, administrator: User, library: Library, settings: Settings, tmp_path: Path
) -> None:
    settings.SOURCE_FOLDERS = [str(tmp_path)]
    (tmp_path / "wiki").mkdir()
    client.force_login(administrator)
    add(client, library, tmp_path / "wiki", "folder")
    assert Source.objects.get().address == str((tmp_path / "wiki").resolve())


def test_other_folders_are_refused(
    client: Client, administrator: User, library: Library, settings: Settings, tmp_path: Path
) -> None:
    settings.SOURCE_FOLDERS = [str(tmp_path / "wiki")]
    client.force_login(administrator)
    for folder in (tmp_path, tmp_path / "wiki" / ".." / "other", "/etc", f"{tmp_path}/wikis"):
        assert "is not in a folder that the operator allows" in add(client, library, folder, "folder")
    assert "There is no folder" in add(client, library, tmp_path / "wiki", "folder")
    assert not Source.objects.exists()


def test_no_folder_is_offered_where_none_is_allowed(client: Client, administrator: User, library: Library) -> None:
    client.force_login(administrator)
    assert "a folder of the server" not in client.get(reverse("sources", args=[library.pk])).text
    add(client, library, "/etc", "folder")
    assert not Source.objects.exists()


def test_only_administrators_add_folders(
    client: Client, owner: User, library: Library, settings: Settings, tmp_path: Path
) -> None:
    settings.SOURCE_FOLDERS = [str(tmp_path)]
    client.force_login(owner)
    add(client, library, tmp_path, "folder")
    assert not Source.objects.exists()


def test_a_removed_source_leaves_its_documents(client: Client, owner: User, source: Source, give: Give) -> None:
    document = give("leave.html", "<p>Leave", source=PAGE).version.document
    Document.objects.update(kept_by=source)
    client.force_login(owner)
    said = client.post(reverse("source-remove", args=[source.pk]), follow=True).text
    assert "Its documents stay." in said
    assert Document.objects.get(deleted_at=None) == document


def test_its_documents_are_removed_with_it_where_that_is_asked_for(
    client: Client, owner: User, source: Source, give: Give
) -> None:
    give("leave.html", "<p>Leave", source=PAGE)
    Document.objects.update(kept_by=source)
    client.force_login(owner)
    client.post(reverse("source-remove", args=[source.pk]), {"documents": "remove"})
    assert not Document.objects.filter(deleted_at=None).exists()
    assert not Source.objects.exists()


def test_a_document_of_the_web_leads_there(client: Client, owner: User, give: Give) -> None:
    document = give("leave.html", "<p>Leave", source=PAGE).version.document
    client.force_login(owner)
    page = client.get(document.get_absolute_url()).text
    assert f'<a href="{PAGE}" rel="noopener noreferrer nofollow">' in page
