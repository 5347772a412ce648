"""Pages and files by HTTP, from public addresses only, with caps on their size and time."""

from __future__ import annotations

import tempfile
from asyncio import sleep
from collections.abc import AsyncIterator, Set
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from documents.naming import safe_name
from documents.rag.parsing.recognising import FORMATS, SUFFIXES, TEXT
from documents.sources.addresses import CheckedResolver, checked
from documents.sources.types import Busy, Fetched, Item, Mark, Refused, Unreachable, Vanished

AGENT = "Footnote"
MOST_REDIRECTS = 5
SECONDS = aiohttp.ClientTimeout(total=120, connect=10, sock_read=20)

TRIES, LONGEST_PAUSE = 3, 30.0
"""How often a server that asks to be left alone is asked, where that is for so many seconds at most."""

_REDIRECTS = {301, 302, 303, 307, 308}
_GONE = {404, 410}
_BUSY = {429, 503}
_PIECE = 1 << 16
_HEADERS = {"User-Agent": f"{AGENT} (document library)", "Accept-Encoding": "gzip, deflate"}
_ENDINGS = {kind.media_type: kind.suffixes[0] for kind in FORMATS} | {
    "application/xhtml+xml": ".html",
    "text/xml": ".xml",
    "text/x-markdown": ".md",
    "application/x-pdf": ".pdf",
}
_DEFAULT_PAUSE = 60.0


class Web:
    """Fetches addresses of up to `limit` bytes; an async context manager.

    Cookies aren't kept, and no proxy is used that the environment names.
    """

    def __init__(self, private_hosts: Set[str], limit: int) -> None:
        self.limit = limit
        self._private_hosts = private_hosts

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=CheckedResolver(self._private_hosts)),
            timeout=SECONDS,
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, address: str, known: Mark | None = None) -> Fetched | None:
        """What is at the address; None where it is still as `known`. Raises Vanished, Unreachable or Refused."""
        for _ in range(TRIES - 1):
            try:
                return await self._get(address, known or Mark())
            except Busy as error:
                if error.retry_after > LONGEST_PAUSE:
                    raise
                await sleep(error.retry_after)
        return await self._get(address, known or Mark())

    async def _get(self, address: str, known: Mark) -> Fetched | None:
        url = checked(address, self._private_hosts)
        for _ in range(MOST_REDIRECTS + 1):
            async with self._asked(url, known) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    url = checked(_joined(url, response.headers["Location"]), self._private_hosts)
                    continue
                return await self._taken(url, response)
        raise Unreachable(f"{address} leads on and on: more than {MOST_REDIRECTS} redirects.")

    @asynccontextmanager
    async def _asked(self, url: URL, known: Mark) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.get(url, headers=_conditions(known), allow_redirects=False) as response:
                yield response
        except TimeoutError as error:
            raise Unreachable(f"{url} did not answer in time.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{url} can't be reached: {_reason(error)}.") from error

    async def _taken(self, url: URL, response: aiohttp.ClientResponse) -> Fetched | None:
        if response.status == 304:
            return None
        if response.status in _GONE:
            raise Vanished(f"{url} is not there ({response.status}).")
        if response.status in _BUSY:
            raise Busy(f"{url} asks to be left alone ({response.status}).", retry_after=_pause(response))
        if response.status != 200:
            raise Unreachable(f"{url} answered with an error ({response.status}).")
        file = await self._body(url, response)
        mark = Mark(response.headers.get("Last-Modified", "")[:100], response.headers.get("ETag", "")[:200])
        return Fetched(file_name(url, response.content_type), file, mark, str(url))

    async def _body(self, url: URL, response: aiohttp.ClientResponse) -> BinaryIO:
        """The body in a file that has no name; never more of it than the limit, however well it is packed."""
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            size = 0
            async for piece in response.content.iter_chunked(_PIECE):
                size += len(piece)
                if size > self.limit:
                    raise Refused(f"{url} has more than {self.limit >> 20} MB. Only smaller files are fetched.")
                file.write(piece)
            file.seek(0)
            stack.pop_all()
        return file


def _reason(error: Exception) -> str:
    """In the system's words, not in those of the client, which name its own settings as well."""
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return (isinstance(inner, OSError) and inner.strerror) or str(inner) or type(inner).__name__


def _joined(url: URL, location: str) -> str:
    try:
        return urljoin(str(url), location)
    except ValueError:
        return location


def _conditions(known: Mark) -> dict[str, str]:
    return {
        name: value for name, value in (("If-None-Match", known.etag), ("If-Modified-Since", known.modified)) if value
    }


def _pause(response: aiohttp.ClientResponse) -> float:
    """The seconds for which a server asks to be left alone."""
    asked = response.headers.get("Retry-After", "")
    if asked.isdecimal() and len(asked) < 9:
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return _DEFAULT_PAUSE
    return max((until.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 1.0)


def file_name(url: URL, content_type: str) -> str:
    """The last part of the address, with the ending of what the server says it is."""
    name = safe_name(PurePosixPath(url.path).name or str(url.host))
    ending = _ENDINGS.get(content_type, "")
    now = SUFFIXES.get(PurePosixPath(name).suffix.lower()) if url.path.rstrip("/") else None
    says_enough = now and (not ending or SUFFIXES[ending] == now or content_type == TEXT)
    return name if says_enough else safe_name(name + ending)


def folder_of(address: str) -> str:
    """The host, and the folders on it."""
    url = URL(address)
    return f"{url.host}/{'/'.join(PurePosixPath(url.path).parent.parts[1:])}".rstrip("/")


class WebPage:
    """One page, or file, of the web."""

    at_a_time = 1

    def __init__(self, web: Web, address: str) -> None:
        self._web = web
        self._address = address

    async def items(self) -> list[Item]:
        return [Item(self._address, folder_of(self._address))]

    async def fetch(self, item: Item, known: Mark) -> Fetched | None:
        return await self._web.get(item.source, known)
