"""What an editor does with documents that are there: rename, and remove, one or several at once."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_POST

from documents.forms import RenameForm
from documents.ingest import delete
from documents.models import Document, Library
from documents.models.document import DocumentQuerySet
from documents.moving import NotMoved
from documents.moving import move as move_document
from documents.removing import KEPT
from documents.renaming import rename as rename_document
from documents.views.documents import document_page


@login_required
@require_POST
def rename(request: HttpRequest, document_id: int) -> HttpResponse:
    document = get_object_or_404(Document.objects.editable_by(request.user).select_related("current"), pk=document_id)
    form = RenameForm(request.POST, instance=document)
    if not form.is_valid():
        return document_page(request, document_id, form)
    rename_document(document, name=form.cleaned_data["name"], title=form.cleaned_data["title"])
    messages.success(request, f"It is called {document} from now on.")
    return redirect(f"{document.get_absolute_url()}#main")


@login_required
@require_POST
def remove(request: HttpRequest, library_id: int) -> HttpResponse:
    """Remove the documents that are ticked."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    documents = list(chosen(request, library.documents.filter(deleted_at=None)))
    for document in documents:
        delete(document)
    tell(request, len(documents), len(documents), f"removed, to be restored within {KEPT.days} days if need be.")
    return redirect(library)


@login_required
@require_POST
def move(request: HttpRequest, library_id: int) -> HttpResponse:
    """Move the documents that are ticked into the library `to`, which the user may edit as well."""
    editable = Library.objects.editable_by(request.user)
    library = get_object_or_404(editable, pk=library_id)
    target = get_object_or_404(editable.exclude(pk=library.pk), pk=number_or_none(request.POST.get("to", "")))
    documents = list(chosen(request, library.documents.filter(deleted_at=None)).select_related("container"))
    refused = 0
    for document in documents:
        try:
            move_document(document, target)
        except NotMoved as error:
            messages.error(request, str(error))
            refused += 1
    tell(request, len(documents), len(documents) - refused, f"moved to {target}.")
    return redirect(library)


def number_or_none(given: str) -> int | None:
    return int(given) if given.isdecimal() and len(given) < 19 else None


def chosen(request: HttpRequest, documents: DocumentQuerySet) -> DocumentQuerySet:
    """Those of the documents that are ticked."""
    numbers = [number for given in request.POST.getlist("document") if (number := number_or_none(given))]
    return documents.filter(pk__in=numbers)


def tell(request: HttpRequest, found: int, done: int, what: str) -> None:
    """Say what was done with how many of the ticked documents; those that were found and not done have been told of."""
    missing = len(request.POST.getlist("document")) - found
    if not found and not missing:
        messages.error(request, "Tick at least one document.")
    if done:
        messages.success(request, f"{done:,} document{pluralize(done, ' was,s were')} {what}")
    if missing:
        messages.error(request, f"{missing:,} of those ticked {pluralize(missing, 'is,are')} not there any more.")
