"""The pages that a sitemap lists (sitemaps.org, 0.9), those on its own host, as far as its robots.txt lets us."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO
from urllib.robotparser import RobotFileParser

from lxml import etree
from yarl import URL

from documents.sources.types import Fetched, Item, Mark, Unreachable, Vanished
from documents.sources.web import AGENT, Web, folder_of

MOST_PAGES, MOST_SITEMAPS = 10_000, 200
MOST_BYTES = 50 << 20
"""Of one sitemap, unpacked: the protocol's own limit."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class _Entry:
    address: str
    modified: str
    is_sitemap: bool


class Sitemap:
    """All pages of a sitemap, or of those that an index lists."""

    at_a_time = 3

    def __init__(self, web: Web, address: str) -> None:
        self._web = web
        self._address = address
        self._listed: frozenset[URL] = frozenset()

    async def items(self) -> list[Item]:
        robots = await self._robots()
        found: dict[str, Item] = {}
        seen, waiting = {self._address}, deque([self._address])
        while waiting and len(found) < MOST_PAGES:
            for entry in await self._entries(waiting.popleft()):
                if not self._is_ours(entry.address):
                    continue
                if not entry.is_sitemap:
                    if robots.can_fetch(AGENT, entry.address):
                        found[entry.address] = Item(entry.address, folder_of(entry.address), entry.modified)
                elif entry.address not in seen and len(seen) < MOST_SITEMAPS:
                    seen.add(entry.address)
                    waiting.append(entry.address)
        items = list(found.values())[:MOST_PAGES]
        self._listed = frozenset(URL(item.source) for item in items)
        return items

    async def fetch(self, item: Item, known: Mark) -> Fetched | None:
        """Not even asked for where the sitemap says that it is as before."""
        if not item.modified:
            return self._once(item, await self._web.get(item.source, known))
        if item.modified == known.modified:
            return None
        fetched = self._once(item, await self._web.get(item.source, Mark(etag=known.etag)))
        return fetched and replace(fetched, mark=replace(fetched.mark, modified=item.modified))

    def _once(self, item: Item, fetched: Fetched | None) -> Fetched | None:
        """What was fetched, unless its address leads to another page of the sitemap. Raises Vanished."""
        if fetched and (led_to := URL(fetched.address)) in self._listed and led_to != URL(item.source):
            fetched.file.close()
            raise Vanished(f"{item.source} leads to {led_to}, which the sitemap lists as well.")
        return fetched

    def _is_ours(self, address: str) -> bool:
        try:
            return URL(address).host == URL(self._address).host and len(address) <= 1000
        except ValueError:
            return False

    async def _robots(self) -> RobotFileParser:
        """What the host lets us fetch: all where it has no robots.txt."""
        robots = RobotFileParser()
        try:
            text = (await self._read(str(URL(self._address).origin() / "robots.txt"))).decode("utf-8", "replace")
        except Vanished:
            text = ""
        robots.parse(text.splitlines())
        return robots

    async def _entries(self, address: str) -> list[_Entry]:
        data = await self._read(address)
        try:
            return await asyncio.to_thread(lambda: list(_listed(data)))
        except etree.LxmlError as error:
            raise Unreachable(f"{address} is no sitemap: it isn't well-formed XML. Nothing was removed.") from error

    async def _read(self, address: str) -> bytes:
        fetched = await self._web.get(address)
        assert fetched is not None  # No condition was set.
        with fetched.file as file:
            return await asyncio.to_thread(_unpacked, file, address)


def _unpacked(file: BinaryIO, address: str) -> bytes:
    packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    try:
        data = (gzip.GzipFile(fileobj=file) if packed else file).read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreachable(f"{address} is damaged. Nothing was removed.") from error
    if len(data) > MOST_BYTES:
        raise Unreachable(f"{address} has more than {MOST_BYTES >> 20} MB. Nothing was removed.")
    return data


def _listed(data: bytes) -> Iterator[_Entry]:
    """The pages and sitemaps of a sitemap; no entity is expanded, no DTD loaded."""
    options = {"load_dtd": False, "no_network": True, "resolve_entities": False, "remove_comments": True}
    for number, (_, element) in enumerate(etree.iterparse(BytesIO(data), events=("end",), **options)):
        kind = etree.QName(element).localname
        if kind not in ("url", "sitemap"):
            continue
        fields = {etree.QName(child).localname: (child.text or "").strip() for child in element.iterchildren("{*}*")}
        if fields.get("loc"):
            yield _Entry(fields["loc"], fields.get("lastmod", "")[:100], kind == "sitemap")
        element.clear()
        if number > 10 * MOST_PAGES:
            return
