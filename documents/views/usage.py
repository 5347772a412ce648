"""What models cost: one's own, and for administrators everybody's, with the budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from documents.forms import BudgetForm
from documents.models import Budget, Usage
from documents.spending import in_period, standings
from documents.views.libraries import require_administrator, user_of


@login_required
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    return _page(request, BudgetForm())


@login_required
@require_POST
def add_budget(request: HttpRequest) -> HttpResponse:
    require_administrator(request)
    form = BudgetForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    messages.success(request, f"The budget is {form.set()}.")
    return redirect("usage")


@login_required
@require_POST
def remove_budget(request: HttpRequest, budget_id: int) -> HttpResponse:
    require_administrator(request)
    get_object_or_404(Budget, pk=budget_id).delete()
    messages.success(request, "That budget is no more.")
    return redirect("usage")


def _page(request: HttpRequest, form: BudgetForm) -> HttpResponse:
    """This month's usage: the user's own; for an administrator everybody's, but with `?of=me`."""
    user = user_of(request)
    of_all = user.is_superuser and request.GET.get("of") != "me"
    usage = in_period(Budget.Period.MONTH)
    if not of_all:
        usage = usage.filter(user=user)
    context = {
        "of_all": of_all,
        "total": usage.aggregate(**_SUMS),
        "tables": _tables(usage, of_all=of_all),
        "standings": standings(user),
        "budgets": Budget.objects.select_related("user") if user.is_superuser else (),
        "form": form,
    }
    return render(request, "documents/usage.html", context, status=400 if form.errors else 200)


_SUMS = {"read": Sum("prompt_tokens"), "written": Sum("completion_tokens"), "spent": Sum("cost")}


def _tables(usage: QuerySet[Usage], *, of_all: bool) -> list[tuple[str, Iterable[Mapping[str, object]]]]:
    """What it was by: the heading, and a row each with its `name` and sums."""
    ways = {"Day": "day", "Model": "model", "Kind": "kind"} | ({"Person": "user__email"} if of_all else {})
    return [(heading, _rows(usage, field)) for heading, field in ways.items()]


def _rows(usage: QuerySet[Usage], field: str) -> Iterable[Mapping[str, object]]:
    order = "-name" if field == "day" else "-spent"
    return usage.values(name=F(field)).annotate(**_SUMS).order_by(order, "name")
