"""A page of a document: its text with passages marked, and its picture."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from documents.ingest import read_again as read_page_again
from documents.models import Document, Library, Page
from documents.pictures import WIDTHS, picture
from documents.places import Mark, blocks, boxes
from documents.rag.types import Box, HowRead


@login_required
@require_safe
def show(request: HttpRequest, document_id: int, version: int, number: int) -> HttpResponse:
    """A page by itself, with characters `?start=…&end=…` marked."""
    page = _page(request, document_id, version, number)
    return render(request, "documents/_page.html", page_context(request, page))


@login_required
@require_safe
def image(request: HttpRequest, document_id: int, version: int, number: int) -> HttpResponse:
    """The page as it looks, about `?width=…` pixels wide."""
    page = _page(request, document_id, version, number)
    asked = number_in(request, "width") or WIDTHS[0]
    width = min(WIDTHS, key=lambda width: abs(width - asked))
    data = picture(page, width).read_bytes()
    return HttpResponse(data, "image/png", headers={"Cache-Control": "private, max-age=86400, immutable"})


@login_required
@require_POST
def read_again(request: HttpRequest, document_id: int, version: int, number: int) -> HttpResponse:
    """Have this page read anew, or where it has a text that of its picture recognised."""
    get_object_or_404(Document.objects.editable_by(request.user), pk=document_id)
    page = _page(request, document_id, version, number)
    read_page_again(page.version, number)
    return redirect(f"{page.version.document.get_absolute_url()}?page={number}")


def page_context(request: HttpRequest, page: Page) -> dict[str, Any]:
    """What `documents/_page.html` needs."""
    marks = _marks(request)
    return {
        "page": page,
        "version": page.version,
        "may_read_again": _may_read_again(request, page),
        "blocks": blocks(page, marks),
        "rects": [rect(box) for mark in marks for box in boxes(page, *mark)],
    }


def _may_read_again(request: HttpRequest, page: Page) -> bool:
    version = page.version
    is_latest = version.pk == version.document.latest_id
    editable = Library.objects.editable_by(request.user).filter(pk=version.document.library_id)
    return is_latest and version.whole and page.how_read != HowRead.WAITING and editable.exists()


def number_in(request: HttpRequest, name: str) -> int | None:
    """The number of that name in the address; None where it is none, or longer than any that is meant."""
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 else None


def rect(box: Box) -> dict[str, float]:
    """The box as attributes of an SVG `<rect>`."""
    return {"x": box.left, "y": box.top, "width": box.right - box.left, "height": box.bottom - box.top}


def _page(request: HttpRequest, document_id: int, version: int, number: int) -> Page:
    document = get_object_or_404(Document.objects.readable_by(request.user), pk=document_id)
    pages = Page.objects.select_related("version__document")
    return get_object_or_404(pages, version__document=document, version__number=version, number=number)


def _marks(request: HttpRequest) -> list[Mark]:
    start, end = number_in(request, "start"), number_in(request, "end")
    return [] if start is None or end is None else [(start, end)]
