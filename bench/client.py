"""The reader's end: asks over websockets when it is told to, and notes what comes and when.

`python -m bench.client` reads a Load as JSON from its input and writes its answers as JSON. Nothing is parsed before
the last answer has ended.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, cast

import uvloop

_ENDING = re.compile(rb'"type": ?"(done|failed|stopped|interrupted|refused)"')
_PONG = 0x8A

Heard = tuple[float, list[tuple[float, bytes]]]
"""When a question was sent; what came, and when."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask, and when (seconds after the start); without times, each question after the answer before."""

    port: int
    path: str
    questions: list[str]
    at: list[float] = field(default_factory=list)
    cookie: str = ""
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class Read:
    """An answer as it came: its message's id, seconds to its first and last text, and whether each event came once."""

    message: int
    sent: float
    first: float
    last: float
    text: str
    in_order: bool
    ending: str


class Socket(asyncio.Protocol):
    """A websocket's client end."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._opened = asyncio.get_running_loop().create_future()
        self.began(0)

    @classmethod
    async def open(cls, load: Load) -> Socket:
        _, socket = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", load.port)
        origin = f"127.0.0.1:{load.port}"
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {load.path} HTTP/1.1", f"Host: {origin}", f"Origin: http://{origin}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        socket.transport.write("\r\n".join([*lines, f"Cookie: {load.cookie}", "", ""]).encode())
        await socket._opened
        return socket

    def began(self, sent: float) -> None:
        """Forget the answer before."""
        self.sent = sent
        self.frames: list[tuple[float, bytes]] = []
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._opened.done():
            self._opened.set_exception(error or ConnectionError("The socket was refused."))
        self.ended.set()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._data += data
        if not self._opened.done() and not self._shake_hands():
            return
        for opcode, payload in self._frames():
            if opcode == 9:
                self.send(payload, _PONG)
            elif opcode == 8:
                self.transport.close()
            else:
                self.frames.append((now, payload))
                if _ENDING.search(payload):
                    self.ended.set()

    def send(self, payload: bytes, head: int = 0x81) -> None:
        """Masked by zeros, which changes nothing and is allowed."""
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2)
        self.transport.write(bytes([head]) + size + b"\0\0\0\0" + payload)

    def _shake_hands(self) -> bool:
        ends = self._data.find(b"\r\n\r\n") + 4
        if ends < 4:
            return False
        status = bytes(self._data[:ends]).split(b"\r\n", 1)[0]
        if b" 101 " in status:
            self._opened.set_result(None)
        else:
            self._opened.set_exception(ConnectionError(status.decode()))
        del self._data[:ends]
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        data = self._data
        while len(data) >= 2:
            length, start = data[1] & 0x7F, 2
            if length > 125:
                start += 2 if length == 126 else 8
                if len(data) < start:
                    return
                length = int.from_bytes(data[2:start])
            if len(data) < start + length:
                return
            yield data[0] & 0x0F, bytes(data[start : start + length])
            del data[: start + length]


async def ask(load: Load) -> list[Heard]:
    if load.at:
        sockets = [await Socket.open(load) for _ in load.questions]
        start = time.monotonic() + 0.2
        asking = zip(sockets, load.questions, load.at, strict=True)
        return await asyncio.gather(*(_ask(*each, start, load.patience) for each in asking))
    socket = await Socket.open(load)
    return [await _ask(socket, question, 0, 0, load.patience) for question in load.questions]


async def _ask(socket: Socket, question: str, at: float, start: float, patience: float) -> Heard:
    """An answer that doesn't end in time is given as far as it came."""
    await asyncio.sleep(max(start + at - time.monotonic(), 0))
    socket.began(time.monotonic())
    socket.send(json.dumps({"type": "ask", "text": question, "strategy": "hybrid"}).encode())
    with suppress(TimeoutError):
        await asyncio.wait_for(socket.ended.wait(), patience)
    return socket.sent, socket.frames


def _read(sent: float, frames: Sequence[tuple[float, bytes]]) -> Read:
    messages = [(at, json.loads(payload)) for at, payload in frames]
    events = [(at, event) for at, message in messages for event in message.get("events", ())]
    texts = [(at - sent, event["text"]) for at, event in events if event["type"] == "text"]
    return Read(
        message=next((message["message"] for _, message in messages if "message" in message), 0),
        sent=sent,
        first=texts[0][0] if texts else 0,
        last=texts[-1][0] if texts else 0,
        text="".join(text for _, text in texts),
        in_order=_in_order([event for _, event in events]),
        ending=events[-1][1]["type"] if events else str(messages[-1:]),
    )


def _in_order(events: Sequence[dict[str, Any]]) -> bool:
    numbers = [0, *(event["n"] for event in events if "n" in event)]
    return all(after == before + 1 for before, after in pairwise(numbers))


if __name__ == "__main__":
    heard = uvloop.run(ask(Load(**json.load(sys.stdin))))
    cpu = time.process_time()
    json.dump({"cpu": cpu, "answers": [asdict(_read(*answer)) for answer in heard]}, sys.stdout)
