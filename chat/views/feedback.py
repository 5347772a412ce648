"""What a reader thinks of an answer: told, changed and taken back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from chat.forms import FeedbackForm
from chat.models import Conversation, Feedback, Message
from documents.views.libraries import user_of


@login_required
@require_POST
def feedback(request: HttpRequest, conversation_id: UUID, message_id: int) -> HttpResponse:
    """Keep a `verdict` with its `reason`, in place of an earlier one; an empty one takes that back.

    The page's script gets no page: 204, or 400 with what is wrong.
    """
    own = Message.objects.filter(conversation__in=Conversation.objects.of(request.user))
    message = get_object_or_404(own, pk=message_id, conversation=conversation_id)
    if not message.may_be_judged:
        raise Http404
    wrong = _keep(request, message) if request.POST.get("verdict") else _take_back(request, message)
    if not request.accepts("text/html"):
        return HttpResponse(wrong, status=400 if wrong else 204, content_type="text/plain")
    if wrong:
        messages.error(request, wrong)
    return redirect(f"{message.conversation.get_absolute_url()}#message-{message.pk}")


def _keep(request: HttpRequest, message: Message) -> str:
    """What is wrong with the form; nothing where it was kept."""
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return " ".join(str(error) for errors in form.errors.values() for error in errors)
    Feedback.objects.update_or_create(form.cleaned_data, message=message, user=user_of(request))
    return ""


def _take_back(request: HttpRequest, message: Message) -> str:
    Feedback.objects.filter(message=message, user=user_of(request)).delete()
    return ""
