"""Which of a library's documents are listed, and how far they are."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from documents.ingest import retry_failed
from documents.models import Document, Library
from documents.models.document import DocumentQuerySet
from documents.progress import worker_is_running
from documents.standing import Show, standing

DOCUMENTS_A_PAGE = 50


@login_required
@require_safe
def progress(request: HttpRequest, library_id: int) -> HttpResponse:
    """How far the library is, and the rows of the documents `?document=…&document=…`, those on one page at most."""
    library = get_object_or_404(Library.objects.readable_by(request.user), pk=library_id)
    asked = [int(given) for given in request.GET.getlist("document") if given.isdecimal() and len(given) < 19]
    documents = _documents(request, library).filter(pk__in=asked)[:DOCUMENTS_A_PAGE]
    context = {**standing_context(request, library), "documents": documents}
    return render(request, "documents/_progress.html", context)


@login_required
@require_POST
def retry(request: HttpRequest, library_id: int) -> HttpResponse:
    """Try again all documents that have failed."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    count = retry_failed(library)
    messages.success(request, f"{count:,} document{'s are' if count != 1 else ' is'} tried again.")
    return redirect(library)


def listing_context(request: HttpRequest, library: Library) -> dict[str, Any]:
    """What a library's table needs: a page of the documents that `?q=…&show=…` asks for."""
    words, asked = request.GET.get("q", "").replace("\0", "").strip(), request.GET.get("show")
    show = Show(asked) if asked in list(Show) else Show.ALL
    documents = show.of(_documents(request, library))
    if words:
        documents = documents.named(words)
    page = Paginator(documents.order_by("-created", "-pk"), DOCUMENTS_A_PAGE).get_page(request.GET.get("page"))
    return {
        **standing_context(request, library),
        "documents": page,
        "words": words,
        "show": show,
        "shows": list(Show),
        "narrowed": bool(words) or show is not Show.ALL,
    }


def standing_context(request: HttpRequest, library: Library) -> dict[str, Any]:
    return {
        "library": library,
        "standing": standing(library),
        "may_edit": Library.objects.editable_by(request.user).filter(pk=library.pk).exists(),
        "worker": worker_is_running(),
    }


def _documents(request: HttpRequest, library: Library) -> DocumentQuerySet:
    return Document.objects.readable_by(request.user).filter(library=library).for_rows()
