"""The page to ask on, and a conversation's messages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from chat.forms import TitleForm
from chat.models import Conversation, Feedback, Message
from chat.reading import as_readable
from documents.endpoints import chat_models, outside_embedding
from documents.models import Library
from documents.rag.strategies import STRATEGIES
from documents.rag.system import DEFAULT_STRATEGY


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/conversation.html", _composer(request, None))


@login_required
@require_GET
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    return render(
        request,
        "chat/conversation.html",
        {
            "conversation": found,
            "thread": as_readable(_messages(request, found), request.user),
            "edits": _edits(request),
            **_composer(request, found),
        },
    )


@login_required
@require_GET
def message(request: HttpRequest, conversation_id: UUID, message_id: int) -> HttpResponse:
    found = _own(request, conversation_id)
    [shown] = as_readable([get_object_or_404(_messages(request, found), pk=message_id)], request.user)
    context = {"conversation": found, "message": shown, "edits": _edits(request)}
    return render(request, "chat/_message.html", context)


@login_required
@require_POST
def rename(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    form = TitleForm(request.POST, instance=found)
    if form.is_valid():
        form.save()
    return redirect(found)


@login_required
@require_POST
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    _own(request, conversation_id).delete()
    return redirect("home")


def _own(request: HttpRequest, conversation_id: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)


def _messages(request: HttpRequest, conversation: Conversation) -> QuerySet[Message]:
    """With their footnotes, and what the user `thinks` of them: one thing or none."""
    own = Prefetch("feedback", Feedback.objects.filter(user=request.user.pk), to_attr="thinks")
    return conversation.messages.prefetch_related("citations", "claims", own)


def _edits(request: HttpRequest) -> bool:
    """Whether there is a library to which an answer may be added as a golden question."""
    return Library.objects.editable_by(request.user).exists()


def _composer(request: HttpRequest, conversation: Conversation | None) -> dict[str, Any]:
    models = chat_models()
    return {
        "libraries": Library.objects.readable_by(request.user),
        "chosen": set(conversation.libraries.values_list("pk", flat=True)) if conversation else set(),
        "strategies": list(STRATEGIES),
        "strategy": conversation.strategy if conversation else DEFAULT_STRATEGY,
        "models": models,
        "model": conversation.model if conversation else "",
        "embeds_at": urlsplit(settings.OPENAI_BASE_URL).netloc if outside_embedding() else "",
        "quotes_only": not models,
        "stays": bool(conversation and conversation.stays),
    }
