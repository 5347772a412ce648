"""A scripted OpenAI-compatible server on loopback: `python -m tests.openai_server --port 8100`.

A test queues replies, holds them at gates instead of sleeping, and reads what was asked. Another process does the same
by POST /control/queue (a Reply as JSON), POST /control/release?GATE and GET /control/history.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import socket
import threading
import zlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
import uvicorn
from numpy.typing import NDArray

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CHAT, EMBEDDINGS, LIST, RERANK = "/v1/chat/completions", "/v1/embeddings", "/v1/models", "/v1/rerank"
MODELS = ("scripted-chat", "scripted-embedding")
DIMENSIONS = 384
OTHERS = {"scripted-small": 64, "scripted-large": 1536, "scripted-huge": 4096, "Qwen3-Embedding-8B": 4096}
"""Embedding models beside that of MODELS, and the numbers in their vectors."""
NO_SOURCES = "I could not find this in the documents."

_SOURCE = re.compile(r"^\[(\d+)\] \[Source: [^\n]*\]\n(.*?)(?=^\[\d+\] \[Source: |^===|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """How the next request to `path` is answered; the places `…_at` count words of a streamed text (else, hold at 0).

    `text` is the answer, None for the default, which quotes the question's sources. `delay`: seconds before each word.
    `hang`: no answer at all. `hold_at`: wait there until `gate` is released. `cut_at`: the connection is lost there.
    `garbage_at`, `error_at`: what is no event, or an error, comes there. `raw`: this body instead. `calls` of tools are
    (name, arguments), all begun before one is ended, instead of a text; `reasoning` comes in the field `thinks_in`.
    """

    text: str | None = None
    path: str = CHAT
    status: int = 200
    message: str = "scripted error"
    retry_after: float | str | None = None
    delay: float = 0
    hang: bool = False
    gate: str = "gate"
    hold_at: int | None = None
    cut_at: int | None = None
    garbage_at: int | None = None
    error_at: int | None = None
    reasoning: str = ""
    thinks_in: str = "reasoning_content"
    calls: Sequence[Sequence[str]] = ()
    finish: str = "stop"
    refusal: str = ""
    usage: bool = True
    raw: str | None = None


@dataclass(slots=True)
class Request:
    """What was asked; `gone` is set when the client hung up before its answer was whole, `held` at a gate."""

    path: str
    body: dict[str, Any]
    key: str = ""
    peer: tuple[str, int] | None = None
    held: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)


class Lost(Exception):
    """The connection is gone, by script or because the client hung up."""


class OpenAIServer:
    """The server; in a `with` block it runs in a thread of its own. With a `key`, others are refused."""

    def __init__(self, port: int = 0, *, key: str = "") -> None:
        self.history: list[Request] = []
        self._key = key
        self._replies: defaultdict[str, deque[Reply]] = defaultdict(deque)
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._came = threading.Condition()
        self._ready = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", port))
        self._server = uvicorn.Server(uvicorn.Config(self, log_level="critical", lifespan="off", ws="none"))
        self._thread = threading.Thread(target=self.serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def queue(self, *replies: Reply) -> None:
        for reply in replies:
            self._replies[reply.path].append(reply)

    def forget(self) -> None:
        """Drop the replies that nobody came for."""
        self._replies.clear()

    def release(self, gate: str = "gate") -> None:
        """Let go on what is held at `gate`, now or later."""
        self._loop.call_soon_threadsafe(lambda: self._gates[gate].set())

    def requests(self, path: str = CHAT) -> list[Request]:
        return [request for request in self.history if request.path == path]

    def wait_for_request(self, number: int = 1, path: str = CHAT, *, timeout: float = 30) -> Request:
        """The `number`th request to `path` (1-based), once it came."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.requests(path)) >= number, timeout)
        return self.requests(path)[number - 1]

    def serve(self) -> None:
        """Serve in this thread until told to stop."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._server.serve(sockets=[self._socket])

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    # --- Answering --------------------------------------------------------------------------------

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        path, content = scope["path"], await _content(receive)
        if path.startswith("/control/"):
            await _send_json(send, self._control(path, scope["query_string"].decode(), content))
            return
        headers = dict(scope["headers"])
        key = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        request = Request(path, json.loads(content or "{}"), key, scope["client"])
        with self._came:
            self.history.append(request)
            self._came.notify_all()
        await _until_gone(request, receive, self._answer(request, send))

    def _control(self, path: str, query: str, content: bytes) -> object:
        if path == "/control/queue":
            self.queue(Reply(**json.loads(content)))
        elif path == "/control/release":
            self.release(query or "gate")
        return [
            {"path": request.path, "body": request.body, "held": request.held.is_set(), "gone": request.gone.is_set()}
            for request in self.history
        ]

    async def _answer(self, request: Request, send: Send) -> None:
        queued = self._replies[request.path]
        reply = queued.popleft() if queued else Reply()
        if reply.hang:
            await asyncio.Event().wait()
        if self._key and request.key != self._key:
            await _send_error(send, Reply(status=401, message=f"Incorrect API key provided: {request.key}"))
        elif reply.status != 200:
            await _send_error(send, reply)
        elif reply.raw is not None:
            await _send(send, reply.raw.encode())
        elif request.path == CHAT and request.body.get("stream"):
            await self._stream(request, reply, send)
        else:
            if reply.hold_at is not None:
                await self._hold(request, reply)
            await _send_json(send, _whole(request, reply))

    async def _hold(self, request: Request, reply: Reply) -> None:
        request.held.set()
        await self._gates[reply.gate].wait()

    async def _stream(self, request: Request, reply: Reply, send: Send) -> None:
        await send(_start(200, "text/event-stream"))
        if reply.reasoning:
            await _send_event(send, {"choices": [{"delta": {"role": "assistant", "content": None}}]})
            await _send_event(send, {"choices": [{"delta": {reply.thinks_in: reply.reasoning}}]})
        for fragment in _fragments(reply.calls):
            await _send_event(send, {"choices": [{"index": 0, "delta": {"tool_calls": [fragment]}}]})
        if reply.refusal:
            await _send_event(send, {"choices": [{"index": 0, "delta": {"refusal": reply.refusal}}]})
        text = "" if reply.calls or reply.refusal else _text(request, reply)
        for place, word in enumerate(re.findall(r"\s*\S+\s*", text)):
            await self._before_word(place, request, reply, send)
            await _send_event(send, {"choices": [{"index": 0, "delta": {"content": word}}]})
        await _send_event(send, {"choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}]})
        if reply.usage and request.body.get("stream_options", {}).get("include_usage"):
            await _send_event(send, {"choices": [], "usage": _usage(request, reply)})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    async def _before_word(self, place: int, request: Request, reply: Reply, send: Send) -> None:
        if place == reply.hold_at:
            await self._hold(request, reply)
        if place == reply.garbage_at:
            await send({"type": "http.response.body", "body": b"data: <html>\xff\n\n", "more_body": True})
        if place == reply.error_at:
            await _send_event(send, {"error": {"message": reply.message}})
        if place == reply.cut_at:
            raise Lost
        await asyncio.sleep(reply.delay)


async def _until_gone(request: Request, receive: Receive, answer: Coroutine[Any, Any, None]) -> None:
    """Run `answer`, but not on after the client has hung up."""
    answering, gone = asyncio.create_task(answer), asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
        else:
            request.gone.set()
    finally:
        answering.cancel()
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _content(receive: Receive) -> bytes:
    content, more = b"", True
    while more:
        message = await receive()
        content, more = content + message.get("body", b""), message.get("more_body", False)
    return content


# --- What is sent -----------------------------------------------------------------------------


def _start(status: int, content_type: str, *more: tuple[bytes, bytes]) -> dict[str, Any]:
    headers = [(b"content-type", content_type.encode()), *more]
    return {"type": "http.response.start", "status": status, "headers": headers}


async def _send(send: Send, content: bytes, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    await send(_start(status, "application/json", (b"content-length", str(len(content)).encode()), *headers))
    await send({"type": "http.response.body", "body": content})


async def _send_json(send: Send, value: object) -> None:
    await _send(send, json.dumps(value).encode())


async def _send_error(send: Send, reply: Reply) -> None:
    wait = [] if reply.retry_after is None else [(b"retry-after", str(reply.retry_after).encode())]
    await _send(send, json.dumps({"error": {"message": reply.message}}).encode(), reply.status, *wait)


async def _send_event(send: Send, value: object) -> None:
    await send({"type": "http.response.body", "body": f"data: {json.dumps(value)}\n\n".encode(), "more_body": True})


def _whole(request: Request, reply: Reply) -> object:
    """The answer to a request that isn't streamed."""
    if request.path == LIST:
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in MODELS]}
    if request.path == EMBEDDINGS:
        return {"object": "list", "data": list(_embeddings(request.body)), "usage": _read(request.body["input"])}
    if request.path == RERANK:
        return _reranked(request.body)
    message = {"role": "assistant", "content": _text(request, reply)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"object": "chat.completion", "choices": [choice], "usage": _usage(request, reply)}


def _fragments(calls: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
    """Calls of tools as they are streamed: first each one's name, then each one's arguments in two pieces."""
    for at, (name, _) in enumerate(calls):
        yield {"index": at, "id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": ""}}
    for at, (_, arguments) in enumerate(calls):
        half = len(arguments) // 2
        for piece in (arguments[:half], arguments[half:]):
            yield {"index": at, "function": {"arguments": piece}}


def _text(request: Request, reply: Reply) -> str:
    return quotation(str(request.body["messages"][-1]["content"])) if reply.text is None else reply.text


def quotation(question: str) -> str:
    """The first sentence of each of the first three sources in the question, with its marker."""
    quotes = [f"{_first_sentence(text)} [{number}]" for number, text in _SOURCE.findall(question)[:3]]
    return " ".join(quotes) or NO_SOURCES


def _first_sentence(text: str) -> str:
    """Of the source's last line that reads like one, as those before it may be headings."""
    lines = text.strip().splitlines() or [""]
    paragraph = next((line for line in reversed(lines) if line.endswith(".")), lines[-1])
    return re.split(r"(?<=[.!?]) ", paragraph, maxsplit=1)[0]


def _usage(request: Request, reply: Reply) -> dict[str, int]:
    """Counted in words."""
    asked = sum(len(str(message["content"]).split()) for message in request.body["messages"])
    return {"prompt_tokens": asked, "completion_tokens": len(_text(request, reply).split())}


def _read(given: str | Sequence[str]) -> dict[str, int]:
    """Counted in words."""
    read = sum(len(text.split()) for text in ([given] if isinstance(given, str) else given))
    return {"prompt_tokens": read, "total_tokens": read}


def _embeddings(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    for index, text in enumerate(texts):
        vector = embed(text, body.get("dimensions", OTHERS.get(body["model"], DIMENSIONS)))
        as_base64 = body.get("encoding_format") == "base64"
        yield {
            "index": index,
            "embedding": base64.b64encode(vector.tobytes()).decode() if as_base64 else vector.tolist(),
        }


def _reranked(body: dict[str, Any]) -> object:
    """By the words that a text shares with the query, rare ones first; `texts` are answered as TEI does."""
    texts = body.get("texts") or body["documents"]
    words = [set(re.findall(r"\w+", text.lower())) for text in texts]
    asked = set(re.findall(r"\w+", body["query"].lower()))
    rarity = {word: 1 / sum(word in of_text for of_text in words) for word in asked if any(word in w for w in words)}
    scores = [sum(rarity[word] for word in asked & of_text) for of_text in words]
    best = sorted(range(len(texts)), key=lambda index: -scores[index])[: body.get("top_n", len(texts))]
    if "texts" in body:
        return [{"index": index, "score": scores[index]} for index in best]
    results = [{"index": index, "relevance_score": scores[index]} for index in best]
    return {"results": results, "usage": _read([body["query"], *texts])}


def embed(text: str, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """A hashed bag of words, at unit length: texts that share words are near each other."""
    vector = np.full(dimensions, 1e-3, dtype=np.float32)
    for word in re.findall(r"\w+", text.lower()):
        vector[zlib.crc32(word.encode()) % dimensions] += 1
    unit: NDArray[np.float32] = (vector / np.linalg.norm(vector)).astype("<f4")
    return unit


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A scripted OpenAI-compatible server.")
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--key", default="", help="refuse every other key")
    options = parser.parse_args()
    OpenAIServer(options.port, key=options.key).serve()
