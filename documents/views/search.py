"""Searching what one may read, without an answer: the same passages that an answer would rest on."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from documents import spending, wiring
from documents.models import Library, User
from documents.named import is_named
from documents.questions import check_question
from documents.rag.errors import FootnoteError
from documents.searching.facets import narrowed
from documents.searching.results import SHOWN, Results, search
from documents.threads import in_thread
from documents.views.pages import number_in

MOST = 100
"""Documents that can be shown of one search."""


@login_required
@require_safe
async def show(request: HttpRequest) -> HttpResponse:
    """The page to search on, with what `?q=…` finds, `&n=…` documents of it."""
    return await _answer(request, "documents/search.html")


@login_required
@require_safe
async def results(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes while one types."""
    return await _answer(request, "documents/_results.html")


async def _answer(request: HttpRequest, template: str) -> HttpResponse:
    """Cancelled, with what it asked of the database, when the browser no longer waits."""
    user = cast(User, await request.auser())
    libraries = await in_thread(_libraries, user)
    context: dict[str, Any] = {"query": request.GET.get("q", ""), "examples": _examples(libraries)}
    try:
        if context["query"].strip():
            context["results"] = await _found(user, context["query"], libraries, number_in(request, "n") or SHOWN)
            context["named"] = await in_thread(is_named, user, context["query"])
    except FootnoteError as error:
        context["error"] = str(error)
    return await in_thread(render, request, template, context)


async def _found(user: User, query: str, libraries: list[Library], shown: int) -> Results:
    check_question(query)
    system = await wiring.current().system([library.pk for library in libraries], rerank=False)
    async with spending.kept(user.pk):
        return await search(system, query, min(shown, MOST))


def _libraries(user: User) -> list[Library]:
    return list(Library.objects.readable_by(user))


def _examples(libraries: list[Library]) -> list[str]:
    """Searches to begin with, in a library of the user's own."""
    named = [narrowed("how to", "library", libraries[0].name)] if libraries else []
    return ["expense report", '"annual leave"', *named, "type:pdf warranty", f"after:{timezone.localdate().year} plan"]
