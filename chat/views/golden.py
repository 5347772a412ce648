"""An answer made into a golden question: what should have been found for its question."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from chat.models import Conversation, Message
from documents.evaluating.forms import GoldenForm
from documents.models import Document, GoldenPlace, GoldenQuestion, Library
from documents.views.golden import names
from documents.views.libraries import user_of
from documents.views.pages import number_in

TURNS = 8
"""Of what was said before, as many as an answer is given."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def golden(request: HttpRequest, conversation_id: UUID, message_id: int) -> HttpResponse:
    """A form with the question and the passages that were cited, for `?library=7` or that of most of them."""
    own = Message.objects.filter(conversation__in=Conversation.objects.of(request.user)).exclude(parent=None)
    message = get_object_or_404(own.select_related("parent"), pk=message_id, conversation=conversation_id)
    libraries = Library.objects.editable_by(request.user)
    library = _library(request, message, libraries)
    question = _question(request, message, library)
    form = GoldenForm(
        request.POST or None,
        instance=question,
        offered=_cited(request, message, library),
        ticked=False,
        initial={"note": _reason(request, message)},
    )
    if request.method == "POST" and form.is_valid():
        form.keep()
        messages.success(request, "The golden question was added.")
        return redirect("golden", library.pk)
    context = {
        "library": library,
        "others": libraries if libraries.count() > 1 else [],
        "history": question.history,
        "form": form,
        "names": names(library),
    }
    return render(request, "documents/golden_question.html", context, status=400 if form.errors else 200)


def _library(request: HttpRequest, message: Message, libraries: QuerySet[Library]) -> Library:
    """The one that is asked for, that of most footnotes, or any. Raises Http404 where the user may edit none."""
    if number := number_in(request, "library"):
        return get_object_or_404(libraries, pk=number)
    cited = list(message.citations.filter(library__in=libraries).values_list("library", flat=True))
    library = libraries.filter(pk=max(cited, key=cited.count)).first() if cited else libraries.first()
    if library is None:
        raise Http404
    return library


def _question(request: HttpRequest, message: Message, library: Library) -> GoldenQuestion:
    """Not saved yet."""
    assert message.parent
    before = message.conversation.messages.filter(pk__lt=message.parent_id).exclude(text="").order_by("-pk")[:TURNS]
    return GoldenQuestion(
        library=library,
        text=message.parent.text,
        history=[{"role": turn.role, "text": turn.text} for turn in reversed(before)],
        origin=GoldenQuestion.Origin.FEEDBACK,
        message=str(message.pk),
        created_by=user_of(request),
    )


def _cited(request: HttpRequest, message: Message, library: Library) -> dict[str, GoldenPlace]:
    """The passages of the answer's footnotes that are in the library still, by their numbers."""
    readable = Document.objects.readable_by(request.user).filter(library=library)
    cited = message.citations.filter(library=library, document__in=readable, erased_at=None).select_related("document")
    return {
        str(citation.number): GoldenPlace(
            document=citation.document, page=citation.page if citation.paged else None, quote=citation.quote
        )
        for citation in cited
        if citation.document
    }


def _reason(request: HttpRequest, message: Message) -> str:
    given = message.feedback.filter(user=user_of(request)).first()
    return given.reason if given else ""
