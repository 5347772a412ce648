"""What a library's owners are told of questions that it had no answer to."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from chat.knowledge_gaps import KEPT_IN_VIEW, unanswered
from documents.models import Library

SHOWN = 50


@login_required
@require_safe
def gaps(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.owned_by(request.user), pk=library_id)
    sheet = Paginator(unanswered(library), SHOWN).get_page(request.GET.get("page"))
    return render(request, "chat/gaps.html", {"library": library, "sheet": sheet, "days": KEPT_IN_VIEW.days})
