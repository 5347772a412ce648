"""Answers with footnotes, as they are stored, without anybody having been asked."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from chat.models import Citation, Conversation, Message
from documents.ingest import Keep, receive
from documents.models import Document, Library, Page, User, Version

QUESTION = "How many days of leave are there?"


def put(library: Library, name: str, *pages: str) -> Version:
    """The newest version of a document of that name, as if read and indexed, a paragraph a page."""
    data = ("%PDF-1.4" * name.endswith(".pdf") + "\n".join(pages)).encode()
    version = receive(None, library, ContentFile(data, name), keep=Keep.VERSION).version
    for number, text in enumerate(pages, 1):
        blocks = [["paragraph", 0, len(text), 0, []]]
        Page.objects.create(version=version, number=number, text=text, how_read="text", blocks=blocks)
    Version.objects.filter(pk=version.pk).update(status="ready", ready_at=timezone.now())
    Document.objects.filter(pk=version.document_id).update(current=version)
    return Version.objects.select_related("document__library").get(pk=version.pk)


def answer(owner: User, *citations: Citation, text: str = "", **fields: Any) -> Message:
    """An answer in a conversation of its own, with these footnotes."""
    conversation = Conversation.objects.create(owner=owner, title=QUESTION)
    return answer_in(conversation, *citations, text=text, **fields)


def answer_in(
    conversation: Conversation, *citations: Citation, text: str = "", question: str = QUESTION, **fields: Any
) -> Message:
    parent = Message.objects.create(conversation=conversation, role="user", text=question)
    text = text or "".join(f"“{citation.quote}”[{number}]" for number, citation in enumerate(citations, 1))
    about = {"conversation": conversation, "parent": parent, "role": "assistant", "text": text, "status": "complete"}
    message = Message.objects.create(**about | fields)
    for number, citation in enumerate(citations, 1):
        citation.number, citation.message = number, message
    Citation.objects.bulk_create(citations)
    return message


def cites(version: Version, quote: str, *, page: int = 1, **fields: Any) -> Citation:
    """A footnote that quotes these words of a page, not saved yet."""
    text = version.pages.get(number=page).text
    start = text.index(quote)
    place = {"page": page, "paged": version.paged, "start": start, "end": start + len(quote), "quote": quote}
    about: dict[str, Any] = {"version": version, "document": version.document, "library": version.document.library}
    about |= {"title": str(version.document), "sha256": version.sha256}
    return Citation(**about | place | fields)
