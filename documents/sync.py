"""A library kept in step with a source: what is new or changed is fetched, what vanished is taken out of every search.

Nothing vanishes because a source can't be reached, answers with an error, or suddenly lists nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePath

from celery import current_app
from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from documents import sources
from documents.ingest import Outcome, delete, receive, sha256
from documents.leases import LeaseLost, SourceLease, due
from documents.models import Document, Source, Version
from documents.naming import safe_folder, safe_name
from documents.queueing import queue
from documents.rag.errors import FootnoteError, PermanentError, TransientError
from documents.sources.types import Busy, Fetched, Item, Mark, Origin, Unreachable, Vanished
from documents.threads import in_thread

SYNC = "documents.tasks.sync"
EXPIRY = 60
"""Seconds after which beat has asked again for what no worker had time for."""

MOST_AT_ONCE = 2
"""Sources that are fetched from at a time, by all workers together."""

SENTENCES = 20
"""How many are kept of those that say why something could not be taken in."""

SOONEST, LATEST = 60.0, 86_400.0
"""Seconds after which what could not be had just then is asked for again."""


class Change(StrEnum):
    """What became of something that a source holds, or held."""

    ADDED = "added"
    CHANGED = "changed"
    MOVED = "moved"
    GONE = "gone"
    FAILED = "failed"


_CHANGES = {
    Outcome.ADDED: Change.ADDED,
    Outcome.NEW_VERSION: Change.CHANGED,
    Outcome.RESTORED: Change.CHANGED,
}


@dataclass(frozen=True, slots=True)
class Event:
    """A change, as it is told."""

    event: Change
    document: str
    source: str
    error: str = ""

    def __str__(self) -> str:
        return f"{self.document or self.source}: {self.error or self.event}"


@dataclass(slots=True)
class Report:
    """What a run found and did."""

    items: int = 0
    events: list[Event] = field(default_factory=list)
    error: str = ""
    retry_after: float = 0
    """Seconds after which something is to be asked for again; 0 where nothing is."""
    versions: list[int] = field(default_factory=list)
    """Those that wait to be indexed."""


async def sync(source_id: int) -> Report | None:
    """Bring the library in step with a source that is due; None where it isn't, or is another's affair."""
    lease = SourceLease(source_id)
    if await in_thread(enough_at_work) or not await in_thread(lease.take, due()):
        return None
    try:
        async with lease.renewed():
            source = await in_thread(Source.objects.select_related("library", "created_by").get, pk=source_id)
            return await _Sync(lease, source).run()
    except (LeaseLost, Source.DoesNotExist):
        return None
    except asyncio.CancelledError:
        await in_thread(lease.release)
        raise


def enough_at_work() -> bool:
    """Whether so many sources are fetched from that the others have to wait: workers are to read documents as well."""
    return Source.objects.filter(lease_until__gt=timezone.now()).count() >= MOST_AT_ONCE


def fetch_now(source: Source) -> None:
    """Have a source fetched from as soon as a worker can."""
    Source.objects.filter(pk=source.pk).update(next_run=Now())
    transaction.on_commit(lambda: send([source.pk]), robust=True)  # Where Redis is away, beat finds it later.


def fetch_due() -> None:
    """Have those sources fetched from whose time has come."""
    send(due().order_by("next_run").values_list("pk", flat=True)[:MOST_AT_ONCE])


def send(source_ids: Iterable[int]) -> None:
    for source_id in source_ids:
        current_app.send_task(SYNC, [source_id], expires=EXPIRY)


Result = Fetched | FootnoteError | None
"""An item's file, why it could not be had, or None where it is as before."""


class _Sync:
    """One run over a source."""

    def __init__(self, lease: SourceLease, source: Source) -> None:
        self.lease = lease
        self.source = source
        self.report = Report()
        self.known: dict[str, Mark] = {}
        """Identity → what was known, of the documents that the source keeps."""
        self.removed: set[str] = set()
        """Identities of documents that somebody removed, or moved to another library: they aren't brought back."""
        self.vanished: set[str] = set()
        self.alive = 0
        """Items that were fetched, or are as before."""

    async def run(self) -> Report:
        try:
            async with sources.opened(self.source.kind, self.source.address) as origin:
                await self.bring_in_step(origin)
        except FootnoteError as error:
            self.report.error = str(error)
            self.wait_for(error)
        await in_thread(self.finish)
        return self.report

    async def bring_in_step(self, origin: Origin) -> None:
        items = {item.source: item for item in await origin.items()}
        self.report.items = len(items)
        await in_thread(self.look_up)
        if not items and self.known:
            raise Unreachable(f"{self.source} lists nothing any more. That may be a mistake, so nothing was removed.")
        self.vanished = self.known.keys() - items.keys()
        wanted = [item for item in items.values() if item.source not in self.removed]
        for start in range(0, len(wanted), origin.at_a_time):
            lot = wanted[start : start + origin.at_a_time]
            results = await asyncio.gather(*(self.fetch(origin, item) for item in lot))
            await in_thread(self.take_in, list(zip(lot, results, strict=True)))
            if busy := next((result for result in results if isinstance(result, Busy)), None):
                raise busy
        if wanted and not self.alive and self.source.kind != Source.Kind.PAGE:
            raise Unreachable(f"Nothing that {self.source} lists could be fetched, so nothing was removed.")
        await in_thread(self.retire)

    def look_up(self) -> None:
        for document in self.source.documents.only("source", "modified", "etag", "deleted_at", "library"):
            if document.deleted_at or document.library_id != self.source.library_id:
                self.removed.add(document.source)
            else:
                self.known[document.source] = Mark(document.modified, document.etag)
        self.removed -= self.known.keys()

    async def fetch(self, origin: Origin, item: Item) -> Result:
        try:
            return await origin.fetch(item, self.known.get(item.source, Mark()))
        except FootnoteError as error:
            return error

    # --- What was fetched -------------------------------------------------------------------------

    def take_in(self, results: Iterable[tuple[Item, Result]]) -> None:
        versions = []
        for item, result in results:
            self.alive += not isinstance(result, FootnoteError)
            if isinstance(result, Vanished) and item.source in self.known:
                self.vanished.add(item.source)
            elif isinstance(result, FootnoteError):
                self.fail(PurePath(item.source).name, item, result)
            elif result is not None:
                with result.file:
                    versions += self.receive(item, result)
        queue(versions)

    def receive(self, item: Item, fetched: Fetched) -> list[Version]:
        """The version that came of it, if one did."""
        try:
            with transaction.atomic():
                self.lease.write()
                file = File(fetched.file, fetched.name)
                moved = self.follow(item, file)
                received = receive(
                    self.source.created_by, self.source.library, file, source=item.source, folder=item.folder
                )
                document = received.version.document
                self.keep(document, fetched.mark)
        except PermanentError as error:
            self.fail(fetched.name, item, error)
            return []
        if change := Change.MOVED if moved else _CHANGES.get(received.outcome):
            self.report.events.append(Event(change, document.name, item.source))
        waits = received.version.status == Version.Status.QUEUED
        self.report.versions += [received.version.pk] * waits
        return [received.version]

    def follow(self, item: Item, file: File[bytes]) -> bool:
        """Whether the item is a document that vanished elsewhere, which then has its name and place from now on."""
        if item.source in self.known or not self.vanished:
            return False
        library = Document.objects.filter(library=self.source.library, deleted_at=None)
        candidates = library.filter(kept_by=self.source, source__in=self.vanished, latest__sha256=sha256(file))
        file.seek(0)
        name = safe_name(file.name or "")
        document = candidates.filter(name__endswith=PurePath(name).suffix).order_by("pk").first()
        if document is None or library.filter(source=item.source).exists():
            return False
        self.vanished.remove(document.source)
        document.source, document.name, document.folder = item.source, name, safe_folder(item.folder)
        document.save(update_fields=["source", "name", "folder"])
        return True

    def keep(self, document: Document, mark: Mark) -> None:
        """Remember what was fetched, unless another source keeps the document."""
        ours = Document.objects.filter(Q(kept_by=None) | Q(kept_by=self.source), pk=document.pk)
        ours.update(kept_by=self.source, modified=mark.modified, etag=mark.etag)

    def fail(self, name: str, item: Item, error: FootnoteError) -> None:
        """Remember what is wrong with an item, unless that will have passed in a moment."""
        self.wait_for(error)
        if not isinstance(error, TransientError) or not error.retry_after:
            self.report.events.append(Event(Change.FAILED, name, item.source, str(error)))

    def wait_for(self, error: FootnoteError) -> None:
        if isinstance(error, TransientError):
            self.report.retry_after = max(self.report.retry_after, error.retry_after)

    # --- What is there no more --------------------------------------------------------------------

    def retire(self) -> None:
        """Delete what vanished. The source lets go of it: what it still holds on to was removed by somebody."""
        documents = self.source.documents.filter(library=self.source.library, deleted_at=None)
        for document in documents.filter(source__in=self.vanished):
            with transaction.atomic():
                self.lease.write()
                delete(document)
                Document.objects.filter(pk=document.pk).update(kept_by=None)
            self.report.events.append(Event(Change.GONE, document.name, document.source))

    def finish(self) -> None:
        report = self.report
        counted = Counter(event.event for event in report.events)
        now = timezone.now()
        self.source.refresh_from_db(fields=["schedule"])  # It may have been changed meanwhile.
        again = now + timedelta(seconds=min(max(report.retry_after, SOONEST), LATEST)) if report.retry_after else None
        times = filter(None, (self.source.next_after(now), again))
        self.lease.give_back(
            last_run=now,
            next_run=min(times, default=None),
            error=report.error,
            items=report.items,
            added=counted[Change.ADDED],
            changed=counted[Change.CHANGED],
            moved=counted[Change.MOVED],
            gone=counted[Change.GONE],
            failed=counted[Change.FAILED],
            problems=[event.error for event in report.events if event.error][:SENTENCES],
        )
