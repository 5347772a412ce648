from __future__ import annotations

from django.db import models


class Endpoint(models.Model):
    """A chat model at an OpenAI-compatible endpoint; the environment's, where set, goes first.

    They are asked by their order, the next one where one can't be reached. Prices are for a million tokens.
    """

    base_url = models.URLField("address", default="https://api.openai.com/v1", help_text="Ends in /v1, as a rule.")
    api_key = models.CharField("key", max_length=500, blank=True)
    chat_model = models.CharField("chat model", max_length=200)
    own = models.BooleanField(
        "our own",
        default=False,
        help_text="What is sent there stays with us, as on a server of ours. Else it is external.",
    )
    active = models.BooleanField("in use", default=True)
    position = models.PositiveSmallIntegerField("order", default=1, help_text="1 is asked first.")
    context_tokens = models.PositiveIntegerField("context length", null=True, blank=True, help_text="Tokens.")
    prompt_price = models.FloatField("price of reading", null=True, blank=True, help_text="Of a million tokens.")
    completion_price = models.FloatField("price of writing", null=True, blank=True, help_text="Of a million tokens.")
    tools = models.BooleanField("calls tools", null=True, blank=True)
    json_schema = models.BooleanField("keeps to a JSON schema", null=True, blank=True)
    reasoning_effort = models.CharField(
        max_length=10,
        blank=True,
        choices=[(effort, effort) for effort in ("minimal", "low", "medium", "high")],
        help_text="Only for models that reason.",
    )
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(
                "base_url",
                "chat_model",
                name="one_model_an_address",
                violation_error_message="This model of this address is connected already. Change it in the table.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.chat_model} at {self.base_url}"
