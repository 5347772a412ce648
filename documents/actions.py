"""What the admin does with ticked documents: its permissions offer an action, roles in libraries decide about each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse

from documents import ingest, purging, removing
from documents.models import Document, Library, Version
from documents.models.document import DocumentQuerySet
from documents.removing import KEPT, NotRestored
from documents.views.libraries import user_of

IN_USE, REMOVED = ("read_again", "remove"), ("restore", "erase")
"""What is offered for documents that are in use, and for those that were removed."""

ModelAdmin: TypeAlias = "admin.ModelAdmin[Document]"


@admin.action(description="Read again", permissions=["change"])
def read_again(model_admin: ModelAdmin, request: HttpRequest, ticked: DocumentQuerySet) -> None:
    """Try again those that failed, but for what needs a password first."""
    failed = ticked.filter(latest__status=Version.Status.FAILED, latest__needs_password=False)
    documents = list(failed & Document.objects.editable_by(request.user))
    left = ticked.count() - len(documents)
    for document in documents:
        if document.latest:
            ingest.retry(document.latest)
    _tell(model_admin, request, documents, "tried again")
    _tell_left(request, left, "only what failed is tried again, where you may edit the library")


@admin.action(description="Remove", permissions=["change"])
def remove(model_admin: ModelAdmin, request: HttpRequest, ticked: DocumentQuerySet) -> None:
    documents = list(ticked & Document.objects.editable_by(request.user))
    left = ticked.count() - len(documents)
    for document in documents:
        ingest.delete(document)
    _tell(model_admin, request, documents, f"removed, to be restored within {KEPT.days} days if need be")
    _tell_left(request, left, "you may not edit the library")


@admin.action(description="Restore", permissions=["change"])
def restore(model_admin: ModelAdmin, request: HttpRequest, ticked: DocumentQuerySet) -> None:
    restored = []
    for document in ticked & Document.objects.restorable_by(request.user):
        try:
            removing.restore(document)
            restored.append(document)
        except NotRestored as error:
            messages.error(request, str(error))
    _tell(model_admin, request, restored, "restored")


@admin.action(description="Remove for good…", permissions=["erase"])
def erase(model_admin: ModelAdmin, request: HttpRequest, ticked: DocumentQuerySet) -> HttpResponse | None:
    """Ask first; then it ends at the receipt, or at all receipts where the documents are of several libraries."""
    owned = Library.objects.owned_by(request.user)
    documents = ticked & Document.objects.restorable_by(request.user).filter(library__in=owned)
    count = documents.count()
    if left := ticked.count() - count:
        _tell_left(request, left, "only a library's owner removes documents for good")
    elif request.POST.get("confirmed") != str(count):
        return _asked(model_admin, request, documents)
    else:
        libraries = list(owned.filter(pk__in=documents.values("library")))
        receipts = [purging.erase(library, documents, by=user_of(request)) for library in libraries]
        return redirect(receipts[0]) if len(receipts) == 1 else redirect("receipts")
    return None


def _asked(model_admin: ModelAdmin, request: HttpRequest, documents: DocumentQuerySet) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Remove for good",
        "opts": model_admin.opts,
        "media": model_admin.media,
        "documents": documents,
        "checkbox": ACTION_CHECKBOX_NAME,
        "ticked": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/documents/document/erase.html", context)


def _tell(model_admin: ModelAdmin, request: HttpRequest, documents: Sequence[Document], what: str) -> None:
    for document in documents:
        model_admin.log_change(request, document, what.capitalize())
    if documents:
        messages.success(request, f"{len(documents)} document{pluralize(len(documents), ' was,s were')} {what}.")


def _tell_left(request: HttpRequest, left: int, why: str) -> None:
    if left:
        messages.error(request, f"{left} document{pluralize(left, ' was,s were')} left alone: {why}.")
