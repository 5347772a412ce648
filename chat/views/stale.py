"""Answers whose sources changed or went, listed by library, and asked again."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from chat import answering
from chat.models import Conversation, Message
from chat.records import Asked
from chat.stale import look, others, own, told
from documents.endpoints import chat_models
from documents.models import Library, User
from documents.rag.errors import PermanentError
from documents.threads import in_thread
from documents.views.libraries import user_of

SHOWN = 20


@login_required
@require_safe
def stale(request: HttpRequest, library_id: int) -> HttpResponse:
    """The reader's own such answers; its owners are told besides how many others have, and nothing else of them."""
    library = get_object_or_404(Library.objects.readable_by(request.user), pk=library_id)
    user = user_of(request)
    owns = Library.objects.owned_by(user).filter(pk=library.pk).exists()
    left = look(library)
    sheet = Paginator(own(user, library), SHOWN).get_page(request.GET.get("page"))
    context = {
        "library": library,
        "left": left,
        "sheet": sheet,
        "answers": told(list(sheet), user),
        "others": others(user, library) if owns else 0,
    }
    return render(request, "chat/stale.html", context)


@login_required
@require_POST
async def again(request: HttpRequest, conversation_id: UUID, message_id: int) -> HttpResponse:
    """Ask an answer's question once more in its conversation, as that asks now; then show it being answered."""
    user = cast(User, await request.auser())
    message = await in_thread(_own, user, conversation_id, message_id)
    try:
        asked = await in_thread(_asked, message)
        ground = await answering.current().begin(str(request.session.session_key), asked)
    except PermanentError as error:
        messages.error(request, str(error))
        return redirect(message.conversation)
    return redirect(f"{message.conversation.get_absolute_url()}#message-{ground.question}")


def _own(user: User, conversation: UUID, message: int) -> Message:
    own = Message.objects.filter(conversation__in=Conversation.objects.of(user)).exclude(parent=None)
    return get_object_or_404(own.select_related("conversation", "parent"), pk=message, conversation=conversation)


def _asked(message: Message) -> Asked:
    conversation = message.conversation
    return Asked(
        text=message.parent.text if message.parent else "",
        strategy=conversation.strategy,
        libraries=frozenset(conversation.libraries.values_list("pk", flat=True)),
        conversation=conversation.pk,
        model=conversation.model if conversation.model in {model.name for model in chat_models()} else "",
    )
