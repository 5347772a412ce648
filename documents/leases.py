"""Who works on which version: a lease in its row, renewed while the work goes on, taken over when it has run out.

Whoever makes the work useless, by a later version or by deleting the document, takes the lease away.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from documents.models import Document, Version
from documents.threads import in_thread

SECONDS = 20
"""How long a worker may be silent before its work is another's."""

RENEWAL = 5


class LeaseLost(Exception):
    """Another worker has taken this version, or nobody wants it any more."""


class Lease:
    """The right to work on a version."""

    def __init__(self, version_id: int) -> None:
        self.version_id = version_id
        self._id = uuid.uuid4()

    def take(self) -> bool:
        """Whether it could be had: the version isn't finished, is wanted, and nobody works on it."""
        return bool(free().filter(pk=self.version_id).update(lease=self._id, lease_until=_later(SECONDS)))

    def write(self, **fields: Any) -> None:
        """Set fields of the version and renew the lease; raises LeaseLost where it isn't ours any more."""
        fields = {"lease_until": _later(SECONDS)} | fields
        if not Version.objects.filter(pk=self.version_id, lease=self._id).update(**fields):
            raise LeaseLost

    def give_back(self, *, wait: float = 0, **fields: Any) -> None:
        """Set fields and let the version go; nobody is to take it for `wait` seconds."""
        self.write(**fields, lease=None, lease_until=_later(wait) if wait else None)

    def release(self) -> None:
        """Let the version go as it stands, if it is still ours."""
        Version.objects.filter(pk=self.version_id, lease=self._id).update(lease=None, lease_until=None)

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Keeps the lease through stretches of work that write nothing."""
        heart = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            heart.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            try:
                await in_thread(self.write)
            except LeaseLost:
                return  # The work notices when it writes.
            except (OperationalError, InterfaceError):
                continue  # Postgres may be back before the lease has run out.


def take_away(document: Document) -> None:
    """Have whoever works on the document's versions stop."""
    document.versions.exclude(lease=None).update(lease=None, lease_until=None)


def wanted() -> QuerySet[Version]:
    """Versions that are the latest of a document which isn't deleted."""
    # The lease's own columns must stand in the UPDATE itself, so that Postgres checks them again after waiting.
    return Version.objects.filter(pk__in=Document.objects.filter(deleted_at=None).values("latest"))


def unfinished() -> QuerySet[Version]:
    """Wanted versions that are neither ready nor failed."""
    return wanted().filter(status__in=(Version.Status.QUEUED, Version.Status.READING, Version.Status.EMBEDDING))


def free() -> QuerySet[Version]:
    """Unfinished versions that nobody works on."""
    return unfinished().filter(Q(lease_until=None) | Q(lease_until__lt=Now()))


def _later(seconds: float) -> Any:
    return Now() + timedelta(seconds=seconds)
