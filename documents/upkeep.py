"""What keeps the index quick, beside what is asked for."""

from __future__ import annotations

from django.db.models import Count

from documents import wiring
from documents.blocks import FANOUT, merge
from documents.models import Block
from documents.threads import in_thread


async def merge_blocks() -> None:
    """Merge small blocks of postings, which many small uploads leave behind."""
    for library_id in await in_thread(_libraries_of_many_blocks):
        await merge(wiring.current().pool, library_id)


def _libraries_of_many_blocks() -> list[int]:
    counted = Block.objects.values("library").annotate(blocks=Count("pk")).filter(blocks__gte=FANOUT)
    return list(counted.values_list("library", flat=True))
