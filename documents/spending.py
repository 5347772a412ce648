"""What models cost: kept by call, held against budgets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format

from documents.models import Budget, Usage, User
from documents.rag.metering import Allowance
from documents.rag.types import Call

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
    """Note what calls of models read, wrote and cost."""
    Usage.objects.bulk_create(
        Usage(
            user_id=user,
            message=message,
            kind=call.kind,
            model=call.model[:200],
            host=call.host[:200],
            prompt_tokens=call.usage.prompt_tokens,
            completion_tokens=call.usage.completion_tokens,
            cost=call.usage.cost,
        )
        for call in calls
        if call.usage.prompt_tokens or call.usage.completion_tokens
    )


def standings(user: User) -> list[Standing]:
    """Of the budgets that hold for this user, the one with the least left first."""
    budgets = list(Budget.objects.filter(Q(user=user) | Q(user=None)))
    own = {budget.period for budget in budgets if budget.user_id}
    hold = [budget for budget in budgets if budget.scope != Budget.Scope.EACH or budget.period not in own]
    return sorted((Standing(budget, _spent(budget, user)) for budget in hold), key=lambda standing: standing.left)


def allowance(user: User) -> tuple[Allowance | None, str]:
    """What the user's answers may still cost, None where nothing limits it; and what the user is to be told of it.

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


def _spent(budget: Budget, user: User) -> float:
    usage = in_period(budget.period)
    if budget.scope != Budget.Scope.TEAM:
        usage = usage.filter(user=user)
    return float(usage.aggregate(cost=Sum("cost"))["cost"] or 0.0)


def _next_month() -> date:
    first = timezone.localdate().replace(day=1)
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
