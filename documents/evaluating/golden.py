"""Golden questions, and where in the documents of today their answers stand."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from documents.evaluating.judged import Judged
from documents.models import Chunk, Document, GoldenPlace, GoldenQuestion, Page, User
from documents.rag.evaluation import Place, overlap
from documents.rag.types import Span, Turn


def golden_questions(user: User, libraries: Sequence[int]) -> list[Judged]:
    """Those of these libraries that the user may read, by such places as stand in documents the user may read.

    Questions that have no such place are left out.
    """
    readable = GoldenPlace.objects.filter(document__in=Document.objects.readable_by(user)).select_related("document")
    questions = GoldenQuestion.objects.readable_by(user).filter(library__in=libraries)
    by_question: dict[int, list[GoldenPlace]] = {}
    for place in readable.filter(question__in=questions):
        by_question.setdefault(place.question_id, []).append(place)
    return [_judged(question, by_question[question.pk]) for question in questions if question.pk in by_question]


def digest(questions: Sequence[Judged]) -> str:
    """The same for the same questions and places, whatever their documents say of late."""
    asked = [[question.key, question.text, [*map(str, question.history)], [*question.grades]] for question in questions]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def stands(place: GoldenPlace) -> bool:
    """Whether the document's current version has such a page, and says such words."""
    return _span(place) is not _NOWHERE


def _judged(question: GoldenQuestion, places: Sequence[GoldenPlace]) -> Judged:
    spans = {place.pk: _span(place) for place in places}
    return Judged(
        key=str(question.pk),
        text=question.text,
        history=tuple(Turn(turn["role"], turn["text"]) for turn in question.history),
        grades={str(place.pk): 1 for place in places},
        places=[_place(place, spans[place.pk]) for place in places],
        golden=question.pk,
        lost=frozenset(str(place.pk) for place in places if spans[place.pk] is _NOWHERE),
    )


_NOWHERE = Span(0, 0, 0)


def _place(place: GoldenPlace, span: Span | None) -> Place:
    chunks = Chunk.objects.filter(version=place.document.current_id).values_list("pk", "spans")
    holding = (pk for pk, spans in chunks if span is None or overlap(span, [Span(*each) for each in spans]))
    return Place(str(place.pk), place.document_id, frozenset(holding), span)


def _span(place: GoldenPlace) -> Span | None:
    """Where it stands in the document's current version; None for anywhere in it."""
    pages = Page.objects.filter(version=place.document.current_id).values_list("number", "text")
    if place.quote:
        return _quoted(place, list(pages))
    if place.page:
        return next((Span(number, 0, len(text)) for number, text in pages.filter(number=place.page)), _NOWHERE)
    return None


def _quoted(place: GoldenPlace, pages: Sequence[tuple[int, str]]) -> Span:
    """Where the quoted words stand, in whatever case and with whatever between them: on their page, if still there."""
    words = re.compile(r"\s+".join(map(re.escape, place.quote.split())), re.IGNORECASE)
    for number, text in sorted(pages, key=lambda page: page[0] != place.page):
        if found := words.search(text):
            return Span(number, *found.span())
    return _NOWHERE
