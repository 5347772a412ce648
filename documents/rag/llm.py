"""Chat models behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, cast

import httpx2
from openai import AsyncOpenAI, BadRequestError, omit
from openai.types.chat import ChatCompletionMessageParam

from documents.rag.errors import ModelRefused, ModelUnavailable
from documents.rag.remote import Remote
from documents.rag.types import Usage

_SILENCE = 60.0
"""Seconds: local models may take as long before their first word."""
_LAST_WORDS = 0.1
"""Seconds that an endpoint gets to end its reply after [DONE], so that the connection can be used again."""


class ChatModel:
    """A chat model; streams its replies.

    `silence` is how many seconds may pass without a word. The stream is read without the client's own models, which
    cost four times as much a token.
    """

    def __init__(self, client: AsyncOpenAI, name: str, *, silence: float = _SILENCE) -> None:
        self.name = name
        self._remote = Remote(client, name, timeout=silence)
        self._tells_usage = True

    async def stream(self, messages: Sequence[Mapping[str, str]]) -> AsyncIterator[str | Usage]:
        """The reply's text in pieces, then its usage where the endpoint tells.

        Raises ModelRefused or ModelUnavailable with a sentence for the reader. Closing the iterator closes the
        connection, and with it the endpoint's work.
        """
        response = await self._remote.call(lambda: self._open(messages))
        reply = _Reply(self._remote)
        try:
            received = response.aiter_bytes()
            while data := await asyncio.wait_for(anext(received, b""), _LAST_WORDS if reply.done else None):
                for text in reply.read(data):
                    yield text
        except (httpx2.RequestError, TimeoutError) as error:
            if not reply.finished:
                raise reply.broken(error) from error
        finally:
            await response.aclose()
        if not reply.finished or not reply.started:
            raise reply.broken()
        if reply.usage:
            yield reply.usage

    async def _open(self, messages: Sequence[Mapping[str, str]]) -> httpx2.Response:
        try:
            return await self._request(messages)
        except BadRequestError as error:
            if not self._tells_usage or "stream_options" not in error.message:
                raise
            self._tells_usage = False
            return await self._request(messages)

    async def _request(self, messages: Sequence[Mapping[str, str]]) -> httpx2.Response:
        raw = await self._remote.client.chat.completions.with_raw_response.create(
            model=self.name,
            messages=cast("list[ChatCompletionMessageParam]", messages),
            stream=True,
            stream_options={"include_usage": True} if self._tells_usage else omit,
        )
        return raw.http_response


class _Reply:
    """Reads a reply's server-sent events as their bytes come in.

    `started`: there was text; `finished`: the model said that it was; `done`: nothing more will come.
    """

    def __init__(self, remote: Remote) -> None:
        self.started = self.finished = self.done = False
        self.usage: Usage | None = None
        self._remote = remote
        self._rest = b""

    def read(self, data: bytes) -> Iterator[str]:
        """The pieces of text that are complete with `data`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and (text := self._text(line[5:].strip())):
                self.started = True
                yield text

    def _text(self, event: bytes) -> str:
        if event == b"[DONE]":
            self.finished = self.done = True
            return ""
        try:
            value = json.loads(event)
            if value.get("error"):
                raise self._failed(value["error"])
            if usage := value.get("usage"):
                self.usage = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
            return self._text_of(value.get("choices") or ())
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise self.broken() from error

    def _text_of(self, choices: Sequence[Any]) -> str:
        """What the model thinks before it writes comes in other fields, and isn't read."""
        text = ""
        for choice in choices[:1]:
            self.finished = self.finished or bool(choice.get("finish_reason"))
            text = (choice.get("delta") or {}).get("content") or ""
        return text

    def _failed(self, error: object) -> ModelUnavailable:
        detail = error.get("message", error) if isinstance(error, dict) else error
        return ModelUnavailable(
            f"{self._remote.host} failed while {self._remote.model} was answering: {self._remote.quoted(detail)}"
        )

    def broken(self, error: Exception | None = None) -> ModelUnavailable:
        """Why there is no whole reply."""
        if self.started:
            return ModelUnavailable("The model stopped in the middle of its answer. Ask again.")
        if isinstance(error, httpx2.ReadTimeout):
            return self._remote.silent()
        return ModelUnavailable(
            f"{self._remote.host} sent no answer from {self._remote.model}. "
            "Check that the model can chat, and look at the endpoint's log."
        )


async def list_models(client: AsyncOpenAI) -> list[str]:
    """The names of the endpoint's models, sorted. Raises ModelRefused or ModelUnavailable."""
    remote = Remote(client, "its list of models", timeout=10)
    raw = await remote.call(remote.client.models.with_raw_response.list)
    try:
        return sorted(str(model["id"]) for model in json.loads(raw.content)["data"])
    except (ValueError, TypeError, KeyError) as error:
        raise ModelRefused(
            f"{remote.host} does not list models as an OpenAI-compatible endpoint does. "
            "Check the address, which usually ends in /v1."
        ) from error
