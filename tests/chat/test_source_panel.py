"""The source beside an answer."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from chat.models import Citation, Conversation, Message
from documents.ingest import receive
from documents.models import Library, User

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
