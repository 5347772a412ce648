"""Libraries and documents as people see them: the owner, a team-mate, and a stranger who sees nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import AsyncClient, Client
from django.urls import reverse

from documents.ingest import Keep
from documents.models import Document, Library, Membership, Page, User, Version
from documents.places import stored
from documents.progress import describe
from documents.rag import types
from documents.rag.types import Block, BlockKind, Box, Word, Words
from tests.documents.conftest import Give
from tests.rag.pdfs import pdf, text

pytestmark = pytest.mark.django_db

TEXT = "Leave <b>\n\nEveryone has 25 days."


@pytest.fixture
def document(give: Give) -> Document:
    """Ready, with two pages."""
    version = give("leave.md", "# Leave\n\nEveryone has 25 days.").version
    blocks = (Block(BlockKind.HEADING, 0, 9, ("Leave",), 1), Block(BlockKind.PARAGRAPH, 11, len(TEXT)))
    return ready(
        version, types.Page(1, TEXT, blocks), types.Page(2, "Sick leave", (Block(BlockKind.PARAGRAPH, 0, 10),))
    )


@pytest.fixture
def paper(give: Give) -> Document:
    """A PDF of one page."""
    version = give("plan.pdf", pdf(text((50, 700, "The plan")))).version
    words = Words.of([Word(0, 3, Box(0.1, 0.1, 0.2, 0.15)), Word(4, 8, Box(0.25, 0.1, 0.4, 0.15))])
    block = Block(BlockKind.PARAGRAPH, 0, 8)
    return ready(version, types.Page(1, "The plan", (block,), words, 600.0, 800.0))


def ready(version: Version, *pages: types.Page) -> Document:
    Page.objects.bulk_create([stored(version.pk, page) for page in pages])
    version.status, version.pages_total, version.pages_read = Version.Status.READY, len(pages), len(pages)
    version.save()
    version.document.current = version.document.latest = version
    version.document.save()
    return version.document


def addresses(document: Document) -> list[str]:
    page = {"document_id": document.pk, "version": 1, "number": 1}
    return [
        reverse("library", args=[document.library_id]),
        document.get_absolute_url(),
        reverse("document-row", args=[document.pk]),
        reverse("file", args=[document.pk]),
        reverse("page", kwargs=page),
        reverse("page-image", kwargs=page),
    ]


def test_it_works(client: Client, owner: User, document: Document) -> None:
    client.force_login(owner)
    assert "leave.md" in client.get(reverse("library", args=[document.library_id])).text
    page = client.get(document.get_absolute_url()).text
    assert "Leave &lt;b&gt;" in page
    assert "Sick leave" not in page
    assert "Sick leave" in client.get(document.get_absolute_url(), {"page": 2}).text


def test_who_may_read_the_library_sees_everything_of_it(
    client: Client, owner: User, teammate: User, paper: Document
) -> None:
    for user in (owner, teammate):
        client.force_login(user)
        assert [client.get(address).status_code for address in addresses(paper)] == [200] * 6


def test_a_stranger_finds_nothing(client: Client, stranger: User, paper: Document) -> None:
    client.force_login(stranger)
    assert [client.get(address).status_code for address in addresses(paper)] == [404] * 6
    assert "Handbook" not in client.get(reverse("libraries")).text


def test_without_signing_in_there_is_only_the_door(client: Client, paper: Document) -> None:
    for address in [*addresses(paper), reverse("libraries")]:
        assert client.get(address)["Location"].startswith(reverse("account_login"))


def test_everyone_may_read_a_team_library(client: Client, stranger: User, library: Library, paper: Document) -> None:
    library.visibility = Library.Visibility.TEAM
    library.save()
    client.force_login(stranger)
    assert [client.get(address).status_code for address in addresses(paper)] == [200] * 6


def test_how_each_page_was_read_is_seen_at_a_glance(client: Client, owner: User, document: Document) -> None:
    Page.objects.filter(number=2).update(how_read="failed")
    client.force_login(owner)
    shown = client.get(document.get_absolute_url()).text
    assert '<span data-how="text">1 text</span><span data-how="failed">1 failed</span>' in shown
    assert 'href="?page=2" data-how="failed" title="Page 2: failed" aria-label="Page 2: failed"' in shown


def test_the_strip_of_pages_comes_by_itself_folded_or_whole(
    client: Client, owner: User, stranger: User, document: Document
) -> None:
    address = reverse("strip", args=[document.pk])
    client.force_login(owner)
    whole = client.get(address, {"page": 2}).text
    assert 'aria-label="Page 2: text" aria-current="page"' in whole
    assert "<h1>" not in whole
    folded = client.get(address, {"folded": 1}).text
    assert "2 text" in folded
    assert "Page 2" not in folded
    client.force_login(stranger)
    assert client.get(address).status_code == 404


def test_a_passage_is_marked(client: Client, owner: User, document: Document) -> None:
    client.force_login(owner)
    address = reverse("page", args=[document.pk, 1, 1])
    assert "Everyone has <mark>25 days</mark>." in client.get(address, {"start": 24, "end": 31}).text


def test_a_passage_of_a_pdf_is_marked_on_its_picture(client: Client, owner: User, paper: Document) -> None:
    client.force_login(owner)
    shown = client.get(reverse("page", args=[paper.pk, 1, 1]), {"start": 4, "end": 8}).text
    assert '<rect x="0.25" y="0.1"' in shown
    assert "<mark>plan</mark>" in shown


def test_a_passage_is_marked_on_its_page_of_the_document(client: Client, owner: User, document: Document) -> None:
    client.force_login(owner)
    place = {"version": 1, "page": 2, "start": 0, "end": 4}
    assert "<mark>Sick</mark> leave" in client.get(document.get_absolute_url(), place).text


def test_numbers_too_long_to_mean_anything_find_and_mark_nothing(client: Client, owner: User, paper: Document) -> None:
    client.force_login(owner)
    long = "9" * 5_000
    assert client.get(paper.get_absolute_url(), {"version": long}).status_code == 404
    assert client.get(reverse("file", args=[paper.pk]), {"version": long}).status_code == 404
    page = client.get(reverse("page", args=[paper.pk, 1, 1]), {"start": long, "end": "5"})
    assert page.status_code == 200
    assert "<mark>" not in page.text
    assert client.get(reverse("page-image", args=[paper.pk, 1, 1]), {"width": long}).status_code == 200


def test_the_picture_of_a_page_is_a_png(client: Client, owner: User, paper: Document) -> None:
    client.force_login(owner)
    response = client.get(reverse("page-image", args=[paper.pk, 1, 1]), {"width": "600"})
    assert response.content.startswith(b"\x89PNG")
    assert int.from_bytes(response.content[16:20], "big") == 600


def test_a_text_has_no_pictures(client: Client, owner: User, document: Document) -> None:
    client.force_login(owner)
    assert client.get(reverse("page-image", args=[document.pk, 1, 1])).status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_a_file_is_sent_to_be_kept_and_never_shown(
    async_client: AsyncClient, owner: User, document: Document
) -> None:
    await async_client.aforce_login(owner)
    response: Any = await async_client.get(reverse("file", args=[document.pk]))
    assert b"".join([piece async for piece in response.streaming_content]) == b"# Leave\n\nEveryone has 25 days."
    assert response["Content-Disposition"] == 'attachment; filename="leave.md"'
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")


def test_who_may_not_download_gets_no_file(
    client: Client, teammate: User, library: Library, document: Document
) -> None:
    library.memberships.filter(user=teammate).update(may_download=False)
    client.force_login(teammate)
    assert client.get(reverse("file", args=[document.pk])).status_code == 404
    page = client.get(document.get_absolute_url())
    assert page.status_code == 200
    assert "Download" not in page.text


def test_a_removed_document_is_gone_from_every_page(client: Client, owner: User, paper: Document) -> None:
    client.force_login(owner)
    response = client.post(reverse("document-delete", args=[paper.pk]), follow=True)
    assert "plan.pdf was removed." in response.text
    _, *of_document = addresses(paper)
    assert [client.get(address).status_code for address in of_document] == [404] * 5


def test_only_who_may_edit_can_remove_or_try_again(
    client: Client, teammate: User, stranger: User, document: Document
) -> None:
    for user in (teammate, stranger):
        client.force_login(user)
        for name in ("document-delete", "document-retry"):
            assert client.post(reverse(name, args=[document.pk])).status_code == 404


def test_a_failed_document_can_be_tried_again(client: Client, owner: User, document: Document) -> None:
    Version.objects.update(status=Version.Status.FAILED, error="The model is away.", attempts=6)
    client.force_login(owner)
    row = client.get(reverse("document-row", args=[document.pk])).text
    assert "The model is away." in row
    assert "Try again" in row
    client.post(reverse("document-retry", args=[document.pk]))
    version = Version.objects.get()
    assert (version.status, version.error, version.attempts) == (Version.Status.QUEUED, "", 0)


def test_a_waiting_document_says_when_no_worker_is_running(client: Client, owner: User, give: Give) -> None:
    document = give("new.md", "# New").version.document
    client.force_login(owner)
    for address in (reverse("document-row", args=[document.pk]), document.get_absolute_url()):
        assert "queued; no worker is running" in client.get(address).text
    library = client.get(document.library.get_absolute_url()).text
    assert "No worker is running, so new documents wait." in library
    assert "0 of 1 document ready; no worker is running" in re.sub(r"<[^>]*>", "", library)


def test_large_numbers_are_written_in_groups(client: Client, owner: User, paper: Document) -> None:
    version = paper.versions.get()
    version.pages_total = version.pages_read = 1600
    version.left_out = ["x is empty."] * 2000
    version.save()
    client.force_login(owner)
    assert "1,600 pages" in client.get(paper.get_absolute_url()).text
    row = client.get(reverse("document-row", args=[paper.pk])).text
    assert 'data-label="Pages">1,600<' in row
    assert "2,000 files left out" in row
    version.status, version.pages_read = Version.Status.READING, 1200
    assert describe(version) == "reading page 1,200 of 1,600"


def test_while_a_new_version_is_recognised_the_one_before_is_asked(
    client: Client, owner: User, paper: Document, give: Give
) -> None:
    client.force_login(owner)
    newer = give("plan.pdf", pdf(text((50, 700, "The new plan"))), keep=Keep.VERSION).version
    Version.objects.filter(pk=newer.pk).update(status=Version.Status.RECOGNISING)
    assert "Until all are done the version before is asked." in client.get(paper.get_absolute_url()).text
    Document.objects.filter(pk=paper.pk).update(current=None)
    assert "Each page can be found as soon as it is done." in client.get(paper.get_absolute_url()).text


def test_a_user_makes_a_library_and_lets_others_in(client: Client, owner: User, stranger: User) -> None:
    client.force_login(owner)
    client.post(reverse("libraries"), {"name": "Plans", "visibility": "private"})
    library = Library.objects.get(name="Plans")
    client.post(reverse("member-add", args=[library.pk]), {"email": "Stranger@Example.com", "role": "editor"})
    assert Library.objects.editable_by(stranger).get() == library
    membership = library.memberships.get(user=stranger)
    client.post(reverse("member-remove", args=[library.pk, membership.pk]))
    assert not Library.objects.readable_by(stranger).exists()


def test_a_library_that_can_not_be_made_is_told_why(client: Client, owner: User) -> None:
    client.force_login(owner)
    response = client.post(reverse("libraries"), {"name": "", "visibility": "private"})
    assert response.status_code == 400
    assert "This field is required." in response.text
    assert not Library.objects.exists()


def test_the_last_owner_stays(client: Client, owner: User, library: Library) -> None:
    client.force_login(owner)
    membership = library.memberships.get(user=owner)
    response = client.post(reverse("member-remove", args=[library.pk, membership.pk]), follow=True)
    assert "A library needs an owner." in response.text
    assert Membership.objects.filter(pk=membership.pk).exists()


def test_an_unknown_e_mail_is_told_to_be_unknown(client: Client, owner: User, library: Library) -> None:
    client.force_login(owner)
    response = client.post(reverse("member-add", args=[library.pk]), {"email": "x@example.com", "role": "reader"})
    assert "Nobody here has the e-mail x@example.com." in response.text


def test_only_an_owner_may_change_a_library(client: Client, teammate: User, stranger: User, library: Library) -> None:
    membership = library.memberships.get(user=teammate)
    for user in (teammate, stranger):
        client.force_login(user)
        for address in (
            reverse("library-change", args=[library.pk]),
            reverse("member-add", args=[library.pk]),
            reverse("member-remove", args=[library.pk, membership.pk]),
        ):
            assert client.post(address, {"name": "Mine"}).status_code == 404
