"""What every call to an OpenAI-compatible endpoint shares: when it is made again, and what its errors mean."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from functools import cached_property
from math import isfinite
from typing import TypeVar

from aiohttp import ClientConnectionError, ClientError, ClientSession, ClientTimeout
from httpx2 import Request, Response
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, Timeout

from documents.rag.errors import FootnoteError, ModelRefused, ModelUnavailable
from documents.rag.types import Usage

Reply = TypeVar("Reply")

_PASSING = frozenset({408, 409, 425, 429})
"""Statuses below 500 that may be gone at the next try."""
_DETAIL = 300
"""Characters of an endpoint's own words that are shown."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is made again, and how long a wait (seconds) is worth it.

    Waits double from `first_wait`; an endpoint's Retry-After counts where it is longer.
    """

    retries: int
    first_wait: float
    longest_wait: float


SOMEONE_WAITS = Patience(retries=2, first_wait=0.25, longest_wait=3)
IN_THE_BACKGROUND = Patience(retries=4, first_wait=0.5, longest_wait=30)


class Remote:
    """A model at an endpoint: calls it, and turns what goes wrong into a sentence that names both, never the key."""

    def __init__(self, client: AsyncOpenAI, model: str, *, timeout: float) -> None:
        """`timeout` is how many seconds the endpoint may be silent."""
        self.client = client.with_options(max_retries=0, timeout=_timeout(timeout))
        self.model = model
        self.host = client.base_url.netloc.decode()
        self._patient = ClientTimeout(total=None, connect=timeout, sock_connect=min(timeout, 10), sock_read=timeout)
        self._free_at = 0.0

    async def call(self, request: Callable[[], Awaitable[Reply]], patience: Patience = SOMEONE_WAITS) -> Reply:
        """The reply to `request`, made again after 429, 5xx and lost connections, but not after a silence.

        While the endpoint has asked to be left alone no other call is made either, where it has the patience.
        Raises ModelRefused for what would fail again, ModelUnavailable for what may pass; `__cause__` is the client's
        own error.
        """
        retries = 0
        while True:
            await self._until_free(patience)
            try:
                return await request()
            except (APIConnectionError, APIStatusError) as error:
                asked = _retry_after(error)
                wait = max(patience.first_wait * 2**retries, asked)
                if retries == patience.retries or wait > patience.longest_wait or not _may_pass(error):
                    raise self.explained(error) from error
                self._free_at = max(self._free_at, time.monotonic() + asked)
            retries += 1
            await asyncio.sleep(wait)

    async def post(self, session: ClientSession, path: str, content: bytes) -> bytes:
        """The body of the reply, by a straighter way than the client's own, for what is sent many times a second.

        Beside a zero-latency server the client has half the rate. Raises what the client would.
        """
        url = f"{self.client.base_url}{path}"
        try:
            async with session.post(url, data=content, headers=self._headers, timeout=self._patient) as reply:
                body = await reply.read()
        except TimeoutError as error:
            raise APITimeoutError(Request("POST", url)) from error
        except ClientError as error:
            raise APIConnectionError(request=Request("POST", url)) from error
        if reply.status < 400:
            return body
        response = Response(reply.status, headers=list(reply.headers.items()), request=Request("POST", url))
        raise APIStatusError(body.decode(errors="replace"), response=response, body=None)

    @cached_property
    def _headers(self) -> dict[str, str]:
        headers = {**self.client.default_headers, **self.client.auth_headers}
        return {name: value for name, value in headers.items() if isinstance(value, str)}

    async def _until_free(self, patience: Patience) -> None:
        wait = self._free_at - time.monotonic()
        if 0 < wait <= patience.longest_wait:
            await asyncio.sleep(wait)

    def explained(self, error: APIConnectionError | APIStatusError) -> FootnoteError:
        if _was_silent(error):
            return self.silent()
        if isinstance(error, APIConnectionError):
            return ModelUnavailable(
                f"{self.host} can't be reached for {self.model}. Check the address, and that it is running."
            )
        return self._explained_status(error)

    def silent(self) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self.host} did not answer in time for {self.model}. Check that it is running and not overloaded."
        )

    def quoted(self, detail: object) -> str:
        """The endpoint's own words, shortened, without the key in them."""
        words = " ".join(str(detail).split())
        key = self.client.api_key
        return (words.replace(key, "…") if key else words)[:_DETAIL]

    def _explained_status(self, error: APIStatusError) -> FootnoteError:
        status, asked = error.status_code, _retry_after(error)
        if status == 401:
            return ModelRefused(f"{self.host} refused the key for {self.model}. Check the key.")
        if status == 403:
            return ModelRefused(f"{self.host} does not let this key use {self.model}. Choose another model or key.")
        if status == 404:
            return ModelRefused(
                f"{self.host} knows no {self.model} at this address. "
                "Check the model's name, and the address, which usually ends in /v1."
            )
        if status == 429:
            return ModelUnavailable(
                f"{self.host} takes no more requests for {self.model} just now. Wait a minute, or check its limits.",
                retry_after=asked,
            )
        if status >= 500 or status in _PASSING:
            return ModelUnavailable(
                f"{self.host} failed while running {self.model} (HTTP {status}). Try again, or look at its log.",
                retry_after=asked,
            )
        return ModelRefused(
            f"{self.host} refused the request to {self.model} (HTTP {status}): {self.quoted(error.message)} "
            "Check the model's name and its limits."
        )


def told_usage(reply: object) -> Usage:
    """What a reply other than a chat model's says that was read; nothing where it doesn't."""
    told = reply.get("usage") if isinstance(reply, dict) else None
    read = (told.get("prompt_tokens") or told.get("total_tokens")) if isinstance(told, dict) else None
    return Usage(read) if isinstance(read, int) else Usage()


def _timeout(seconds: float) -> Timeout:
    return Timeout(seconds, connect=min(seconds, 10))


def _may_pass(error: APIConnectionError | APIStatusError) -> bool:
    if isinstance(error, APIStatusError):
        return error.status_code >= 500 or error.status_code in _PASSING
    return not _was_silent(error)


def _was_silent(error: APIConnectionError | APIStatusError) -> bool:
    """The transport over aiohttp calls connections that were refused or lost timeouts, too; its cause knows better."""
    if not isinstance(error, APITimeoutError):
        return False
    raised = error.__cause__ and error.__cause__.__cause__
    return isinstance(raised, TimeoutError) or not isinstance(raised, ClientConnectionError)


def _retry_after(error: APIConnectionError | APIStatusError) -> float:
    """Seconds the endpoint asks to wait, which it tells as such, in milliseconds, or as a date; 0 where it doesn't."""
    if not isinstance(error, APIStatusError):
        return 0
    headers = error.response.headers
    told, date = headers.get("retry-after", ""), parsedate_tz(headers.get("retry-after"))
    milliseconds = _number(headers.get("retry-after-ms", ""))
    seconds = milliseconds / 1000 if milliseconds else mktime_tz(date) - time.time() if date else _number(told)
    return max(seconds, 0)


def _number(text: str) -> float:
    """0 for what is none, or not finite."""
    try:
        number = float(text)
    except ValueError:
        return 0
    return number if isfinite(number) else 0
