"""The floor of an answer: `uvicorn bench.floors.relay:relay`, a bare websocket that passes the model's stream on.

Nothing is looked up, stored or rendered. MODEL_PORT says where the model server listens.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]

_MODEL_PORT = int(os.environ.get("MODEL_PORT", 0))


async def relay(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    model = Model()
    while (message := await receive())["type"] == "websocket.receive":
        number = 0
        async for text in model.stream(json.loads(message["text"])["text"]):
            number += 1
            event = f'{{"n":{number},"type":"text","text":{json.dumps(text)}}}'
            await send({"type": "websocket.send", "text": f'{{"message":0,"events":[{event}]}}'})
        ending = f'{{"message":0,"events":[{{"n":{number + 1},"type":"done"}}]}}'
        await send({"type": "websocket.send", "text": ending})


class Model:
    """A connection to the model server, kept for the next question."""

    def __init__(self) -> None:
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def stream(self, question: str) -> AsyncIterator[str]:
        """The answer's text; what has come together stays together."""
        self._streams = self._streams or await asyncio.open_connection("127.0.0.1", _MODEL_PORT)
        reader, writer = self._streams
        body = json.dumps({"messages": [{"role": "user", "content": question}], "stream": True}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        rest = b""
        while b"[DONE]" not in rest:
            *lines, rest = (rest + await reader.read(65_536)).split(b"\n")
            if text := "".join(_text(line) for line in lines if line.startswith(b"data: {")):
                yield text
            if b"data: [DONE]" in lines:
                return


def _text(line: bytes) -> str:
    choices = json.loads(line[6:])["choices"]
    return str(choices[0]["delta"].get("content", "")) if choices else ""
