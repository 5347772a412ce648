"""How an answer came about: beside it, and as a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from chat.models import Conversation, Message
from chat.reading import as_readable
from chat.tracing import shown
from documents.views.libraries import user_of


@login_required
@require_GET
def trace(request: HttpRequest, conversation_id: UUID, message_id: int) -> HttpResponse:
    message = _own(request, conversation_id, message_id)
    return render(request, "chat/_trace.html", {"message": message, "trace": _shown(request, message)})


@login_required
@require_GET
def export_trace(request: HttpRequest, conversation_id: UUID, message_id: int) -> HttpResponse:
    message = _own(request, conversation_id, message_id)
    response = JsonResponse(_shown(request, message), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="trace-{message.pk}.json"'
    return response


def _own(request: HttpRequest, conversation_id: UUID, message_id: int) -> Message:
    own = Message.objects.filter(conversation__in=Conversation.objects.of(request.user), role=Message.Role.ASSISTANT)
    return get_object_or_404(own.select_related("parent"), pk=message_id, conversation=conversation_id)


def _shown(request: HttpRequest, message: Message) -> dict[str, Any]:
    [readable] = as_readable([message], request.user)
    return shown(readable, user_of(request))
