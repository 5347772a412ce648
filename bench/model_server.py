"""An OpenAI-compatible server that costs as little as can be: `python -m bench.model_server PORT`.

What it streams is encoded before it is asked, and vectors are slices of one long noise. POST /pace {"tokens","rate"}
says how the next answers come; GET /told says of each answer when it was asked for and when its text went out.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
import uvloop

DIMENSIONS = 384
CHAT_MODEL, EMBEDDING_MODEL = "bench-chat", "bench-embedding"

_MOST_TOKENS = 2_000
_NOISE = 3 * 2**18
"""Floats of noise. Vectors begin at every third, which is every 16th character of base64."""
_CHARACTERS = DIMENSIONS * 4 * 4 // 3

_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_TAG = b"(q"


@dataclass(slots=True)
class Pace:
    """How many tokens an answer has, and how many of them come in a second; 0 means all at once."""

    tokens: int = 100
    rate: float = 0


@dataclass(slots=True)
class Told:
    """When (monotonic seconds) an answer was asked for, and when the first and the last of its tokens went out."""

    asked: float
    first: float = 0
    last: float = 0
    tokens: int = 0


class Server:
    def __init__(self) -> None:
        self.pace = Pace()
        self.told: dict[str, Told] = {}

    def answer(self, connection: Connection, path: bytes, body: bytes) -> None:
        match path:
            case b"/v1/chat/completions":
                tag = tag_of(body)
                told = self.told[tag] = Told(time.monotonic())
                Stream(connection, self.pace, tag, told).start()
            case b"/v1/embeddings":
                connection.send(_embeddings(json.loads(body)["input"]))
            case b"/v1/models":
                models = [{"id": name, "object": "model"} for name in (CHAT_MODEL, EMBEDDING_MODEL)]
                connection.send(json.dumps({"object": "list", "data": models}).encode())
            case b"/pace":
                self.pace, self.told = Pace(**json.loads(body)), {}
                connection.send(b"{}")
            case b"/told":
                told_of = {tag: [one.asked, one.first, one.last, one.tokens] for tag, one in self.told.items()}
                connection.send(json.dumps(told_of).encode())


class Connection(asyncio.Protocol):
    """Reads requests that name their length, as clients with a whole body do."""

    def __init__(self, answer: Callable[[Connection, bytes, bytes], None]) -> None:
        self._answer = answer
        self._data = bytearray()
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = cast(asyncio.Transport, transport).write

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        self._data += data
        for path, body in self._requests():
            self._answer(self, path, body)

    def send(self, content: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        self.write(head.encode() + content)

    def _requests(self) -> Iterator[tuple[bytes, bytes]]:
        while (head_ends := self._data.find(b"\r\n\r\n") + 4) > 3:
            head = bytes(self._data[:head_ends]).lower()
            _, _, length = head.partition(b"content-length:")
            ends = head_ends + int(length.split(b"\r\n", 1)[0] or 0)
            if len(self._data) < ends:
                return
            body = bytes(self._data[head_ends:ends])
            del self._data[:ends]
            yield head.split(b" ", 2)[1], body


class Stream:
    """One answer: its first token at once, the others when they are due."""

    def __init__(self, connection: Connection, pace: Pace, tag: str, told: Told) -> None:
        self._connection = connection
        self._pace = pace
        self._told = told
        self._first = encoded(f"{tag} ")

    def start(self) -> None:
        self._started = self._told.first = time.monotonic()
        due = 1 if self._pace.rate else self._pace.tokens
        self._write(_STREAM + self._first + b"".join(_tokens()[1:due]), due)

    def _go_on(self) -> None:
        due = int((time.monotonic() - self._started) * self._pace.rate + 0.01) + 1
        due = min(due, self._pace.tokens)
        if due > self._told.tokens and self._connection.is_open:
            self._write(b"".join(_tokens()[self._told.tokens : due]), due)
        elif self._connection.is_open:
            self._wait()

    def _write(self, data: bytes, due: int) -> None:
        self._told.tokens = due
        self._told.last = time.monotonic()
        if due == self._pace.tokens:
            self._connection.write(data + _ENDING)
        else:
            self._connection.write(data)
            self._wait()

    def _wait(self) -> None:
        at = self._started + self._told.tokens / self._pace.rate
        asyncio.get_running_loop().call_later(max(at - time.monotonic(), 0.001), self._go_on)


def tag_of(body: bytes) -> str:
    """The number that a question of the bench ends with, such as q17."""
    start = body.rfind(_TAG) + 1
    return body[start : body.index(b")", start)].decode()


def token(place: int) -> str:
    """An answer's token at a place: numbered, in sentences with a citation each, in paragraphs."""
    if place % 60 == 59:
        return f"w{place} [{place // 60 % 5 + 1}].\n\n"
    return f"w{place} [1]. " if place % 20 == 19 else f"w{place} "


def encoded(text: str) -> bytes:
    return _chunk({"index": 0, "delta": {"content": text}, "finish_reason": None})


def _chunk(*choices: dict[str, Any], **more: Any) -> bytes:
    event = {"id": "bench", "object": "chat.completion.chunk", "created": 0, "model": CHAT_MODEL, "choices": choices}
    return _framed(json.dumps(event | more).encode())


def _framed(data: bytes) -> bytes:
    event = b"data: " + data + b"\n\n"
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


_ENDING = (
    _chunk({"index": 0, "delta": {}, "finish_reason": "stop"})
    + _chunk(usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})
    + _framed(b"[DONE]")
    + b"0\r\n\r\n"
)


@cache
def _tokens() -> list[bytes]:
    return [encoded(token(place)) for place in range(_MOST_TOKENS)]


@cache
def _noise() -> str:
    noise = np.random.default_rng(1).standard_normal(_NOISE + DIMENSIONS, dtype=np.float32)
    return base64.b64encode(noise.astype("<f4").tobytes()).decode()


def vector(text: str) -> str:
    """Little-endian floats in base64, always the same for a text; stretches of noise are as good as independent."""
    start = zlib.crc32(text.encode()) % (_NOISE // 3) * 16
    return _noise()[start : start + _CHARACTERS]


def _embeddings(texts: str | list[str]) -> bytes:
    texts = [texts] if isinstance(texts, str) else texts
    data = ",".join(
        f'{{"object":"embedding","index":{index},"embedding":"{vector(text)}"}}' for index, text in enumerate(texts)
    )
    usage = '{"prompt_tokens":1,"total_tokens":1}'
    return f'{{"object":"list","model":"{EMBEDDING_MODEL}","data":[{data}],"usage":{usage}}}'.encode()


async def serve(port: int) -> None:
    _tokens(), _noise()
    server = Server()
    listening = await asyncio.get_running_loop().create_server(
        lambda: Connection(server.answer), "127.0.0.1", port, backlog=1_000
    )
    await listening.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
