from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from chat.models import Conversation, Feedback
from documents.models import Endpoint


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
    """Where the chat model is. The key never goes back to the browser; left empty, the one that is stored stays."""

    class Meta:
        model = Endpoint
        fields = ("base_url", "api_key", "chat_model")
        widgets = {  # noqa: RUF012
            "api_key": forms.PasswordInput(attrs={"autocomplete": "off"}),
            "chat_model": forms.TextInput(attrs={"list": "models", "autocomplete": "off"}),
        }
        help_texts = {  # noqa: RUF012
            "api_key": "Local servers such as Ollama need none. Left empty, the key that is stored stays.",
            "chat_model": "Press “List its models” to choose from what the endpoint has.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chat_model"].required = self.data.get("do") != "list"

    def clean_api_key(self) -> str:
        return self.cleaned_data["api_key"] or str(self.instance.api_key)
