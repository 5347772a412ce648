"""Receipts of what was erased, for the owners of its library and for administrators."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from documents.models import Receipt
from documents.models.receipt import ReceiptQuerySet
from documents.views.pages import number_in

RECEIPTS_A_PAGE = 100
SHOWN = 200
"""Of the erased versions, on the receipt's page; the file has all."""


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All that the user may see, or those of `?library=7`."""
    receipts = _visible(request)
    if library := number_in(request, "library"):
        receipts = receipts.filter(library_number=library)
    page = Paginator(receipts, RECEIPTS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "documents/receipts.html", {"receipts": page, "documents": page})


@login_required
@require_safe
def show(request: HttpRequest, receipt_id: int) -> HttpResponse:
    receipt = get_object_or_404(_visible(request), pk=receipt_id)
    kinds = [(kind, count, receipt.left.get(kind)) for kind, count in sorted(receipt.erased.items())]
    versions = Paginator(receipt.versions.all(), SHOWN).page(1)
    context = {"receipt": receipt, "kinds": kinds, "versions": versions, "left": sum(receipt.left.values())}
    return render(request, "documents/receipt.html", context)


@login_required
@require_safe
def download(request: HttpRequest, receipt_id: int) -> JsonResponse:
    """The receipt as a file, once it is finished."""
    receipt = get_object_or_404(_visible(request).exclude(finished=None), pk=receipt_id)
    headers = {"Content-Disposition": f'attachment; filename="receipt-{receipt.pk}.json"'}
    return JsonResponse(as_written(receipt), headers=headers, json_dumps_params={"indent": 1})


def as_written(receipt: Receipt) -> dict[str, Any]:
    return {
        "receipt": receipt.pk,
        "library": receipt.library_number,
        "whole_library": receipt.whole_library,
        "ordered": receipt.ordered,
        "by": receipt.by.email if receipt.by else None,
        "finished": receipt.finished,
        "erased": receipt.erased,
        "left": receipt.left,
        "versions": list(receipt.versions.values("document", "number", "sha256")),
    }


def _visible(request: HttpRequest) -> ReceiptQuerySet:
    return Receipt.objects.visible_to(request.user).select_related("library", "by")
