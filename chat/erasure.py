"""What was quoted of documents, when they are erased: the footnote's number, place and hash stay, its words go.

An answer that began before they were removed may still come to quote them: their erasing waits for its end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Set
from datetime import timedelta

from django.db.models import Max, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chat.live import forget, remembered
from chat.models import Citation, Claim, Message, Prompt
from chat.relay import KEPT
from documents.erasure import ROWS, Counts, Lot, Rows, StillInUse
from documents.models import Document
from documents.rag.conflicts import tells_of_conflict

ERASED = "“…”"
"""What stands for a quotation that was erased."""

_STORED = timedelta(seconds=5)
"""How long an answer may have looked for passages before its beginning is stored."""

_HOW_FOUND: dict[str, object] = {"steps": [], "thinking": "", "trace": {}}
"""What tells how an answer was found, names and words of its documents among it, without any of that."""

_MARKER = re.compile(r"\[(\d+)\]")


def erase(lot: Lot) -> Counts:
    broken_off = _broken_off(lot)
    cited = Citation.objects.filter(document__in=lot.documents, erased_at=None)
    _erase_from_texts(cited.filter(message__quoted=True))
    _erase_from_claims(cited)
    rested = Message.objects.filter(documents__overlap=lot.documents)
    answers = {*broken_off, *cited.values_list("message", flat=True), *rested.values_list("pk", flat=True)}
    rested.update(**_HOW_FOUND)
    _erase_from_notices(rested)
    Prompt.objects.filter(message__in=rested).delete()
    return {"quotations": cited.update(title="", heading="", quote="", erased_at=Now()), "event logs": forget(answers)}


def left(lot: Lot) -> Counts:
    """Quotations whose document is gone could be anybody's: none may be there, nor events of their answers."""
    quoted = Citation.objects.filter(document=None).exclude(title="", heading="", quote="")
    since = timezone.now() - timedelta(seconds=KEPT)
    erased = Citation.objects.filter(message__created__gt=since).exclude(erased_at=None)
    rested = Message.objects.filter(documents__overlap=lot.documents)
    told = rested.exclude(prompt=None, **_HOW_FOUND)
    return {
        "quotations": quoted.count() + told.count(),
        "event logs": remembered(set(erased.values_list("message", flat=True))),
    }


def _broken_off(lot: Lot) -> list[int]:
    """Answers that might have quoted the documents, and whose writer is gone. Raises StillInUse where one is not."""
    removed = Document.objects.filter(pk__in=lot.documents).aggregate(last=Max("deleted_at"))["last"]
    if removed is None:
        return []
    unended = Message.objects.filter(status=Message.Status.STREAMING, created__lt=removed + _STORED)
    if unended.filter(lease_until__gt=timezone.now()).exists():
        raise StillInUse
    return list(unended.values_list("pk", flat=True))


def _erase_from_texts(cited: QuerySet[Citation]) -> None:
    """Of answers that consist of quotations, take out those."""
    numbers: dict[int, set[int]] = defaultdict(set)
    for answer, number in cited.values_list("message", "number"):
        numbers[answer].add(number)
    messages = Message.objects.in_bulk(numbers)
    for message in messages.values():
        message.text = without_quotations(message.text, numbers[message.pk])
    Message.objects.bulk_update(messages.values(), ["text"])


def _erase_from_notices(rested: QuerySet[Message]) -> None:
    """That they differ from others, which quotes them."""
    told = [message for message in rested.exclude(notices=[]) if any(map(tells_of_conflict, message.notices))]
    for message in told:
        message.notices = [notice for notice in message.notices if not tells_of_conflict(notice)]
    Message.objects.bulk_update(told, ["notices"])


def _erase_from_claims(cited: QuerySet[Citation]) -> None:
    """Of what was said with the footnotes, whatever the sources say of it; of quotations, which are gone, all."""
    checked = Claim.objects.filter(message__in=cited.values("message"))
    checked.filter(message__quoted=True).delete()
    checked.update(reason="")


def without_quotations(text: str, numbers: Set[int]) -> str:
    """An answer that consists of quotations, without those of the footnotes with these numbers."""
    return "\n\n".join(_erased(paragraph, numbers) for paragraph in text.split("\n\n"))


def _erased(paragraph: str, numbers: Set[int]) -> str:
    markers = [int(marker) for marker in _MARKER.findall(paragraph)]
    return f"{ERASED} {''.join(f'[{marker}]' for marker in markers)}" if numbers & set(markers) else paragraph


ROWS.append(Rows(erase, left))
