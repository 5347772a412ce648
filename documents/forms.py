from __future__ import annotations

from pathlib import PurePath
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet

from documents import sources
from documents.endpoints import chat_models, may_be_kept_here
from documents.models import Budget, Document, Library, Membership, Source, User
from documents.naming import LONGEST, complaint, invisible, safe_name
from documents.rag.errors import FootnoteError

_TOO_LONG = "It has %(show_value)d characters. Shorten it to %(limit_value)d."


class LibraryForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Library
        fields = ("name", "visibility", "chat_model", "own_endpoints_only", "relations")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = dict.fromkeys([model.name for model in chat_models()] + [self.instance.chat_model])
        choices = [("", "The first in order"), *((name, name) for name in names if name)]
        help_text = self.fields["chat_model"].help_text
        self.fields["chat_model"] = forms.ChoiceField(choices=choices, required=False, help_text=help_text)

    def clean_own_endpoints_only(self) -> bool:
        wanted = bool(self.cleaned_data["own_endpoints_only"])
        if wanted and (why := may_be_kept_here()):
            raise forms.ValidationError(why)
        return wanted


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]
    """A budget, in place of one for the same and as long; that of one person names their e-mail."""

    email = forms.EmailField(label="E-mail", required=False, help_text="Only for the budget of one person.")

    class Meta:
        model = Budget
        fields = ("scope", "email", "amount", "period")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        one, email = values.get("scope") == Budget.Scope.ONE, (values.get("email") or "").lower()
        user = User.objects.filter(email=email).first() if email else None
        if one and user is None:
            self.add_error("email", f"Nobody here has the e-mail {email}." if email else "Say whose budget it is.")
        if (values.get("amount") or 0) < 0:
            self.add_error("amount", "An amount is not less than 0.")
        return values | {"user": user if one else None}

    def set(self) -> Budget:
        whose = {name: self.cleaned_data[name] for name in ("scope", "user", "period")}
        budget, _ = Budget.objects.update_or_create(**whose, defaults={"amount": self.cleaned_data["amount"]})
        return budget


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """Lets a person into a library, or changes what they may do there."""

    email = forms.EmailField(label="E-mail")

    class Meta:
        model = Membership
        fields = ("email", "role", "may_download")

    def clean_email(self) -> User:
        email = self.cleaned_data["email"].lower()
        user = User.objects.filter(email=email, is_active=True).first()
        if user is None:
            raise forms.ValidationError(f"Nobody here has the e-mail {email}. An administrator can add them.")
        return user

    def let_into(self, library: Library) -> Membership:
        values = {name: self.cleaned_data[name] for name in ("role", "may_download")}
        membership, _ = Membership.objects.update_or_create(
            library=library, user=self.cleaned_data["email"], defaults=values
        )
        return membership


class RenameForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Document
        fields = ("title", "name")
        help_texts: ClassVar = {"title": "As it is listed and cited. Empty: the title in the file, or the file name."}
        error_messages: ClassVar = {
            "title": {"max_length": _TOO_LONG},
            "name": {"max_length": _TOO_LONG, "required": "A document needs a file name. Give one."},
        }

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        if wrong := invisible(title):
            raise forms.ValidationError(wrong)
        return title

    def clean_name(self) -> str:
        """The ending says how the file is opened, and stays."""
        given, ending = self.cleaned_data["name"], PurePath(self.initial["name"]).suffix
        has_ending = given.lower().endswith(ending.lower())
        if wrong := complaint(given[: len(given) - len(ending)] if has_ending else given):
            raise forms.ValidationError(wrong)
        name = given if has_ending else given + ending
        if len(name) > LONGEST:
            raise forms.ValidationError(_TOO_LONG, params={"show_value": len(name), "limit_value": LONGEST})
        name = safe_name(name)
        if name != self.initial["name"] and self._beside().filter(name=name).exists():
            raise forms.ValidationError(f"{name} is here already. Choose another name.")
        return name

    def _beside(self) -> QuerySet[Document]:
        """The other documents of its folder."""
        document = self.instance
        place = {"library": document.library, "folder": document.folder, "container": document.container}
        return Document.objects.filter(deleted_at=None, **place).exclude(pk=document.pk)


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A web page or a sitemap; a folder too for administrators, where the operator allows any."""

    class Meta:
        model = Source
        fields = ("address", "kind", "schedule")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not (user.is_superuser and settings.SOURCE_FOLDERS):
            kinds = [choice for choice in Source.Kind.choices if choice[0] != Source.Kind.FOLDER]
            self.fields["kind"].choices = kinds  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not self.errors:
            try:
                values["address"] = sources.checked_address(values["kind"], values["address"])
            except FootnoteError as error:
                self.add_error("address", str(error))
        known = Source.objects.filter(library=self.instance.library, kind=values.get("kind"))
        if known.filter(address=values.get("address")).exists():
            self.add_error("address", "This is a source of the library already.")
        return values


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Source
        fields = ("schedule",)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files at once."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[bytes]]:
        files = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files]


class FilesForm(forms.Form):
    """Files for a library that is chosen with them; an empty one is refused by its name, as every bad file is."""

    library = forms.ModelChoiceField(Library.objects.none())
    files = FilesField(allow_empty_file=True)  # type: ignore[assignment]

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["library"].queryset = Library.objects.editable_by(user)  # type: ignore[attr-defined]
