"""What a footnote stands for: the page it was taken from, with the passage marked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from chat.models import Citation, Conversation
from documents.models import Library, Page
from documents.places import blocks
from documents.rag.types import Box
from documents.views.pages import rect


@login_required
@require_GET
def source(request: HttpRequest, conversation_id: UUID, message_id: int, number: int) -> HttpResponse:
    """The source beside the chat, for who may read its library now."""
    readable = Citation.objects.filter(
        message=message_id,
        message__conversation=conversation_id,
        message__conversation__in=Conversation.objects.of(request.user),
        library__in=Library.objects.readable_by(request.user),
    )
    citation = get_object_or_404(readable.select_related("version", "document", "message"), number=number)
    numbers = list(readable.values_list("number", flat=True))
    return render(
        request,
        "chat/_source.html",
        {
            "citation": citation,
            "previous": max((other for other in numbers if other < number), default=None),
            "next": min((other for other in numbers if other > number), default=None),
            **_place(citation),
        },
    )


def _place(citation: Citation) -> dict[str, Any]:
    """The page as it is stored; without one, only the quote is shown."""
    document = citation.document if citation.document and not citation.document.deleted_at else None
    page = Page.objects.filter(version=citation.version_id, number=citation.page).first() if document else None
    return {
        "document": document,
        "version": citation.version,
        "page": page,
        "blocks": blocks(page, [(citation.start, citation.end)]) if page else [],
        "rects": [rect(Box(*sides)) for sides in citation.boxes],
    }
