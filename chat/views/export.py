"""An answer to take away."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.text import Truncator, get_valid_filename
from django.views.decorators.http import require_safe

from chat.exporting.exported import exported
from chat.exporting.markdown import markdown
from chat.exporting.page import page
from chat.exporting.pdf import NoPDF, pdf
from chat.models import Conversation, Message

FORMS = {
    "md": ("text/markdown; charset=utf-8", markdown),
    "html": ("text/html; charset=utf-8", page),
    "pdf": ("application/pdf", pdf),
}


@login_required
@require_safe
def export(request: HttpRequest, conversation_id: UUID, message_id: int, form: str) -> HttpResponse:
    """The answer as a file, as its reader may see it now."""
    own = Message.objects.filter(conversation__in=Conversation.objects.of(request.user), role=Message.Role.ASSISTANT)
    ended = own.exclude(status=Message.Status.STREAMING).select_related("parent")
    message = get_object_or_404(ended, pk=message_id, conversation=conversation_id)
    if form not in FORMS:
        raise Http404
    media_type, made = FORMS[form]
    try:
        body = made(exported(message, request.user))
    except NoPDF as error:
        messages.error(request, str(error))
        return redirect(f"{message.conversation.get_absolute_url()}#message-{message.pk}")
    headers = {
        "Content-Disposition": content_disposition_header(True, f"{_name(message)}.{form}") or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    return HttpResponse(body, media_type, headers=headers)


def _name(message: Message) -> str:
    question = Truncator(message.parent.text if message.parent else "").chars(60, truncate="")
    return get_valid_filename(f"{question.strip(' .?!')} ".strip() or "answer")
