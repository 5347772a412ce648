"""What models cost: kept by call, held against budgets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format

from documents.models import Budget, Usage, User
from documents.rag.metering import Allowance
from documents.rag.tracing import note_calls
from documents.rag.types import Call
from documents.rag.types import Usage as Tokens
from documents.threads import in_thread

WARNED_AT = 0.8
"""The share of a budget from which on its user is told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a budget is spent, of one person or of all."""

    budget: Budget
    spent: float

    @property
    def share(self) -> float:
        return self.spent / self.budget.amount if self.budget.amount else 1.0

    @property
    def percent(self) -> int:
        return min(int(self.share * 100), 999)

    @property
    def left(self) -> float:
        return self.budget.amount - self.spent

    @property
    def spent_sentence(self) -> str:
        again = "tomorrow" if self.budget.period == Budget.Period.DAY else f"on {date_format(_next_month(), 'j F')}"
        return f"{self._subject} is spent. Models answer again {again}; an administrator can raise it."

    @property
    def warning(self) -> str:
        """Empty as long as there is enough left."""
        return f"{self._subject} is spent to {self.percent} %." if self.share >= WARNED_AT else ""

    @property
    def _subject(self) -> str:
        whose = "The team's" if self.budget.scope == Budget.Scope.TEAM else "Your"
        return f"{whose} budget of {self.budget}"


def keep(user: int | None, calls: Iterable[Call], message: int | None = None) -> None:
    """Note what calls of models read, wrote and cost: each of an answer's; what was for none is added up by day."""
    for call in calls:
        used = call.usage
        if not (used.prompt_tokens or used.completion_tokens):
            continue
        of = {"user_id": user, "kind": call.kind, "model": call.model[:200], "host": call.host[:200]}
        if message or not _added(used, of):
            Usage.objects.create(**of, **asdict(used), message=message)


def _added(used: Tokens, of: dict[str, Any]) -> bool:
    """Whether there is a row of today to which it could be added."""
    first = Usage.objects.filter(**of, message=None, day=timezone.localdate()).order_by("pk").values("pk")[:1]
    more = {name: F(name) + amount for name, amount in asdict(used).items()}
    return bool(Usage.objects.filter(pk__in=first).update(**more))


@asynccontextmanager
async def kept(user: int | None = None) -> AsyncIterator[None]:
    """Within this, what models are called for is kept in the end: as the user's, or as nobody's."""
    calls = note_calls()
    try:
        yield
    finally:
        await in_thread(keep, user, calls)


def standings(user: User | None) -> list[Standing]:
    """Of the budgets that hold for this user, the one with the least left first; the team's alone hold for nobody."""
    budgets = list(Budget.objects.filter(Q(user=user) | Q(user=None)))
    own = {budget.period for budget in budgets if budget.user_id}
    for_all = [budget for budget in budgets if budget.scope != Budget.Scope.EACH]
    hold = [budget for budget in budgets if budget.scope == Budget.Scope.EACH and user and budget.period not in own]
    hold += for_all
    return sorted((Standing(budget, _spent(budget, user)) for budget in hold), key=lambda standing: standing.left)


def allowance(user: User | None) -> tuple[Allowance | None, str]:
    """What the user may still spend, None where nothing limits it; and what the user is to be told of it.

    It is looked up as an answer begins: of several at the same time, each may use what is left.
    """
    found = standings(user)
    if not found:
        return None, ""
    least = found[0]
    warnings = [standing.warning for standing in found if standing.warning]
    return Allowance(least.left, least.spent_sentence), least.spent_sentence if least.left <= 0 else " ".join(warnings)


def in_period(period: str) -> QuerySet[Usage]:
    """The usage of today, or of this month."""
    today = timezone.localdate()
    return Usage.objects.filter(day__gte=today if period == Budget.Period.DAY else today.replace(day=1))


def _spent(budget: Budget, user: User | None) -> float:
    usage = in_period(budget.period)
    if budget.scope != Budget.Scope.TEAM:
        usage = usage.filter(user=user)
    return float(usage.aggregate(cost=Sum("cost"))["cost"] or 0.0)


def _next_month() -> date:
    first = timezone.localdate().replace(day=1)
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
