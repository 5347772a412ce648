"""What a chat endpoint streams, read as it comes in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from documents.rag.errors import ModelRefused, ModelUnavailable
from documents.rag.remote import Remote
from documents.rag.types import Piece, Thought, ToolCall, Usage

_OPEN, _CLOSE = "<think>", "</think>"


@dataclass(slots=True)
class _Call:
    """A call of a tool that is still being written."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class Reply:
    """Reads a reply's server-sent events as their bytes come in.

    `started`: there was text, or a call of a tool; `finished`: the model said that it was; `done`: nothing more will
    come. What the model thinks comes in a field of its own, or between tags before the text.
    """

    def __init__(self, remote: Remote) -> None:
        self.started = self.finished = self.done = False
        self.usage: Usage | None = None
        self._remote = remote
        self._rest = b""
        self._calls: dict[int, _Call] = {}
        self._thoughts = _Thoughts()
        self._why = ""

    def read(self, data: bytes) -> Iterator[Piece]:
        """The pieces that are complete with `data`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                for piece in self._pieces(line[5:].strip()):
                    self.started = self.started or (isinstance(piece, str) and bool(piece))
                    yield piece

    def end(self) -> Iterator[Piece]:
        """What is left once the connection has ended."""
        for piece in self._thoughts.end():
            self.started = self.started or isinstance(piece, str)
            yield piece
        for at, call in sorted(self._calls.items()):
            self.started = True
            yield ToolCall(call.id or f"call_{at}", call.name, call.arguments)

    def check(self) -> None:
        """Raises ModelUnavailable where the reply isn't whole."""
        if not self.finished or not (self.started or self._why == "length"):
            raise self.broken()
        if self._why == "length":
            said = "in the middle of its answer" if self.started else "before it had written any"
            raise ModelUnavailable(
                f"{self._remote.model} came to its limit of tokens {said}. Ask for less at a time, or raise the limit."
            )

    def _pieces(self, event: bytes) -> Sequence[Piece]:
        if event == b"[DONE]":
            self.finished = self.done = True
            return ()
        try:
            value = json.loads(event)
            if value.get("error"):
                raise self._failed(value["error"])
            if usage := value.get("usage"):
                self.usage = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
            return [piece for choice in (value.get("choices") or ())[:1] for piece in self._pieces_of(choice)]
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            raise self.broken() from error

    def _pieces_of(self, choice: Mapping[str, Any]) -> Iterator[Piece]:
        delta = choice.get("delta") or {}
        self.finished = self.finished or bool(choice.get("finish_reason"))
        self._why = choice.get("finish_reason") or self._why
        if refusal := delta.get("refusal"):
            raise ModelRefused(f"{self._remote.model} declined to answer: {self._remote.quoted(refusal)}")
        if self._why == "content_filter":
            raise ModelRefused(
                f"{self._remote.host} held back the answer of {self._remote.model} by its content filter."
            )
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            yield Thought(str(thought))
        yield from self._thoughts.read(delta.get("content") or "")
        for at, told in enumerate(delta.get("tool_calls") or ()):
            self._add(told.get("index", at), told)

    def _add(self, at: int, told: Mapping[str, Any]) -> None:
        """A fragment of a call; some servers send the name again with each."""
        call, function = self._calls.setdefault(at, _Call()), told.get("function") or {}
        call.id = call.id or told.get("id") or ""
        call.name = call.name or function.get("name") or ""
        call.arguments += function.get("arguments") or ""

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


class _Thoughts:
    """Tells what stands between <think> and </think> at a text's beginning from the text."""

    def __init__(self) -> None:
        self._held = ""
        self._thinks: bool | None = None

    def read(self, text: str) -> Iterator[str | Thought]:
        if self._thinks is False:
            if text:
                yield text
            return
        self._held += text
        if self._thinks is None and self._held.strip():
            begun = self._held.lstrip()
            if not _OPEN.startswith(begun[: len(_OPEN)]):
                self._thinks = False
                yield from self._all()
            elif begun.startswith(_OPEN):
                self._thinks, self._held = True, begun.removeprefix(_OPEN)
        if self._thinks:
            yield from self._thinking()

    def end(self) -> Iterator[str | Thought]:
        """What was held back, as a tag might have come."""
        held, self._held = self._held, ""
        if held:
            yield Thought(held) if self._thinks else held

    def _thinking(self) -> Iterator[str | Thought]:
        thought, closed, text = self._held.partition(_CLOSE)
        if closed:
            self._thinks, self._held = False, ""
            yield Thought(thought)
            if text.lstrip():
                yield text.lstrip()
            return
        sure = len(self._held) - len(_CLOSE)
        if sure > 0:
            thought, self._held = self._held[:sure], self._held[sure:]
            yield Thought(thought)

    def _all(self) -> Iterator[str]:
        held, self._held = self._held, ""
        yield held
