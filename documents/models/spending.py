from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Usage(models.Model):
    """What a model read, wrote and cost, in a call for an answer, or in a day for all else; it stays when that goes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    message = models.BigIntegerField(null=True, help_text="The answer that it was for.")
    day = models.DateField(default=timezone.localdate)
    kind = models.CharField(max_length=20)
    model = models.CharField(max_length=200)
    host = models.CharField(max_length=200)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0, help_text="As far as the model's prices are known.")

    class Meta:
        verbose_name_plural = "usage"
        indexes = (models.Index(fields=("day", "user"), name="usage_of_a_day"),)

    def __str__(self) -> str:
        return f"{self.model} on {self.day}: {self.cost}"


class Budget(models.Model):
    """How much may be spent in a day or a month: by all together, by everyone, or by one person instead of that."""

    class Scope(models.TextChoices):
        TEAM = "team", "All together"
        EACH = "each", "Everyone, each"
        ONE = "one", "One person"

    class Period(models.TextChoices):
        DAY = "day", "a day"
        MONTH = "month", "a month"

    scope = models.CharField("for", max_length=10, choices=Scope, default=Scope.EACH)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    amount = models.FloatField(help_text="In the currency of the models' prices.")
    period = models.CharField(max_length=10, choices=Period, default=Period.MONTH)

    class Meta:
        ordering = ("scope", "pk")
        constraints = (
            models.UniqueConstraint("scope", "period", condition=Q(user=None), name="one_budget_a_scope"),
            models.UniqueConstraint("user", "period", condition=~Q(user=None), name="one_budget_a_user"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_not_below_nothing"),
            models.CheckConstraint(condition=Q(scope="one") ^ Q(user=None), name="budget_of_one_names_whom"),
        )

    def __str__(self) -> str:
        return f"{self.amount:,.10g} {settings.CURRENCY} {self.get_period_display()}"
