"""What an archive or an e-mail holds: documents of their own, kept in step with it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Count, Q, Sum

from documents.ingest import Outcome, Received, delete, receive
from documents.leases import Lease
from documents.models import Document, Version
from documents.models.document import DEPTH
from documents.queueing import queue
from documents.rag.errors import PermanentError, UnreadableDocument
from documents.rag.parsing.members import Member, Room
from documents.rag.parsing.recognising import CONTAINERS, ZIP
from documents.rag.parsing.unpacking import unpack
from documents.threads import in_thread

FILES, SIZES = 50_000, 10
"""What is taken out of a container and those in it: files, and how many times the size of the largest upload."""

SENTENCES = 1000
"""How many are kept of those that say why a file was left out."""

_LOT = 64


async def take_in(lease: Lease, version: Version) -> None:
    """Make what a container holds documents, and remove those that it holds no more.

    A file that is the same as before is left as it is. Raises UnreadableDocument where the container can't be
    unpacked, or nothing in an archive is taken in.
    """
    if version.media_type not in CONTAINERS:
        return
    room = await in_thread(_room, version.document)
    taking = _Taking(lease, version)
    if room is None:
        taking.left_out = [f"What is in {version.document.name} was left out: it lies {DEPTH} containers deep."]
    else:
        with TemporaryDirectory(prefix="footnote-") as into:
            opened = unpack(Path(version.file.path), version.media_type, Path(into), room, name=version.document.name)
            async with aclosing(opened) as members:
                async for lot in _lots(members):
                    await in_thread(taking.take, lot)
    await in_thread(taking.finish)


async def _lots(members: AsyncIterator[Member]) -> AsyncIterator[list[Member]]:
    lot: list[Member] = []
    async for member in members:
        lot.append(member)
        if len(lot) == _LOT or member.number == member.count:
            yield lot
            lot = []
    if lot:
        yield lot


def _room(document: Document) -> Room | None:
    """What may still be taken out of the outermost container that the document is in; None where it lies too deep."""
    outermost, depth = document, 1
    while outermost.container is not None:
        outermost, depth = outermost.container, depth + 1
    if depth > DEPTH:
        return None
    largest = settings.MAX_UPLOAD_MB << 20
    beside = Document.objects.within(outermost).exclude(Q(container=document) | ~Q(deleted_at=None))
    used = beside.aggregate(files=Count("pk"), bytes=Sum("latest__bytes", default=0))
    return Room(max(FILES - used["files"], 0), max(SIZES * largest - used["bytes"], 0), largest)


class _Taking:
    """The members of a container on their way into its library."""

    def __init__(self, lease: Lease, version: Version) -> None:
        self.lease = lease
        self.version = version
        self.document = version.document
        self.taken: set[int] = set()
        self.left_out: list[str] = []

    def take(self, members: Sequence[Member]) -> None:
        """Take some in, as long as the container is wanted. Raises LeaseLost."""
        received: list[Received] = []
        try:
            with transaction.atomic():
                self.lease.write()
                received.extend(self._received(members))
        except BaseException:
            _discard(received)
            raise
        self.taken.update(each.version.document_id for each in received)
        queue(each.version for each in received)

    def _received(self, members: Iterable[Member]) -> Iterable[Received]:
        for member in members:
            if member.error:
                self.left_out.append(member.error)
                continue
            try:
                yield self._receive(member)
            except PermanentError as error:
                self.left_out.append(str(error))
            finally:
                os.unlink(member.file)

    def _receive(self, member: Member) -> Received:
        path = PurePosixPath(member.path)
        with open(member.file, "rb") as opened:
            return receive(
                self.document.created_by,
                self.document.library,
                File(opened, path.name),
                source=f"member:{self.document.pk}:{member.path}",
                folder="/".join(path.parts[:-1]),
                container=self.document,
            )

    def finish(self) -> None:
        """Remove the members that aren't there any more; keep what is to be said of the others."""
        name = self.document.name
        if self.version.media_type == ZIP and not self.taken:
            raise UnreadableDocument(f"There is nothing in {name} that Footnote reads. {' '.join(self.left_out[:3])}")
        with transaction.atomic():
            self.lease.write()
            self.version.left_out = self.left_out[:SENTENCES]
            self.version.save(update_fields=["left_out"])
            for vanished in self.document.members.filter(deleted_at=None).exclude(pk__in=self.taken):
                delete(vanished)


def _discard(received: Iterable[Received]) -> None:
    """Remove the files that were kept for what was not committed."""
    for each in received:
        if each.outcome in (Outcome.ADDED, Outcome.NEW_VERSION):
            each.version.file.delete(save=False)
