"""The libraries, and one of them with its documents and members."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from documents import ingest, relations
from documents.forms import LibraryForm, MemberForm
from documents.ingest import Keep, Offered, Received, existing_paths
from documents.models import Library, Membership, User
from documents.queueing import queue
from documents.rag.errors import PermanentError
from documents.searching.facets import narrowed
from documents.views.listing import listing_context

Result = dict[str, str | int | None]
"""What became of a file, as the page's script reads it."""


def require_administrator(request: HttpRequest) -> None:
    if not user_of(request).is_superuser:
        raise PermissionDenied


def user_of(request: HttpRequest) -> User:
    """Who asks, behind `login_required`."""
    return cast(User, request.user)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    form = LibraryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        library = form.save()
        Membership.objects.create(library=library, user=user_of(request), role=Membership.Role.OWNER)
        return redirect(library)
    libraries = Library.objects.readable_by(request.user).annotate(
        document_count=Count("documents", filter=Q(documents__deleted_at=None))
    )
    removed = Library.objects.restorable_by(request.user)
    context = {"libraries": libraries, "removed": removed, "form": form}
    return render(request, "documents/libraries.html", context, status=400 if form.errors else 200)


@login_required
@require_safe
def show(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.readable_by(request.user), pk=library_id)
    return _page(request, library, LibraryForm(instance=library), MemberForm())


@login_required
@require_POST
def change(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.owned_by(request.user), pk=library_id)
    form = LibraryForm(request.POST, instance=library)
    if not form.is_valid():
        return _page(request, library, form, MemberForm())
    messages.success(request, "The library was changed.")
    library = form.save()
    if "relations" in form.changed_data:
        relations.switched(library)
    return redirect(library)


@login_required
@require_POST
def add_member(request: HttpRequest, library_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.owned_by(request.user), pk=library_id)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, library, LibraryForm(instance=library), form)
    membership = form.let_into(library)
    messages.success(request, f"{membership.user} is a member now.")
    return redirect(library)


@login_required
@require_POST
def remove_member(request: HttpRequest, library_id: int, membership_id: int) -> HttpResponse:
    library = get_object_or_404(Library.objects.owned_by(request.user), pk=library_id)
    membership = get_object_or_404(library.memberships, pk=membership_id)
    owners = library.memberships.filter(role=Membership.Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        messages.error(request, "A library needs an owner. Make someone else one first.")
    else:
        membership.delete()
        messages.success(request, f"{membership.user or membership.group} is no longer a member.")
    return redirect(library)


@login_required
@require_POST
def names(request: HttpRequest, library_id: int) -> HttpResponse:
    """At which of the paths, a line each, there is a document, so that the page can ask what to do."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    return JsonResponse({"paths": existing_paths(library, request.POST.get("paths", "").split("\n"))})


@login_required
@require_POST
def upload(request: HttpRequest, library_id: int) -> HttpResponse:
    """Take in files, each from the `folder` sent with it; a sentence for each, as JSON where the page's script asks."""
    library = get_object_or_404(Library.objects.editable_by(request.user), pk=library_id)
    keep = Keep.VERSION if request.POST.get("keep") == Keep.VERSION else Keep.BOTH
    files, folders = request.FILES.getlist("files"), request.POST.getlist("folder")
    if folders and len(folders) != len(files):
        return HttpResponseBadRequest("Send a folder with each file, or none at all.", content_type="text/plain")
    results = receive_all(request, library, keep, folders)
    if request.accepts("text/html"):
        tell(request, results)
        return redirect(library)
    return JsonResponse({"files": results})


def receive_all(
    request: HttpRequest, library: Library, keep: Keep = Keep.BOTH, folders: Sequence[str] = ()
) -> list[Result]:
    """What became of each uploaded file, of which each lay in a folder, or none did."""
    files = request.FILES.getlist("files")
    offered = [Offered(file, folder) for file, folder in zip(files, folders or [""] * len(files), strict=True)]
    received = ingest.receive_all(user_of(request), library, offered, keep=keep)
    queue(one.version for one in received if isinstance(one, Received))
    return [_result(str(file.name), one) for file, one in zip(files, received, strict=True)]


def _result(name: str, received: Received | PermanentError) -> Result:
    if isinstance(received, PermanentError):
        return {"name": name, "outcome": "refused", "sentence": str(received), "document": None}
    document = received.version.document_id
    return {"name": name, "outcome": received.outcome, "sentence": received.sentence, "document": document}


def tell(request: HttpRequest, results: list[Result]) -> None:
    for result in results:
        level = messages.ERROR if result["outcome"] == "refused" else messages.SUCCESS
        messages.add_message(request, level, str(result["sentence"]))
    if not results:
        messages.error(request, "Choose at least one file.")


def _page(request: HttpRequest, library: Library, form: LibraryForm, member_form: MemberForm) -> HttpResponse:
    context = {
        **listing_context(request, library),
        "search_here": f"{narrowed('', 'library', library.name)} ",
        "targets": Library.objects.editable_by(request.user).exclude(pk=library.pk),
        "reading": partial(relations.standing, library),
        "may_manage": Library.objects.owned_by(request.user).filter(pk=library.pk).exists(),
        "memberships": library.memberships.select_related("user", "group").order_by("-role", "pk"),
        "form": form,
        "member_form": member_form,
    }
    return render(request, "documents/library.html", context, status=400 if form.errors or member_form.errors else 200)
