"""What was quoted of documents, when they are erased: the footnote's number, place and hash stay, its words go."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Set

from django.db.models import QuerySet
from django.db.models.functions import Now

from chat.models import Citation, Message
from documents.erasure import ROWS, Counts, Lot, Rows

ERASED = "“…”"
"""What stands for a quotation that was erased."""

_MARKER = re.compile(r"\[(\d+)\]")


def erase(lot: Lot) -> Counts:
    cited = Citation.objects.filter(document__in=lot.documents, erased_at=None)
    _erase_from_texts(cited.filter(message__quoted=True))
    return {"quotations": cited.update(title="", heading="", quote="", erased_at=Now())}


def left(lot: Lot) -> Counts:
    """Quotations whose document is gone could be anybody's: none may be there."""
    return {"quotations": Citation.objects.filter(document=None).exclude(title="", heading="", quote="").count()}


def _erase_from_texts(cited: QuerySet[Citation]) -> None:
    """Of answers that consist of quotations, take out those."""
    numbers: dict[int, set[int]] = defaultdict(set)
    for answer, number in cited.values_list("message", "number"):
        numbers[answer].add(number)
    messages = Message.objects.in_bulk(numbers)
    for message in messages.values():
        message.text = without_quotations(message.text, numbers[message.pk])
    Message.objects.bulk_update(messages.values(), ["text"])


def without_quotations(text: str, numbers: Set[int]) -> str:
    """An answer that consists of quotations, without those of the footnotes with these numbers."""
    return "\n\n".join(_erased(paragraph, numbers) for paragraph in text.split("\n\n"))


def _erased(paragraph: str, numbers: Set[int]) -> str:
    markers = [int(marker) for marker in _MARKER.findall(paragraph)]
    return f"{ERASED} {''.join(f'[{marker}]' for marker in markers)}" if numbers & set(markers) else paragraph


ROWS.append(Rows(erase, left))
