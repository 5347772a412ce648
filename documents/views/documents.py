"""A document, its row in the table, and what may be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from documents import unlocking
from documents.alike import nearly_the_same
from documents.facts import facts
from documents.forms import RenameForm
from documents.ingest import delete as delete_document
from documents.ingest import retry as try_again
from documents.models import Document, Library, Version
from documents.progress import worker_is_running
from documents.rag.errors import PermanentError
from documents.removing import KEPT
from documents.strip import strip
from documents.views.pages import number_in, page_context

MEMBERS_SHOWN = 200
"""Of what a container holds, on its own page."""

ALIKE_SHOWN = 10

PIECE = 2**18
"""Bytes of a file that are sent at a time."""


@login_required
@require_safe
def show(request: HttpRequest, document_id: int) -> HttpResponse:
    """A document, one page at a time: `?page=7`, of `?version=2`, with `?start=…&end=…` marked."""
    return document_page(request, document_id)


def document_page(request: HttpRequest, document_id: int, rename_form: RenameForm | None = None) -> HttpResponse:
    """The page of a document, with the errors of a form that could not be taken."""
    document = get_object_or_404(
        Document.objects.readable_by(request.user).select_related(
            "library", "current", "latest", "container", "created_by"
        ),
        pk=document_id,
    )
    version, may_edit = _version(request, document), _may_edit(request, document)
    sheet = _sheet(request, version)
    page = version.pages.filter(number=sheet.number).first()
    context = {
        "document": document,
        "version": version,
        "versions": document.versions.order_by("-number"),
        "members": Paginator(document.members.filter(deleted_at=None).order_by("pk"), MEMBERS_SHOWN).page(1),
        "alike": nearly_the_same(version, request.user)[:ALIKE_SHOWN],
        "sheet": sheet,
        "strip": strip(version),
        "facts": facts(version),
        "numbers": sheet.paginator.get_elided_page_range(sheet.number, on_each_side=4),
        "worker": worker_is_running(),
        "rename_form": rename_form or (RenameForm(instance=document) if may_edit else None),
        "may_edit": may_edit,
        "may_download": Library.objects.downloadable_by(request.user).filter(pk=document.library_id).exists(),
        **(page_context(request, page) if page else {}),
    }
    return render(request, "documents/document.html", context, status=400 if rename_form else 200)


@login_required
@require_safe
def show_strip(request: HttpRequest, document_id: int) -> HttpResponse:
    """How each page was read, where `show` has the same query; with `&folded=1` only how many in which way."""
    document = get_object_or_404(
        Document.objects.readable_by(request.user).select_related("current", "latest"), pk=document_id
    )
    version = _version(request, document)
    context = {"version": version, "strip": strip(version), "sheet": _sheet(request, version)}
    return render(request, "documents/_strip.html", context)


@login_required
@require_safe
def row(request: HttpRequest, document_id: int) -> HttpResponse:
    """The document's row in its library's table."""
    document = get_object_or_404(Document.objects.readable_by(request.user).for_rows(), pk=document_id)
    context = {"document": document, "may_edit": _may_edit(request, document), "worker": worker_is_running()}
    return render(request, "documents/_row.html", context)


@login_required
@require_POST
def delete(request: HttpRequest, document_id: int) -> HttpResponse:
    """Take the document out of every search at once; what was quoted from it stays in the answers."""
    document = get_object_or_404(Document.objects.editable_by(request.user), pk=document_id)
    delete_document(document)
    messages.success(
        request, f"{document.name} was removed. For {KEPT.days} days it can be restored, under Recently removed."
    )
    return redirect(document.library)


@login_required
@require_POST
def retry(request: HttpRequest, document_id: int) -> HttpResponse:
    document = get_object_or_404(Document.objects.editable_by(request.user), pk=document_id)
    if document.latest and document.latest.status == Version.Status.FAILED:
        try_again(document.latest)
    return redirect(document.library)


@sensitive_post_parameters("password")
@login_required
@require_POST
def unlock(request: HttpRequest, document_id: int) -> HttpResponse:
    """Have a PDF read that needs a password, by the password that is given for this once."""
    document = get_object_or_404(Document.objects.editable_by(request.user).select_related("latest"), pk=document_id)
    locked = document.latest
    if locked and locked.needs_password:
        locked.document = document
        try:
            async_to_sync(unlocking.unlock)(locked, request.POST.get("password", ""))
        except PermanentError as error:
            messages.error(request, str(error))
    return redirect(document)


@login_required
@require_safe
def download(request: HttpRequest, document_id: int) -> HttpResponse | StreamingHttpResponse:
    """The current version's file (`?version=2` for another), to be kept, never to be shown by the browser."""
    libraries = Library.objects.downloadable_by(request.user)
    document = get_object_or_404(
        Document.objects.readable_by(request.user).filter(library__in=libraries), pk=document_id
    )
    version = _version(request, document)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(version.bytes),
        "Content-Disposition": content_disposition_header(True, document.name) or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return StreamingHttpResponse(_pieces(version.file.open()), headers=headers)


async def _pieces(file: File[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


def _version(request: HttpRequest, document: Document) -> Version:
    """The version of `?version=…`; without one the current, or before there is one the latest."""
    if request.GET.get("version"):
        return get_object_or_404(document.versions, number=number_in(request, "version"))
    version = document.current or document.latest
    assert version is not None
    return version


def _sheet(request: HttpRequest, version: Version) -> Sheet[int]:
    """The number of the page of `?page=…`."""
    return Paginator(range(1, version.pages_read + 1), 1).get_page(request.GET.get("page"))


def _may_edit(request: HttpRequest, document: Document) -> bool:
    return Library.objects.editable_by(request.user).filter(pk=document.library_id).exists()
