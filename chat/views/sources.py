"""What a footnote stands for: the page it was taken from, with the passage marked."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from chat import records
from chat.lasting import standings
from chat.live import logged
from chat.models import Citation, Conversation, Message
from documents.alike import copies
from documents.letters import letterhead
from documents.models import Document, Library, Page
from documents.places import Mark, blocks, wording
from documents.rag.types import Box
from documents.views.pages import rect

COPIES_SHOWN = 10


@login_required
@require_GET
def source(request: HttpRequest, conversation_id: UUID, message_id: int, number: int) -> HttpResponse:
    """The source beside the chat, for who may read its library now."""
    own = Message.objects.filter(conversation__in=Conversation.objects.of(request.user))
    message = get_object_or_404(own, pk=message_id, conversation=conversation_id)
    readable = set(Library.objects.readable_by(request.user).values_list("pk", flat=True))
    citations = {citation.number: citation for citation in _citations(message) if citation.library_id in readable}
    if number not in citations:
        raise Http404
    return render(
        request,
        "chat/_source.html",
        {
            "citation": citations[number],
            "previous": max((other for other in citations if other < number), default=None),
            "next": min((other for other in citations if other > number), default=None),
            **_place(request, citations[number]),
        },
    )


def _citations(message: Message) -> list[Citation]:
    """Those that are stored, or, of an answer that is still being written, those that its log has."""
    if message.status == Message.Status.STREAMING:
        cited = [event for event in logged(message.pk) if event["type"] == "citation"]
        return records.citations(message, cited)
    return list(message.citations.select_related("version", "document"))


def _place(request: HttpRequest, citation: Citation) -> dict[str, Any]:
    """The page as it is stored, where the document may be read now, as it may have been moved; else only the quote."""
    [standing] = standings([citation], request.user)
    document = standing.document
    pages = Page.objects.filter(version=citation.version_id, number=citation.page).select_related("version")
    page = pages.first() if document else None
    start, end = _span(citation, page) if page else (0, 0)
    return {
        "standing": standing,
        "document": document,
        "version": citation.version,
        "page": page,
        "start": start,
        "end": end,
        "blocks": blocks(page, [(start, end)]) if page else [],
        "copies": copies(page, start, end, request.user)[:COPIES_SHOWN] if page else [],
        "rects": [rect(Box(*sides)) for sides in citation.boxes],
        "letterhead": letterhead(page.version) if page else {},
        "may_download": _may_download(request, document),
    }


def _span(citation: Citation, page: Page) -> Mark:
    """Where the quotation stands on its page, which may have been read anew since."""
    if page.text[citation.start : citation.end] == citation.quote:
        return citation.start, citation.end
    found = re.search(wording(citation.quote), page.text)
    return found.span() if found else (0, 0)


def _may_download(request: HttpRequest, document: Document | None) -> bool:
    if document is None:
        return False
    return Library.objects.downloadable_by(request.user).filter(pk=document.library_id).exists()
