from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.db import transaction

from documents.evaluating.given import LONGEST_QUOTE, Given, find_place
from documents.models import GoldenPlace, GoldenQuestion
from documents.questions import check_question
from documents.rag.errors import PermanentError

SHOWN = 300
"""Characters of a passage that is offered."""


class GoldenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A golden question with its places: those that are ticked of what is `offered`, by key, and one named by hand."""

    expected = forms.MultipleChoiceField(
        label="Where the answer stands", required=False, widget=forms.CheckboxSelectMultiple
    )
    document = forms.CharField(
        required=False,
        max_length=1300,
        help_text="Its file name or title.",
        widget=forms.TextInput(attrs={"list": "documents", "autocomplete": "off", "dir": "auto"}),
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000, help_text="If only this page answers.")
    quote = forms.CharField(
        required=False,
        max_length=LONGEST_QUOTE,
        help_text="The words that answer it, copied from the document. The narrower the place, the more is measured.",
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )

    class Meta:
        model = GoldenQuestion
        fields = ("text", "expected", "document", "page", "quote", "note")
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
            "note": forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        }

    def __init__(self, *args: Any, offered: Mapping[str, GoldenPlace], ticked: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offered = offered
        self._places: list[GoldenPlace] = []
        if not offered:
            del self.fields["expected"]
            return
        expected = self.fields["expected"]
        expected.choices = [(key, _told(place)) for key, place in offered.items()]  # type: ignore[attr-defined]
        expected.initial = list(offered) if ticked else []
        self.fields["document"].label = "Another document"

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            check_question(text)
        except PermanentError as error:
            raise forms.ValidationError(str(error)) from error
        return text

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        self._places = [self._offered[key] for key in values.get("expected", ())]
        page, quote = str(values.get("page") or ""), values.get("quote", "")
        if values.get("document"):
            try:
                given = Given("", values["document"], page, quote)
                self._places.append(find_place(self.instance.library, given))
            except PermanentError as error:
                self.add_error("document", str(error))
        elif page or quote:
            self.add_error("document", "Write in which document this stands.")
        elif not self._places:
            self.add_error("document", "Say where the answer stands: at least in which document.")
        return values

    @transaction.atomic
    def keep(self) -> None:
        """The question as it was filled in; of the places offered only those that are ticked."""
        question: GoldenQuestion = self.save()
        for place in self._offered.values():
            if place.pk and place not in self._places:
                place.delete()
        for place in self._places:
            question.places.get_or_create(document=place.document, page=place.page, quote=place.quote)


def _told(place: GoldenPlace) -> str:
    return f"{place}: “{place.quote[:SHOWN]}”" if place.quote else str(place)
