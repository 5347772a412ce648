"""Erasing for good: ordered in one step, done in many short ones, and told by a receipt once nothing is left to do.

Killed anywhere, it is gone on with by `work_off`: what is still to be erased bears its receipt, and files are listed
before the rows that knew them go, and removed after that is committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from celery import current_app
from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from documents import erasure
from documents.erasure import Lot, StillInUse
from documents.models import Block, Document, ErasedVersion, Library, Receipt, User, Version
from documents.models.document import DocumentQuerySet
from documents.removing import KEPT

PURGE = "documents.tasks.purge"

DOCUMENTS, CHUNKS = 200, 2_000
"""How many are erased in one transaction, about: a second's work."""


# --- Orders -----------------------------------------------------------------------------------


def erase(library: Library, documents: DocumentQuerySet, *, by: User | None = None) -> Receipt:
    """Have removed documents of a library erased, and what they hold. This can't be taken back."""
    with transaction.atomic():
        receipt = Receipt.objects.create(library=library, library_number=library.pk, by=by)
        chosen = list(documents.filter(library=library, deleted_at__isnull=False, receipt=None))
        _mark(Document.objects.filter(pk__in=[document.pk for document in chosen]), receipt)
        _mark(Document.objects.within(*chosen), receipt)
        _send()
    return receipt


def erase_library(library: Library, *, by: User | None = None) -> Receipt:
    """Have a library erased, with all that is in it. This can't be taken back."""
    with transaction.atomic():
        Library.objects.filter(pk=library.pk).update(deleted_at=Coalesce("deleted_at", Now()))
        receipt = Receipt.objects.create(library=library, library_number=library.pk, whole_library=True, by=by)
        _send()
    return receipt


def erase_overdue() -> None:
    """Have erased what was removed so long ago that nobody can restore it any more."""
    overdue = timezone.now() - KEPT
    for library in Library.objects.filter(deleted_at__lt=overdue).exclude(receipts__whole_library=True):
        erase_library(library)
    documents = Document.objects.filter(deleted_at__lt=overdue, receipt=None, library__deleted_at=None)
    for library in Library.objects.filter(pk__in=documents.values("library")):
        erase(library, documents)


def _mark(documents: DocumentQuerySet, receipt: Receipt) -> None:
    documents.filter(receipt=None).update(receipt=receipt, deleted_at=Coalesce("deleted_at", Now()))


def _send() -> None:
    # Where Redis is away, upkeep sends it later.
    transaction.on_commit(lambda: current_app.send_task(PURGE), robust=True)


# --- The work ---------------------------------------------------------------------------------


def unfinished() -> bool:
    return Receipt.objects.filter(finished=None).exists()


def work_off() -> None:
    """Erase all that was ordered to be erased; leaves alone what somebody else is at, and what is still in use."""
    for number in list(Receipt.objects.filter(finished=None).order_by("pk").values_list("pk", flat=True)):
        with suppress(StillInUse):
            while _step(number):
                pass


def _step(number: int) -> bool:
    """Do one transaction's share of a purge; whether there may be more to do."""
    with transaction.atomic():
        receipt = Receipt.objects.select_for_update(skip_locked=True).filter(pk=number, finished=None).first()
        if receipt is None:
            return False
        if receipt.whole_library and receipt.library:
            _mark(receipt.library.documents.all(), receipt)
        if documents := _next_documents(receipt):
            _erase_rows(receipt, documents)
        elif listed := list(receipt.versions.filter(files_removed=False)[:DOCUMENTS]):
            _remove_files(receipt, listed)
        else:
            _finish(receipt)
    return True


def _next_documents(receipt: Receipt) -> list[int]:
    """Some that are still there; what a container holds comes before it."""
    innermost = Document.objects.filter(receipt=receipt).exclude(members__receipt=receipt)
    documents, chunks = [], 0
    sized = _of_one_block(innermost).annotate(chunks=Count("versions__chunks")).order_by("-pk")
    for document, size in sized.values_list("pk", "chunks")[:DOCUMENTS]:
        documents.append(document)
        chunks += size
        if chunks >= CHUNKS:
            break
    return documents


def _of_one_block(documents: DocumentQuerySet) -> DocumentQuerySet:
    """Those in one block of the index, as each cut rewrites a whole block; all of them where the first are in none."""
    first = Version.objects.filter(document__in=list(documents.values_list("pk", flat=True)[:DOCUMENTS]))
    block = Block.objects.filter(versions__overlap=list(first.values_list("pk", flat=True))).order_by("pk").first()
    if block is None:
        return documents
    return documents.filter(pk__in=Version.objects.filter(pk__in=block.versions).values("document"))


def _erase_rows(receipt: Receipt, documents: Sequence[int]) -> None:
    # Whoever is about to cite one of them, or to add to it, comes before this or finds it gone.
    versions = list(Version.objects.select_for_update().filter(document__in=documents).order_by("pk"))
    lot = Lot(documents, [version.pk for version in versions])
    counts = Counter(receipt.erased)
    for rows in erasure.ROWS:
        counts.update(rows.erase(lot))
    counts.update(erasure.erase_documents(lot))
    ErasedVersion.objects.bulk_create(_listed(receipt, version) for version in versions)
    receipt.erased = dict(counts)
    receipt.save(update_fields=["erased"])


def _listed(receipt: Receipt, version: Version) -> ErasedVersion:
    files = [[kind, key, *each.measure(key)] for kind, each in erasure.FILES.items() for key in each.keys(version)]
    return ErasedVersion(
        receipt=receipt,
        document=version.document_id,
        version=version.pk,
        number=version.number,
        sha256=version.sha256,
        files=files,
    )


def _remove_files(receipt: Receipt, versions: Sequence[ErasedVersion]) -> None:
    counts = Counter(receipt.erased)
    for version in versions:
        for kind, key, *before in version.files:
            erasure.FILES[kind].remove(key)
            left = erasure.FILES[kind].measure(key)
            counts[kind] += max(before[0] - left[0], 0)
            counts[f"bytes of {kind}"] += max(before[1] - left[1], 0)
        version.files_removed = True
    ErasedVersion.objects.bulk_update(versions, ["files_removed"])
    receipt.erased = dict(counts)
    receipt.save(update_fields=["erased"])


def _finish(receipt: Receipt) -> None:
    if receipt.whole_library and receipt.library:
        rows = receipt.library.delete()[1]
        receipt.erased = dict(Counter(receipt.erased) + Counter(erasure.by_name(rows)))
        receipt.library = None
    receipt.left = _left(receipt)
    receipt.finished = timezone.now()
    receipt.save()


def _left(receipt: Receipt) -> dict[str, int]:
    """What there still is, of each kind; looked for in every table and place, not reckoned."""
    versions = list(receipt.versions.all())
    lot = Lot(sorted({version.document for version in versions}), [version.version for version in versions])
    left = dict.fromkeys(receipt.erased, 0)
    for rows in erasure.ROWS:
        left.update(rows.left(lot))
    left.update(erasure.documents_left(lot))
    for version in versions:
        for kind, key, *_ in version.files:
            count, size = erasure.FILES[kind].measure(key)
            left[kind] = left.get(kind, 0) + count
            left[f"bytes of {kind}"] = left.get(f"bytes of {kind}", 0) + size
    return left
