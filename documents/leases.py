"""Who works on what: a lease in its row, renewed while the work goes on, taken over when it has run out.

Whoever makes the work useless, by a later version or by deleting the document, takes the lease away.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from documents.models import Document, EmbeddingSpace, Library, Source, Version
from documents.threads import in_thread

SECONDS = 20
"""How long a worker may be silent before its work is another's."""

RENEWAL = 5

_TO_BE_INDEXED = (Version.Status.QUEUED, Version.Status.READING, Version.Status.EMBEDDING)


class LeaseLost(Exception):
    """Another worker has taken a version, or nobody wants it any more."""


class Lease:
    """The right to work on some versions: theirs whose rows bear its id."""

    def __init__(self, *version_ids: int, key: uuid.UUID | None = None) -> None:
        self.version_ids = version_ids
        self.key = key or uuid.uuid4()

    def take(self, among: QuerySet[Any] | None = None) -> list[int]:
        """Those that could be had: they are among these, which are the `free` ones unless others are named."""
        among = free() if among is None else among
        among.filter(pk__in=self.version_ids).update(lease=self.key, lease_until=_later(SECONDS))
        return list(self._held().values_list("pk", flat=True))

    def of(self, versions: Iterable[Version]) -> Lease:
        """The part of it on these versions."""
        return Lease(*(version.pk for version in versions), key=self.key)

    def write(self, **fields: Any) -> None:
        """Set fields of all the versions and renew the lease; raises LeaseLost where one isn't ours any more."""
        fields = {"lease_until": _later(SECONDS)} | fields
        with transaction.atomic():
            if self._held().update(**fields) < len(self.version_ids):
                raise LeaseLost

    def give_back(self, *, wait: float = 0, **fields: Any) -> None:
        """Set fields and let the versions go; nobody is to take them for `wait` seconds."""
        self.write(**fields, lease=None, lease_until=_later(wait) if wait else None)

    def release(self) -> None:
        """Let go, as they stand, those that are still ours."""
        self._held().update(lease=None, lease_until=None)

    def renew(self) -> None:
        """Go on holding those that are still ours."""
        self._held().update(lease_until=_later(SECONDS))

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Keeps the lease through stretches of work that write nothing."""
        heart = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            heart.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(RENEWAL)
            with suppress(OperationalError, InterfaceError):  # Postgres may be back before the lease has run out.
                await in_thread(self.renew)

    def _held(self) -> QuerySet[Any]:
        return Version.objects.filter(pk__in=self.version_ids, lease=self.key)


class SourceLease(Lease):
    """The right to bring a library in step with a source."""

    def _held(self) -> QuerySet[Any]:
        return Source.objects.filter(pk__in=self.version_ids, lease=self.key)


class SpaceLease(Lease):
    """The right to build an embedding space."""

    def _held(self) -> QuerySet[Any]:
        return EmbeddingSpace.objects.filter(pk__in=self.version_ids, lease=self.key)


def take_away(of: Document | Library) -> None:
    """Have whoever works on versions of a document, or of any in a library, stop."""
    versions = Version.objects.filter(**{"document": of} if isinstance(of, Document) else {"document__library": of})
    versions.exclude(lease=None).update(lease=None, lease_until=None)


def wanted() -> QuerySet[Version]:
    """Versions that are the latest of a document which isn't deleted, nor its library."""
    # The lease's own columns must stand in the UPDATE itself, so that Postgres checks them again after waiting.
    kept = Document.objects.filter(deleted_at=None, library__deleted_at=None)
    return Version.objects.filter(pk__in=kept.values("latest"))


def unfinished() -> QuerySet[Version]:
    """Wanted versions that are neither ready nor failed."""
    return wanted().filter(status__in=(*_TO_BE_INDEXED, Version.Status.RECOGNISING))


def free() -> QuerySet[Version]:
    """Versions to be indexed that nobody works on."""
    return _left_alone().filter(status__in=_TO_BE_INDEXED)


def recognisable() -> QuerySet[Version]:
    """Versions of which pages wait for text recognition, that nobody works on."""
    return _left_alone().filter(status=Version.Status.RECOGNISING)


def _left_alone() -> QuerySet[Version]:
    return wanted().filter(Q(lease_until=None) | Q(lease_until__lt=Now()))


def due() -> QuerySet[Source]:
    """Sources whose time has come, and that nobody fetches from just now."""
    libraries = Library.objects.filter(deleted_at=None)
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return Source.objects.filter(free, next_run__lte=Now(), library__in=libraries)


def buildable() -> QuerySet[EmbeddingSpace]:
    """The space that is being built, unless somebody does so just now, or it takes somebody to mend what stopped it."""
    goes_on = Q(lease_until=None, error="") | Q(lease_until__lt=Now())
    return EmbeddingSpace.objects.filter(goes_on, state=EmbeddingSpace.State.BUILDING)


def _later(seconds: float) -> Any:
    return Now() + timedelta(seconds=seconds)
