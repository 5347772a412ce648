"""What keeps the index quick, beside what is asked for."""

from __future__ import annotations

import time

from django.db.models import Count

from documents import reanalysis, wiring
from documents.blocks import FANOUT, merge
from documents.models import Block
from documents.threads import in_thread

RENEWING = 5.0
"""Seconds after which no further block is renewed; of what is left the next upkeep renews more."""


async def merge_blocks() -> None:
    """Merge small blocks of postings, which many small uploads leave behind."""
    for library_id in await in_thread(_libraries_of_many_blocks):
        await merge(wiring.current().pool, library_id)


async def renew_blocks() -> None:
    """Make some of the postings anew that an older analysis made, as long as that takes no more than some seconds."""
    until = time.monotonic() + RENEWING
    for library in await in_thread(reanalysis.libraries):
        while time.monotonic() < until and await reanalysis.renew_block(wiring.current().pool, library):
            pass


def _libraries_of_many_blocks() -> list[int]:
    counted = Block.objects.values("library").annotate(blocks=Count("pk")).filter(blocks__gte=FANOUT)
    return list(counted.values_list("library", flat=True))
