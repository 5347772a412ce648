"""A library's documents as they are listed: found, narrowed down, counted, and tried again together."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from documents.models import Document, Library, User, Version

pytestmark = pytest.mark.django_db

READY, FAILED, QUEUED = Version.Status.READY, Version.Status.FAILED, Version.Status.QUEUED
QUERIES = 25
"""Of a library's page, however many documents there are."""


def fill(library: Library, count: int, status: str = QUEUED, name: str = "note") -> list[Document]:
    """Documents that nobody has looked into."""
    documents = Document.objects.bulk_create(
        Document(library=library, name=f"{name} {number}.md", folder="notes") for number in range(count)
    )
    versions = Version.objects.bulk_create(
        Version(document=document, status=status, media_type="text/markdown", bytes=10) for document in documents
    )
    for document, version in zip(documents, versions, strict=True):
        document.latest = version
    Document.objects.bulk_update(documents, ["latest"])
    return documents


def listed(client: Client, library: Library, **query: str | int) -> list[str]:
    """The names of the documents in the table."""
    page = client.get(reverse("library", args=[library.pk]), query).text
    return re.findall(r"<th scope=\"row\">\s*<a [^>]*>([^<]*)</a>", page)


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def test_it_works(signed_in: Client, library: Library) -> None:
    fill(library, 3, READY, "plan")
    fill(library, 2, FAILED, "scan")
    fill(library, 1, QUEUED)
    page = signed_in.get(reverse("library", args=[library.pk])).text
    assert "3 of 6 documents ready" in page
    assert "2 failed" in page
    assert 'max="6" value="5"' in page
    assert "Try all failed again" in page


def test_the_progress_is_hidden_where_all_is_ready(signed_in: Client, library: Library) -> None:
    fill(library, 2, READY)
    assert re.search(r"data-standing[^>]* hidden>", signed_in.get(reverse("library", args=[library.pk])).text)


def test_documents_are_found_by_name_and_folder(signed_in: Client, library: Library) -> None:
    fill(library, 3, READY, "Plan")
    fill(library, 2, READY, "scan")
    assert listed(signed_in, library, q="plan 1") == ["Plan 1.md"]
    assert len(listed(signed_in, library, q="NOTES")) == 5
    assert listed(signed_in, library, q="%") == []
    assert listed(signed_in, library, q="plan\0 1") == ["Plan 1.md"]
    assert "No such document." in signed_in.get(reverse("library", args=[library.pk]), {"q": "%"}).text


def test_what_failed_and_what_is_unfinished_can_be_shown_alone(signed_in: Client, library: Library) -> None:
    fill(library, 1, READY, "plan")
    fill(library, 1, FAILED, "scan")
    fill(library, 1, QUEUED, "note")
    assert listed(signed_in, library, show="failed") == ["scan 0.md"]
    page = signed_in.get(reverse("library", args=[library.pk]), {"show": "failed"}).text
    assert '<option value="failed" selected>Failed</option>' in page
    assert listed(signed_in, library, show="unfinished") == ["note 0.md"]
    assert len(listed(signed_in, library, show="nonsense")) == 3
    page = signed_in.get(reverse("library", args=[library.pk]), {"show": "failed"}).text
    assert '<option value="failed" selected>Failed</option>' in page


def test_the_next_page_keeps_what_was_asked_for(signed_in: Client, library: Library) -> None:
    fill(library, 51, FAILED)
    page = signed_in.get(reverse("library", args=[library.pk]), {"show": "failed"}).text
    assert 'href="?show=failed&amp;page=2"' in page
    assert listed(signed_in, library, show="failed", page=2) == ["note 0.md"]


def test_a_page_takes_as_many_queries_for_many_documents_as_for_few(signed_in: Client, library: Library) -> None:
    counts = []
    for more in (3, 300):
        fill(library, more)
        with CaptureQueriesContext(connection) as queries:
            signed_in.get(reverse("library", args=[library.pk]))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= QUERIES


def test_the_rows_of_some_documents_come_with_the_progress(
    client: Client, teammate: User, library: Library, stranger: User
) -> None:
    first, second, _ = fill(library, 3)
    elsewhere = fill(Library.objects.create(name="Diary"), 1)[0]
    client.force_login(teammate)
    query = {"document": [str(first.pk), str(second.pk), str(elsewhere.pk), "x", "9" * 30]}
    fresh = client.get(reverse("library-progress", args=[library.pk]), query).text
    assert set(re.findall(r'data-document="(\d+)"', fresh)) == {str(first.pk), str(second.pk)}
    assert "0 of 3 documents ready" in fresh
    assert "no worker is running" in fresh
    client.force_login(stranger)
    assert client.get(reverse("library-progress", args=[library.pk]), query).status_code == 404


def test_all_that_failed_are_tried_again_but_for_what_needs_a_password(signed_in: Client, library: Library) -> None:
    locked, *others = fill(library, 3, FAILED)
    Version.objects.filter(document=locked).update(needs_password=True)
    ready = fill(library, 1, READY)
    elsewhere = fill(Library.objects.create(name="Diary"), 1, FAILED)
    page = signed_in.post(reverse("library-retry", args=[library.pk]), follow=True).text
    assert "2 documents are tried again." in page
    again = Version.objects.filter(status=QUEUED).values_list("document", flat=True)
    assert set(again) == {document.pk for document in others}
    assert Version.objects.filter(document__in=[locked, *elsewhere], status=FAILED).count() == 2
    assert Version.objects.get(document=ready[0]).status == READY


def test_only_who_may_edit_can_try_all_again(client: Client, library: Library, teammate: User, stranger: User) -> None:
    fill(library, 1, FAILED)
    for user in (teammate, stranger):
        client.force_login(user)
        assert client.post(reverse("library-retry", args=[library.pk])).status_code == 404
    client.force_login(teammate)
    assert "Try all failed again" not in client.get(reverse("library", args=[library.pk])).text
