from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import models
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from documents import actions, progress, spaces
from documents.forms import FilesForm, RenameForm
from documents.models import (
    Document,
    Embedding,
    EmbeddingSpace,
    Endpoint,
    GoldenPlace,
    GoldenQuestion,
    Library,
    Membership,
    Receipt,
    User,
    Version,
)
from documents.renaming import rename
from documents.views.libraries import receive_all, tell


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    ordering = ("email",)
    list_display = ("email", "name", "is_staff", "is_active")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 1
    autocomplete_fields = ("user",)


@admin.register(Library)
class LibraryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "visibility", "created", "receipts")
    list_filter = ("visibility",)
    search_fields = ("name",)
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Library]:
        """Not those in which `evaluate` has its index for a while."""
        return super().get_queryset(request).filter(indexed_for=None)

    @admin.display(description="erased")
    def receipts(self, library: Library) -> str:
        return format_html('<a href="{}?library={}">Receipts</a>', reverse("receipts"), library.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Library | None = None) -> bool:
        """Removing is its owner's, on its page, where it can be taken back for a while and gives a receipt."""
        return False


class VersionInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Version
    fk_name = "document"
    fields = readonly_fields = (
        "number", "status", "error", "media_type", "bytes", "pages_read", "chunks_indexed", "created", "ready_at",
    )  # fmt: skip
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RemovedFilter(admin.SimpleListFilter):
    title, parameter_name = "whether it was removed", "removed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Removed")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        in_use, *others = super().choices(changelist)
        yield {**in_use, "display": "In use"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> QuerySet[Document]:
        return queryset.filter(deleted_at__isnull=self.value() is None)


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The documents that the administrator may read, or restore; adding takes several files at once."""

    form = RenameForm
    list_display = ("__str__", "library", "state", "pages", "created")
    list_filter = (RemovedFilter, ("library", admin.RelatedOnlyFieldListFilter))
    actions = (actions.read_again, actions.remove, actions.restore, actions.erase)  # type: ignore[assignment]
    list_select_related = ("library", "latest")
    search_fields = ("name", "title")
    ordering = ("-created",)
    fields = ("library", "name", "title", "source", "created", "created_by")
    readonly_fields = ("library", "source", "created", "created_by")
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        user = cast(User, request.user)
        shown = Document.objects.readable_by(user) | Document.objects.restorable_by(user)
        return super().get_queryset(request) & shown

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Those for what the list shows: documents in use, or removed ones."""
        offered = actions.REMOVED if request.GET.get(RemovedFilter.parameter_name) else actions.IN_USE
        return {name: action for name, action in super().get_actions(request).items() if name in offered}

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        rename(obj, name=obj.name, title=obj.title)

    def has_change_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        """As on the pages, only editors of the library change a document, and nobody one that was removed."""
        editable = Document.objects.editable_by(cast(User, request.user))
        return super().has_change_permission(request) and (obj is None or editable.filter(pk=obj.pk).exists())

    def has_delete_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        """Removing is an action, which can be taken back for a while; then another erases for good."""
        return False

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return super().has_delete_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            return redirect("admin:index")
        form = FilesForm(request.POST or None, request.FILES or None, user=cast(User, request.user))
        if request.method == "POST" and form.is_valid():
            tell(request, receive_all(request, form.cleaned_data["library"]))
            return redirect("admin:documents_document_changelist")
        context = {**self.admin_site.each_context(request), "title": "Add documents", "opts": self.opts, "form": form}
        return render(request, "admin/documents/document/add.html", context)

    @admin.display(description="status", ordering="latest__status")
    def state(self, document: Document) -> str:
        if document.deleted_at:
            return f"removed {date_format(localtime(document.deleted_at), 'j M Y, H:i')}"
        context = {"document": document, "version": document.latest, "worker": progress.worker_is_running()}
        return render_to_string("admin/documents/document/state.html", context)

    @admin.display(ordering="latest__pages_total")
    def pages(self, document: Document) -> int | None:
        return document.latest.pages_total if document.latest else None


@admin.register(Receipt)
class ReceiptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shown only, as a receipt is proof."""

    list_display = ("__str__", "library_number", "whole_library", "by", "ordered", "finished")
    list_filter = ("whole_library", "finished")
    list_select_related = ("by",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Endpoint)
class EndpointAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Its key is set on the page of chat models, and doesn't go to a browser here either."""

    list_display = ("chat_model", "base_url", "changed")
    exclude = ("api_key",)
    formfield_overrides: ClassVar = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shown only: spaces are made and retired by `reembed`."""

    list_display = ("model", "dimensions", "state", "chunks", "error")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if sentence := spaces.differs_from_setting():
            messages.warning(request, sentence)
        return super().changelist_view(request, extra_context)

    @admin.display(description="chunks with vectors")
    def chunks(self, space: EmbeddingSpace) -> str:
        embedded = Embedding.objects.filter(space=space).aggregate(count=Count("chunk", distinct=True))["count"]
        return intcomma(embedded)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class GoldenPlaceInline(admin.TabularInline):  # type: ignore[type-arg]
    model = GoldenPlace
    fields = readonly_fields = ("document", "page", "quote")
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[GoldenPlace]:
        readable = Document.objects.readable_by(cast(User, request.user))
        return super().get_queryset(request).filter(document__in=readable)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(GoldenQuestion)
class GoldenQuestionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Of libraries that the administrator may edit; shown only, as they are kept on their library's page."""

    list_display = ("text", "library", "origin", "created", "created_by")
    list_filter = ("origin", ("library", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("library", "created_by")
    search_fields = ("text",)
    inlines = (GoldenPlaceInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[GoldenQuestion]:
        return super().get_queryset(request) & GoldenQuestion.objects.editable_by(cast(User, request.user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
