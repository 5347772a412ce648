"""The sources with which a library is kept in step, for those who may add documents to it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from documents.forms import ScheduleForm, SourceForm
from documents.ingest import delete
from documents.models import Library, Source
from documents.progress import worker_is_running
from documents.sync import fetch_now
from documents.views.libraries import user_of


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    source = Source(library=library, created_by=user_of(request), next_run=timezone.now())
    form = SourceForm(request.POST or None, instance=source, user=user_of(request))
    if request.method == "POST" and form.is_valid():
        fetch_now(form.save())
        return redirect("sources", library.pk)
    context = {"library": library, "sources": library.sources.all(), "form": form, "worker": worker_is_running()}
    return render(request, "documents/sources.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def row(request: HttpRequest, source_id: int) -> HttpResponse:
    """The source's row in its library's table."""
    source = _source(request, source_id)
    return render(request, "documents/_source.html", {"source": source, "worker": worker_is_running()})


@login_required
@require_POST
def fetch(request: HttpRequest, source_id: int) -> HttpResponse:
    source = _source(request, source_id)
    fetch_now(source)
    return redirect("sources", source.library_id)


@login_required
@require_POST
def change(request: HttpRequest, source_id: int) -> HttpResponse:
    """Have it fetched at other times."""
    source = _source(request, source_id)
    form = ScheduleForm(request.POST, instance=source)
    if form.is_valid():
        form.save(commit=False)
        source.next_run = source.next_after(source.last_run or timezone.now())
        source.save(update_fields=["schedule", "next_run"])
    return redirect("sources", source.library_id)


@login_required
@require_POST
def remove(request: HttpRequest, source_id: int) -> HttpResponse:
    """Remove the source; its documents too with `documents=remove`, else they stay as they are."""
    source = _source(request, source_id)
    documents = source.documents.filter(library=source.library, deleted_at=None)
    what = "Its documents stay."
    if request.POST.get("documents") == "remove":
        for document in documents:
            delete(document)
        what = "So were its documents; they can be restored for a while."
    source.delete()
    messages.success(request, f"{source} was removed. {what}")
    return redirect("sources", source.library_id)


def _source(request: HttpRequest, source_id: int) -> Source:
    return get_object_or_404(Source.objects.editable_by(request.user).select_related("library"), pk=source_id)
