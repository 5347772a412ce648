from __future__ import annotations

from django import template

from documents import progress
from documents.models import Version

register = template.Library()


@register.filter
def described(version: Version, worker: bool) -> str:
    """How far it is, `worker` being whether one is running."""
    return progress.describe(version, worker=worker)


@register.filter
def lasting(seconds: float) -> str:
    """A length of time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min")] if hours else [(minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


@register.filter
def share(version: Version) -> float | None:
    return progress.share(version)
