from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from chat.models import Conversation


@admin.register(Conversation)
class ConversationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Whose conversations there are, to be deleted; what was said in them stays their owner's."""

    list_display = ("pk", "owner", "created", "updated")
    list_filter = ("updated",)
    search_fields = ("owner__email",)
    fields = readonly_fields = ("pk", "owner", "strategy", "libraries", "created", "updated")
    list_select_related = ("owner",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Conversation | None = None) -> bool:
        return False
