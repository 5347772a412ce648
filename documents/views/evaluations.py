"""Runs of `evaluate`: a list of them, some side by side, and new ones on the golden questions of a library."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from documents.evaluating import background
from documents.evaluating.comparison import Comparison
from documents.models import EvaluationRun, Library
from documents.rag.errors import FootnoteError
from documents.views.libraries import user_of
from documents.views.pages import number_in

RUNS_A_PAGE = 50
SIDE_BY_SIDE = 4
QUESTIONS_SHOWN = 50
"""Of a kind: the first of them differ most."""

OFFERED = {
    "hybrid": "by words and meaning",
    "iterative": "in rounds",
    "graph": "along names",
    "lexical": "by words",
    "naive": "by meaning",
}
"""Strategies to choose from, and how they search."""


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All runs that the user may see, or those on the golden questions of `?library=7`."""
    runs = _visible(request)
    library = None
    if number := number_in(request, "library"):
        library = get_object_or_404(Library.objects.editable_by(request.user), pk=number)
        runs = runs.filter(libraries=library)
    counted = (
        runs.annotate(done=Count("results"))
        .order_by("-started", "-pk")
        .select_related("by")
        .prefetch_related("libraries")
    )
    page = Paginator(counted, RUNS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "runs": [(run, run.figures.get("ndcg@10"), run.figures.get("p50_ms")) for run in page],
        "documents": page,
        "library": library,
        "golden": library.golden_questions.count() if library else 0,
        "offered": list(OFFERED.items()),
    }
    return render(request, "documents/evaluations.html", context)


@login_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """The runs of `?run=7&run=9`, in that order."""
    numbers = [int(number) for number in request.GET.getlist("run") if number.isdecimal() and len(number) < 10]
    chosen = list(dict.fromkeys(numbers))
    if not 1 <= len(chosen) <= SIDE_BY_SIDE:
        messages.error(request, f"Tick one to {SIDE_BY_SIDE} runs.")
        return redirect("evaluations")
    runs = [get_object_or_404(_visible(request), pk=number) for number in chosen]
    comparison = Comparison(runs, request.user)
    groups = [(name, len(questions), questions[:QUESTIONS_SHOWN]) for name, questions in comparison.groups]
    return render(request, "documents/comparison.html", {"comparison": comparison, "groups": groups})


@login_required
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Have a worker ask the golden questions of a library, by each of some strategies."""
    number = request.POST.get("library", "")
    library = get_object_or_404(
        Library.objects.editable_by(request.user), pk=int(number) if number.isdecimal() and len(number) < 10 else 0
    )
    strategies = [name for name in OFFERED if name in request.POST.getlist("strategy")]
    try:
        if strategies:
            background.start(user_of(request), [library.pk], strategies)
            messages.success(
                request, "The golden questions are being asked. Load this page again to see how far it is."
            )
        else:
            messages.error(request, "Tick at least one way to search.")
    except FootnoteError as error:
        messages.error(request, str(error))
    return redirect(f"{reverse('evaluations')}?library={library.pk}")


def _visible(request: HttpRequest) -> QuerySet[EvaluationRun]:
    """Runs on libraries all of which the user may edit; administrators see those on collections, too."""
    uneditable = Library.objects.exclude(pk__in=Library.objects.editable_by(request.user).values("pk"))
    return EvaluationRun.objects.readable_by(request.user).exclude(
        pk__in=EvaluationRun.libraries.through.objects.filter(library__in=uneditable).values("evaluationrun")
    )
