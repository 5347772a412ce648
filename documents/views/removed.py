"""What was removed from a library, to be restored."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from documents.models import Document, Library
from documents.removing import KEPT, NotRestored
from documents.removing import restore as restore_document
from documents.views.changes import chosen, tell

DOCUMENTS_A_PAGE = 200


@login_required
@require_safe
def show(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    removed = Document.objects.removed_from(library).annotate(held=Count("members")).order_by("-deleted_at", "-pk")
    page = Paginator(removed, DOCUMENTS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "documents/removed.html", {"library": library, "documents": page, "days": KEPT.days})


@login_required
@require_POST
def restore(request: HttpRequest, library_id: int) -> HttpResponse:
    """Restore the documents that are ticked."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    documents = list(chosen(request, Document.objects.removed_from(library)))
    refused = 0
    for document in documents:
        try:
            restore_document(document)
        except NotRestored as error:
            messages.error(request, str(error))
            refused += 1
    tell(request, len(documents), len(documents) - refused, "restored.")
    return redirect("library-removed", library.pk)
