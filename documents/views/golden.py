"""The golden questions of a library, for who may edit it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from documents.evaluating.given import Given, NotGolden, add, add_table, as_table
from documents.models import Document, EvaluationResult, GoldenPlace, GoldenQuestion, Library
from documents.naming import safe_name
from documents.views.libraries import user_of

QUESTIONS_A_PAGE = 50
NAMES_OFFERED = 1_000
LARGEST = 5_000_000
"""Bytes of a table."""


@login_required
@require_safe
def index(request: HttpRequest, library_id: int) -> HttpResponse:
    return _page(request, _library(request, library_id), Given("", ""))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, library_id: int) -> HttpResponse:
    """Add a question by hand; `?question=…&document=…&page=…&quote=…&message=…` has the form filled in already.

    A `message` is the answer that it is made of.
    """
    library = _library(request, library_id)
    sent = request.POST if request.method == "POST" else request.GET
    given = Given(*(sent.get(name, "") for name in ("question", "document", "page", "quote")))
    message = sent.get("message", "")[:36]
    if request.method != "POST":
        return _page(request, library, _with_name(request, given), message)
    origin = GoldenQuestion.Origin.FEEDBACK if message else GoldenQuestion.Origin.HAND
    try:
        add(library, given, user_of(request), origin=origin, message=message)
    except NotGolden as error:
        messages.error(request, str(error))
        return _page(request, library, given, message, status=400)
    messages.success(request, "The golden question was added.")
    return redirect("golden", library.pk)


@login_required
@require_POST
def bring(request: HttpRequest, library_id: int) -> HttpResponse:
    """Add the questions of a table."""
    library = _library(request, library_id)
    table = request.FILES.get("table")
    if table is None:
        messages.error(request, "Choose a CSV file.")
    elif (table.size or 0) > LARGEST:
        messages.error(request, f"The table is larger than {LARGEST // 1_000_000} MB. Send it in parts.")
    else:
        try:
            count = add_table(library, table.read(), user_of(request))
            messages.success(
                request, f"{count} line{'' if count == 1 else 's'} of the table {'is' if count == 1 else 'are'} in."
            )
        except NotGolden as error:
            for sentence in str(error).splitlines():
                messages.error(request, sentence)
    return redirect("golden", library.pk)


@login_required
@require_safe
def table(request: HttpRequest, library_id: int) -> HttpResponse:
    library = _library(request, library_id)
    questions = library.golden_questions.prefetch_related("places__document")
    name = content_disposition_header(True, safe_name(f"{library} golden questions.csv")) or "attachment"
    headers = {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(as_table(questions), content_type="text/csv; charset=utf-8", headers=headers)


@login_required
@require_POST
def remove(request: HttpRequest, library_id: int, question_id: int) -> HttpResponse:
    """Remove a question, or only its `place` where one is named and others are left."""
    question = get_object_or_404(GoldenQuestion.objects.editable_by(request.user), pk=question_id, library=library_id)
    number = request.POST.get("place", "")
    place = question.places.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    gone: GoldenPlace | GoldenQuestion = place if place and question.places.count() > 1 else question
    gone.delete()
    messages.success(request, "It was removed.")
    return redirect("golden", library_id)


def _library(request: HttpRequest, number: int) -> Library:
    return get_object_or_404(Library.objects.editable_by(request.user), pk=number)


def _with_name(request: HttpRequest, given: Given) -> Given:
    """With a document's path instead of its number, which a link from an answer has."""
    if not given.document.isdecimal() or len(given.document) > 9:
        return given
    document = Document.objects.editable_by(request.user).filter(pk=int(given.document)).first()
    return Given(given.question, document.path if document else "", given.page, given.quote)


def _page(
    request: HttpRequest, library: Library, given: Given, message: str = "", *, status: int = 200
) -> HttpResponse:
    questions = library.golden_questions.prefetch_related("places__document").order_by("-created", "-pk")
    page = Paginator(questions, QUESTIONS_A_PAGE).get_page(request.GET.get("page") if not given.question else 1)
    results = _last_results(list(page))
    documents = Document.objects.filter(library=library, deleted_at=None).exclude(current=None)
    context = {
        "library": library,
        "questions": [(question, *results.get(question.pk, (None, ""))) for question in page],
        "documents": page,
        "total": page.paginator.count,
        "names": [document.path for document in documents[:NAMES_OFFERED]],
        "given": given,
        "message": message,
    }
    return render(request, "documents/golden.html", context, status=status)


def _last_results(questions: list[GoldenQuestion]) -> dict[int, tuple[int | None, str]]:
    """Question → at which rank its place was found last, None for missed, and by which strategy."""
    found = EvaluationResult.objects.filter(golden__in=questions).order_by("golden_id", "-pk").distinct("golden_id")
    return {
        result.golden_id: (
            min((place["found"] for place in result.places if place["found"]), default=None),
            str(result.run.variant["strategy"]),
        )
        for result in found.select_related("run")
        if result.golden_id
    }
