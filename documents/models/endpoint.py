from __future__ import annotations

from django.db import models


class Endpoint(models.Model):
    """The chat model that an administrator connected in the browser; the environment's, where set, goes first."""

    base_url = models.URLField("address", default="https://api.openai.com/v1", help_text="Ends in /v1, as a rule.")
    api_key = models.CharField("key", max_length=500, blank=True)
    chat_model = models.CharField("chat model", max_length=200)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(pk=1), name="one_endpoint"),)

    def __str__(self) -> str:
        return f"{self.chat_model} at {self.base_url}"
