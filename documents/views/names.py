from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from documents.named import named
from documents.views.libraries import user_of


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Where `?name=…` is named, and what is named with it."""
    found = named(user_of(request), request.GET.get("name", ""))
    if found is None:
        raise Http404
    return render(request, "documents/name.html", {"named": found})
