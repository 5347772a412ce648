from __future__ import annotations

from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from django import forms

from chat.models import Conversation, Feedback
from documents.models import Endpoint

_DEAREST = 1_000_000


class TitleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Conversation
        fields = ("title",)


class FeedbackForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Feedback
        fields = ("verdict", "reason")
        error_messages: ClassVar = {
            "reason": {"max_length": "The reason has %(show_value)d characters. Shorten it to %(limit_value)d."}
        }


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """A chat model, and what is known of it. Its key never goes back to the browser; left empty, the old one stays."""

    class Meta:
        model = Endpoint
        fields = (
            "base_url",
            "api_key",
            "chat_model",
            "own",
            "active",
            "position",
            "context_tokens",
            "prompt_price",
            "completion_price",
            "tools",
            "json_schema",
            "reasoning_effort",
        )
        widgets = {  # noqa: RUF012
            "api_key": forms.PasswordInput(attrs={"autocomplete": "off"}),
            "chat_model": forms.TextInput(attrs={"list": "models", "autocomplete": "off"}),
            "prompt_price": forms.NumberInput(attrs={"min": 0, "step": "any"}),
            "completion_price": forms.NumberInput(attrs={"min": 0, "step": "any"}),
        }
        help_texts = {  # noqa: RUF012
            "api_key": "Local servers such as Ollama need none. Left empty, the key that is stored stays.",
            "chat_model": "Press “List its models” to choose from what the endpoint has.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chat_model"].required = self.data.get("do") != "list"
        self.fields["position"].required = False
        efforts = Endpoint._meta.get_field("reasoning_effort").get_choices(blank_choice=[("", "As the model likes")])
        cast(forms.TypedChoiceField, self.fields["reasoning_effort"]).choices = efforts

    def clean_base_url(self) -> str:
        address: str = self.cleaned_data["base_url"]
        if "@" in urlsplit(address).netloc:
            raise forms.ValidationError("Leave name and password out of the address. What proves who asks is the key.")
        return address

    def clean_api_key(self) -> str:
        key: str = self.cleaned_data["api_key"] or str(self.instance.api_key)
        if not (key.isascii() and key.isprintable()):
            raise forms.ValidationError("A key has no accents, and no other signs but those of ASCII. Copy it again.")
        return key

    def clean_position(self) -> int:
        return self.cleaned_data["position"] or 1

    def clean_prompt_price(self) -> float | None:
        return self._price("prompt_price")

    def clean_completion_price(self) -> float | None:
        return self._price("completion_price")

    def _price(self, name: str) -> float | None:
        price: float | None = self.cleaned_data[name]
        if price is not None and price < 0:
            raise forms.ValidationError("A price is not less than 0. Leave it empty where you don't know it.")
        if price is not None and price > _DEAREST:
            raise forms.ValidationError(f"A price is for a million tokens: not more than {_DEAREST:,}.")
        return price
