"""What was removed, to be restored by editors, or erased for good by owners."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from documents import purging, removing
from documents.models import Document, Library
from documents.removing import KEPT, NotRestored
from documents.views.changes import chosen, tell
from documents.views.libraries import user_of

DOCUMENTS_A_PAGE = 200


@login_required
@require_safe
def show(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    removed = Document.objects.removed_from(library).annotate(held=Count("members")).order_by("-deleted_at", "-pk")
    page = Paginator(removed, DOCUMENTS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "library": library,
        "documents": page,
        "days": KEPT.days,
        "may_manage": Library.objects.owned_by(request.user).filter(pk=library.pk).exists(),
    }
    return render(request, "documents/removed.html", context)


@login_required
@require_POST
def restore(request: HttpRequest, library_id: int) -> HttpResponse:
    """Restore the documents that are ticked."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    documents = list(chosen(request, Document.objects.removed_from(library)))
    refused = 0
    for document in documents:
        try:
            removing.restore(document)
        except NotRestored as error:
            messages.error(request, str(error))
            refused += 1
    tell(request, len(documents), len(documents) - refused, "restored.")
    return redirect("library-removed", library.pk)


@login_required
@require_POST
def erase(request: HttpRequest, library_id: int) -> HttpResponse:
    """Erase for good the documents that are ticked, or all that were removed: `all=1`."""
    library = get_object_or_404(Library.objects.owned_by(request.user), pk=library_id)
    removed = Document.objects.removed_from(library)
    documents = removed if request.POST.get("all") else chosen(request, removed)
    if not documents.exists():
        messages.error(request, "There is nothing to erase. Tick at least one document.")
        return redirect("library-removed", library.pk)
    return redirect(purging.erase(library, documents, by=user_of(request)))


@login_required
@require_POST
def remove_library(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.owned_by(request.user), pk=library_id)
    if request.POST.get("name", "").strip() != library.name:
        messages.error(request, f"Write the library's name, {library.name}, to remove it.")
        return redirect(library)
    removing.remove_library(library)
    messages.success(request, f"{library.name} was removed. You can restore it within {KEPT.days} days.")
    return redirect("libraries")


@login_required
@require_POST
def restore_library(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.restorable_by(request.user), pk=library_id)
    removing.restore_library(library)
    messages.success(request, f"{library.name} was restored.")
    return redirect(library)


@login_required
@require_POST
def erase_library(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.restorable_by(request.user), pk=library_id)
    return redirect(purging.erase_library(library, by=user_of(request)))
