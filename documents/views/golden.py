"""The golden questions of a library, for who may edit it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from documents.evaluating.forms import GoldenForm
from documents.evaluating.given import Given, NotGolden, add, add_table, as_table
from documents.models import Document, EvaluationResult, GoldenPlace, GoldenQuestion, Library
from documents.models.evaluation import GoldenQuestionQuerySet
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
@require_POST
def new(request: HttpRequest, library_id: int) -> HttpResponse:
    """Add a question by hand."""
    library = _library(request, library_id)
    given = Given(*(request.POST.get(name, "") for name in ("question", "document", "page", "quote")))
    try:
        add(library, given, user_of(request))
    except NotGolden as error:
        messages.error(request, str(error))
        return _page(request, library, given, status=400)
    messages.success(request, "The golden question was added.")
    return redirect("golden", library.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, library_id: int, question_id: int) -> HttpResponse:
    """One question, to be changed."""
    library = _library(request, library_id)
    question = get_object_or_404(_with_places(request, library.golden_questions.all()), pk=question_id)
    offered = {str(place.pk): place for place in question.places.all()}
    form = GoldenForm(request.POST or None, instance=question, offered=offered, ticked=True)
    if request.method == "POST" and form.is_valid():
        form.keep()
        messages.success(request, "The golden question was changed.")
        return redirect("golden", library.pk)
    context = {
        "question": question,
        "history": question.history,
        "library": library,
        "form": form,
        "names": names(library),
    }
    return render(request, "documents/golden_question.html", context, status=400 if form.errors else 200)


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
    questions = _with_places(request, library.golden_questions.all())
    name = content_disposition_header(True, safe_name(f"{library} golden questions.csv")) or "attachment"
    headers = {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(as_table(questions), content_type="text/csv; charset=utf-8", headers=headers)


@login_required
@require_POST
def remove(request: HttpRequest, library_id: int, question_id: int) -> HttpResponse:
    get_object_or_404(GoldenQuestion.objects.editable_by(request.user), pk=question_id, library=library_id).delete()
    messages.success(request, "The golden question was removed.")
    return redirect("golden", library_id)


def names(library: Library) -> list[str]:
    """The documents that are offered while a name is written."""
    documents = Document.objects.filter(library=library, deleted_at=None).exclude(current=None)
    return [document.path for document in documents[:NAMES_OFFERED]]


def _with_places(request: HttpRequest, questions: GoldenQuestionQuerySet) -> GoldenQuestionQuerySet:
    """With those in documents that the user may read, as they may have been moved."""
    readable = GoldenPlace.objects.filter(document__in=Document.objects.readable_by(request.user))
    return questions.prefetch_related(Prefetch("places", readable.select_related("document")))


def _library(request: HttpRequest, number: int) -> Library:
    return get_object_or_404(Library.objects.editable_by(request.user), pk=number)


def _page(request: HttpRequest, library: Library, given: Given, *, status: int = 200) -> HttpResponse:
    questions = _with_places(request, library.golden_questions.order_by("-created", "-pk"))
    page = Paginator(questions, QUESTIONS_A_PAGE).get_page(request.GET.get("page") if not given.question else 1)
    results = _last_results(list(page))
    context = {
        "library": library,
        "questions": [(question, *results.get(question.pk, (None, ""))) for question in page],
        "documents": page,
        "total": page.paginator.count,
        "names": names(library),
        "given": given,
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
