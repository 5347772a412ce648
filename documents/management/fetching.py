"""Web pages into a library, once, from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from django.core.files import File
from yarl import URL

from documents import sources
from documents.ingest import receive
from documents.management.finishing import Line
from documents.models import Library, Source, User, Version
from documents.queueing import queue
from documents.rag.errors import FootnoteError
from documents.sources.types import Fetched, Item, Mark
from documents.threads import in_thread


def is_address(path: str) -> bool:
    return path.lower().startswith(("http://", "https://"))


async def fetch(user: User, library: Library, addresses: Sequence[str]) -> list[Version | Line]:
    """The versions that were queued of what is at these addresses, or why they were not."""
    return [result for address in addresses for result in await _fetch(user, library, address)]


async def _fetch(user: User, library: Library, address: str) -> list[Version | Line]:
    kind = Source.Kind.SITEMAP if URL(address).path.endswith((".xml", ".xml.gz")) else Source.Kind.PAGE
    results: list[Version | Line] = []
    try:
        async with sources.opened(kind, address) as origin:
            items = await origin.items()
            for start in range(0, len(items), origin.at_a_time):
                lot = items[start : start + origin.at_a_time]
                fetched = await asyncio.gather(*(origin.fetch(item, Mark()) for item in lot), return_exceptions=True)
                results += await in_thread(_take_in, user, library, list(zip(lot, fetched, strict=True)))
    except FootnoteError as error:
        results.append(_failed(address, error))
    return results


def _take_in(
    user: User, library: Library, fetched: Sequence[tuple[Item, Fetched | BaseException | None]]
) -> list[Version | Line]:
    results: list[Version | Line] = []
    for item, result in fetched:
        try:
            if isinstance(result, BaseException):
                raise result
            assert result is not None  # Nothing was known.
            with result.file as opened:
                file = File(opened, result.name)
                results.append(receive(user, library, file, source=item.source, folder=item.folder).version)
        except FootnoteError as error:
            results.append(_failed(item.source, error))
    queue(result for result in results if isinstance(result, Version))
    return results


def _failed(address: str, error: FootnoteError) -> Line:
    return Line(address, Version.Status.FAILED, error=str(error))
