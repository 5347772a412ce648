"""Chat models behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

import httpx2
from openai import AsyncOpenAI, BadRequestError, omit
from openai.types import ReasoningEffort
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam

from documents.rag.errors import CannotCallTools, ModelRefused
from documents.rag.remote import Remote
from documents.rag.replies import Reply
from documents.rag.tokens import count_tokens, message_tokens
from documents.rag.tracing import calling
from documents.rag.types import UNKNOWN, ChatMessage, ModelProfile, Piece, Thought, ToolSpec, Usage

_SILENCE = 60.0
"""Seconds: local models may take as long before their first word."""
_LAST_WORDS = 0.1
"""Seconds that an endpoint gets to end its reply after [DONE], so that the connection can be used again."""

_TOOLS = re.compile(r"\b(?:tools?|functions?)\b", re.IGNORECASE)


class ChatModel:
    """A chat model; streams its replies.

    `silence` is how many seconds may pass without a word. The stream is read without the client's own models, which
    cost four times as much a token.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        name: str,
        profile: ModelProfile = UNKNOWN,
        *,
        silence: float = _SILENCE,
    ) -> None:
        self.name = name
        self.profile = profile
        self._remote = Remote(client, name, timeout=silence)
        self._tells_usage = True

    async def stream(self, messages: Sequence[ChatMessage], *, tools: Sequence[ToolSpec] = ()) -> AsyncGenerator[Piece]:
        """The reply in pieces, calls of tools once they are whole, then its usage where the endpoint tells.

        Raises ModelRefused or ModelUnavailable with a sentence for the reader, CannotCallTools where it was offered
        some. Closing the iterator closes the connection, and with it the endpoint's work.
        """
        sent = [(str(message["role"]), len(str(message.get("content") or ""))) for message in messages]
        with calling("chat", self.name, self._remote.host, sent, own=self.profile.own) as call:
            text: list[str] = []
            try:
                async with aclosing(self._replied(messages, tools)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Usage):
                            call.usage = piece
                        elif isinstance(piece, str | Thought):
                            text.append(piece if isinstance(piece, str) else piece.text)
                        yield piece
            finally:
                if text and call.usage == Usage():  # Broken off, or of an endpoint that doesn't count.
                    counted = Usage(message_tokens(messages), count_tokens("".join(text)))
                    call.usage = self.profile.priced(counted)

    async def _replied(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> AsyncGenerator[Piece]:
        response = await self._remote.call(lambda: self._open(messages, tools))
        reply = Reply(self._remote)
        try:
            received = response.aiter_bytes()
            while data := await asyncio.wait_for(anext(received, b""), _LAST_WORDS if reply.done else None):
                for piece in reply.read(data):
                    yield piece
        except (httpx2.RequestError, TimeoutError) as error:
            if not reply.finished:
                raise reply.broken(error) from error
        finally:
            await response.aclose()
        for piece in reply.end():
            yield piece
        if reply.usage:
            yield self.profile.priced(reply.usage)
        reply.check()

    async def _open(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> httpx2.Response:
        try:
            return await self._request(messages, tools)
        except BadRequestError as error:
            if self._tells_usage and "stream_options" in error.message:
                self._tells_usage = False
                return await self._request(messages, tools)
            if tools and _TOOLS.search(error.message):
                raise CannotCallTools(f"{self.name} can't call tools.") from error
            raise

    async def _request(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> httpx2.Response:
        raw = await self._remote.client.chat.completions.with_raw_response.create(
            model=self.name,
            messages=cast("list[ChatCompletionMessageParam]", messages),
            stream=True,
            stream_options={"include_usage": True} if self._tells_usage else omit,
            tools=cast("list[ChatCompletionToolUnionParam]", [_offered(tool) for tool in tools]) if tools else omit,
            reasoning_effort=cast("ReasoningEffort", self.profile.reasoning_effort) or omit,
        )
        return raw.http_response


def _offered(tool: ToolSpec) -> dict[str, object]:
    told = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": told}


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
