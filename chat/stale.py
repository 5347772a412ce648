"""Answers that rest on words which changed, or went, since they were given."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from chat.lasting import Standing, State, standings
from chat.models import Citation, Conversation, Message
from chat.newer import compare, uncompared
from documents.models import Library, User

AT_A_TIME = 1000
"""Footnotes that are looked for in newer versions while somebody waits."""

_ANSWERED = (Message.Status.COMPLETE, Message.Status.STOPPED)

_SAYS_STILL = (State.SAME, State.STILL)


@dataclass(frozen=True, slots=True)
class Stale:
    """An answer, with those of its footnotes whose words changed or went, and how each stands."""

    answer: Message
    notes: tuple[tuple[Citation, Standing], ...]


def look(library: Library) -> int:
    """Look for what is cited of a library in newer versions of it; how many footnotes are left for the next time."""
    waiting = uncompared(Citation.objects.filter(library=library)).order_by("document", "pk")
    due = list(waiting[: AT_A_TIME + 1])
    compare(due[:AT_A_TIME])
    return waiting.count() if len(due) > AT_A_TIME else 0


def own(user: User, library: Library) -> QuerySet[Message]:
    """The stale ones of the user's own answers that cite a library, newest first; each may be told with `told`."""
    readable = Library.objects.readable_by(user)
    changed = _changed() & Q(document__library__in=readable)
    moved = Q(document__deleted_at=None) & ~Q(document__library__in=readable)
    answers = _resting_on(library, _gone() | changed | moved).filter(conversation__in=Conversation.objects.of(user))
    return answers.select_related("conversation", "parent").prefetch_related("citations").order_by("-pk")


def others(user: User, library: Library) -> int:
    """How many answers to others are stale."""
    answers = _resting_on(library, _gone() | (_changed() & Q(document__library=library)))
    return answers.exclude(conversation__owner=user).count()


def told(answers: list[Message], user: User) -> list[Stale]:
    """In a few visits to the database, however many they are."""
    citations = [citation for answer in answers for citation in answer.citations.all()]
    stand = dict(zip(citations, standings(citations, user), strict=True))
    return [
        Stale(
            answer,
            tuple((each, stand[each]) for each in answer.citations.all() if stand[each].state not in _SAYS_STILL),
        )
        for answer in answers
    ]


def _gone() -> Q:
    return Q(document=None) | Q(document__deleted_at__isnull=False)


def _changed() -> Q:
    looked_for = Q(compared__isnull=False) & ~Q(compared__lte=F("document__current__ready_at"))
    return looked_for & Q(still=[]) & ~Q(document__current=F("version"))


def _resting_on(library: Library, stale: Q) -> QuerySet[Message]:
    """The answers that cite the library with such footnotes, but for those whose question was asked again."""
    citations = Citation.objects.filter(stale, library=library)
    again = Message.objects.filter(
        conversation=OuterRef("conversation"),
        parent__text=OuterRef("parent__text"),
        pk__gt=OuterRef("pk"),
        status__in=(*_ANSWERED, Message.Status.STREAMING),
    )
    answers = Message.objects.filter(pk__in=citations.values("message"), status__in=_ANSWERED)
    return answers.exclude(Exists(again))
