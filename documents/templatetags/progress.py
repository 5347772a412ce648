from __future__ import annotations

from django import template

from documents import progress
from documents.models import Version

register = template.Library()


@register.filter
def described(version: Version) -> str:
    return progress.describe(version)


@register.filter
def share(version: Version) -> float | None:
    return progress.share(version)
