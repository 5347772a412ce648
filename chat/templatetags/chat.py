from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any

from django import template
from django.conf import settings
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from chat.markdown import render
from chat.marking import Mark
from chat.models import Claim, Conversation, Message, Verdict
from documents.models import Library
from documents.rag.claims import plain

register = template.Library()

_LISTED = 100

_REASONS = 3


@register.filter
def answer_html(message: Message) -> SafeString:
    """The answer's Markdown as safe HTML, with its citations as links, and what is doubted of it marked."""
    known = {citation.number for citation in message.citations.all()}
    return mark_safe(render(message.text, known, [_mark(claim) for claim in _doubted(message)]))


@register.filter
def doubts(message: Message, number: int) -> dict[str, Any]:
    """The first `claims` that are doubted of what the answer says with a footnote, with the reason; how many `more`."""
    claims = [claim for claim in _doubted(message) if number in claim.numbers and claim.reason]
    return {"claims": claims[:_REASONS], "more": max(len(claims) - _REASONS, 0)}


@register.filter
def uncited(message: Message) -> int:
    """How many of its statements bear no footnote."""
    return sum(claim.verdict == Verdict.UNCITED for claim in message.claims.all())


def _doubted(message: Message) -> list[Claim]:
    return [claim for claim in message.claims.all() if claim.is_doubted]


def _mark(claim: Claim) -> Mark:
    sentence = plain(claim.message.text[claim.start : claim.end])
    verdict = claim.get_verdict_display().capitalize()
    return Mark(sentence, claim.verdict, f"{verdict}: {claim.reason}" if claim.reason else verdict, claim.doubt)


@register.filter
def money(amount: float) -> str:
    """An amount of the models' prices, small ones to four places: 0.0042 USD."""
    if not amount:
        return f"0 {settings.CURRENCY}"
    shown = f"{amount:,.2f}" if amount >= 1 else f"{amount:.4f}" if amount >= 0.0001 else "< 0.0001"
    return f"{shown} {settings.CURRENCY}"


@register.filter
def seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f} s"


@register.inclusion_tag("chat/_sidebar.html", takes_context=True)
def sidebar(context: template.RequestContext) -> dict[str, Any]:
    """The user's conversations by age, and the libraries they may read."""
    request: HttpRequest = context["request"]
    ready = Count("documents", filter=Q(documents__deleted_at=None))
    return {
        "request": request,
        "periods": _by_age(Conversation.objects.of(request.user)[:_LISTED]),
        "libraries": Library.objects.readable_by(request.user).annotate(size=ready),
    }


def _by_age(conversations: Iterable[Conversation]) -> list[tuple[str, list[Conversation]]]:
    return [(age, list(members)) for age, members in groupby(conversations, _age)]


def _age(conversation: Conversation) -> str:
    days = timezone.localdate() - timezone.localdate(conversation.updated)
    if days < timedelta(days=1):
        return "Today"
    return "This week" if days < timedelta(days=7) else "Earlier"
