"""The source beside an answer."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from chat.models import Citation, Conversation, Message
from documents.ingest import receive
from documents.models import Library, Membership, Page, User
from tests.chat.cited import answer, cites, put

pytestmark = pytest.mark.django_db

PAGE = "https://example.com/leave"


def panel(client: Client, reader: User, library: Library, source: str | None = None, **fields: str) -> str:
    """The panel of an answer that cites one document."""
    version = receive(reader, library, ContentFile(b"# Leave", "leave.md"), source=source).version
    message = Message.objects.create(conversation=Conversation.objects.create(owner=reader), role="assistant")
    cited = {"library": library, "document": version.document, "version": version, "title": "Leave"}
    Citation.objects.create(message=message, number=1, page=1, start=0, end=5, quote="Leave", **cited, **fields)
    client.force_login(reader)
    return client.get(reverse("source", args=[message.conversation_id, message.pk, 1])).text


def test_a_document_of_the_web_leads_there(client: Client, owner: User, library: Library) -> None:
    assert f'<a href="{PAGE}" rel="noopener noreferrer nofollow">' in panel(client, owner, library, PAGE)


def test_another_document_leads_nowhere(client: Client, owner: User, library: Library) -> None:
    assert "On the web" not in panel(client, owner, library)


def test_what_has_no_pages_tells_under_what_it_stands(client: Client, owner: User, library: Library) -> None:
    assert "Footnote 1 · Index, B4:F9 · version 1" in panel(client, owner, library, heading="Index, B4:F9")
    assert "Footnote 1 · version 1" in panel(client, owner, library, heading="Leave")


def test_the_file_can_be_downloaded_where_that_is_allowed(
    client: Client, owner: User, teammate: User, library: Library
) -> None:
    version = put(library, "leave.md", "Leave")
    allowed, refused = answer(owner, cites(version, "Leave")), answer(teammate, cites(version, "Leave"))
    Membership.objects.filter(user=teammate).update(may_download=False)
    for reader, message in ((owner, allowed), (teammate, refused)):
        client.force_login(reader)
        shown = client.get(reverse("source", args=[message.conversation_id, message.pk, 1])).text
        assert ("Download" in shown) == (reader == owner)
        assert "Open document" in shown


def test_an_e_mail_tells_from_whom_it_came_to_whom_and_when(client: Client, owner: User, library: Library) -> None:
    head = "From: Ada <ada@example.com>\nTo: Bob\nDate: Mon, 4 May 2026 10:00:00 +0200\nSubject: Leave"
    version = put(library, "leave.eml", f"{head}\n\nTake it in May.")
    Page.objects.update(blocks=[["paragraph", 0, len(head), 0, []]])
    message = answer(owner, cites(version, "Take it in May."))
    client.force_login(owner)
    shown = client.get(reverse("source", args=[message.conversation_id, message.pk, 1])).text
    assert "<dt>From</dt><dd>Ada &lt;ada@example.com&gt;</dd>" in shown
    assert "<dt>Date</dt><dd>Mon, 4 May 2026 10:00:00 +0200</dd>" in shown
    assert "<dt>Subject</dt>" not in shown


def test_footnotes_lead_to_each_other_by_keys(client: Client, owner: User, library: Library) -> None:
    version = put(library, "leave.md", "Leave and trains")
    message = answer(owner, cites(version, "Leave"), cites(version, "trains"))
    client.force_login(owner)
    first, second = (
        client.get(reverse("source", args=[message.conversation_id, message.pk, number])).text for number in (1, 2)
    )
    assert 'aria-keyshortcuts="ArrowRight J"' in first
    assert 'aria-keyshortcuts="ArrowLeft K"' in second
    assert "ArrowLeft" not in first


def test_a_page_is_fetched_when_it_is_seen_as_finely_as_the_screen_shows_it(
    client: Client, owner: User, library: Library
) -> None:
    version = put(library, "leave.pdf", "Leave")
    message = answer(owner, cites(version, "Leave"))
    client.force_login(owner)
    shown = client.get(reverse("source", args=[message.conversation_id, message.pk, 1])).text
    picture = reverse("page-image", args=[version.document_id, 1, 1])
    assert f'srcset="{picture}?width=600 600w, {picture}?width=1200 1200w, {picture}?width=1800 1800w"' in shown
    assert 'loading="lazy"' in shown


def test_a_link_to_a_footnote_tells_a_stranger_nothing(
    client: Client, owner: User, stranger: User, library: Library
) -> None:
    message = answer(owner, cites(put(library, "secret.md", "Leave"), "Leave"))
    link = reverse("source", args=[message.conversation_id, message.pk, 1])
    for address in (message.conversation.get_absolute_url(), link):
        client.force_login(stranger)
        response = client.get(address)
        assert response.status_code == 404
        assert "secret" not in response.text
        client.logout()
        assert client.get(address).status_code == 302
