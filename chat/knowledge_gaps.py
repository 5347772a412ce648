"""Questions that documents had no answer to: who might know, and what the owners of a library are told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max
from django.utils import timezone

from chat.models import Gap, Message
from documents.models import Library, Membership, User

KEPT_IN_VIEW = timedelta(days=90)
"""For how long a question is listed after it was asked last."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question as it was asked, how often, and when last; by whom is nobody's business."""

    text: str
    times: int
    last: datetime


def unanswered(library: Library) -> list[Unanswered]:
    """What a library had no answer to of late, what was asked last first."""
    gaps = Gap.objects.filter(libraries=library, created__gt=timezone.now() - KEPT_IN_VIEW)
    asked = gaps.values("message__parent__text").annotate(times=Count("pk"), last=Max("created")).order_by("-last")
    return [Unanswered(row["message__parent__text"], row["times"], row["last"]) for row in asked]


def who_might_know(messages: Sequence[Message], user: User | AnonymousUser) -> dict[int, list[User]]:
    """Answer → the owners of the libraries that had none, as far as the user may read these; not the user."""
    answers = [message.pk for message in messages if message.abstained]
    if not answers:
        return {}
    filed = Gap.libraries.through.objects.filter(gap__in=answers, library__in=Library.objects.readable_by(user))
    libraries = list(filed.values_list("gap", "library"))
    owners = Membership.objects.filter(
        library__in={library for _, library in libraries}, role=Membership.Role.OWNER, user__is_active=True
    ).exclude(user=user.pk)
    of_library: dict[int, list[User]] = {}
    for owner in owners.select_related("user").order_by("pk"):
        if owner.user:
            of_library.setdefault(owner.library_id, []).append(owner.user)
    told: dict[int, list[User]] = {answer: [] for answer, _ in libraries}
    for answer, library in libraries:
        told[answer] += [owner for owner in of_library.get(library, ()) if owner not in told[answer]]
    return {answer: those[:_NAMED] for answer, those in told.items()}
