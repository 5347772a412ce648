"""Somebody at a browser, without the browser: pages by HTTP, answers by the chat's socket."""

from __future__ import annotations

import http.cookiejar
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

ENDINGS = {"done", "stopped", "failed", "interrupted"}
WAIT = 60
"""Seconds after which a test that waits for an event has failed."""


@dataclass
class Answer:
    """What has come of an answer so far."""

    id: int
    conversation: str
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(event["text"] for event in self.events if event["type"] == "text")

    @property
    def html(self) -> str:
        return "".join(event["html"] for event in self.events if event["type"] == "block")

    @property
    def ending(self) -> str:
        return str(self.events[-1]["type"])

    @property
    def numbers(self) -> list[int]:
        return [event["n"] for event in self.events if "n" in event]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


class Socket:
    """One tab's connection."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=WAIT))
        return message

    def ask(self, text: str, conversation: str | None = None, **more: Any) -> Answer:
        """An answer, once it has begun. Raises AssertionError with the sentence when it is refused."""
        self.send(type="ask", text=text, strategy=more.pop("strategy", "hybrid"), conversation=conversation, **more)
        while (message := self.receive()).get("type") != "asked":
            assert message.get("type") != "refused", message["text"]
        return Answer(message["answer"], message["conversation"])

    def refusal(self, **message: Any) -> str:
        self.send(**message)
        while (reply := self.receive()).get("type") != "refused":
            pass
        return str(reply["text"])

    def follow(self, answer: Answer, have: int = 0) -> Answer:
        """The answer as another tab sees it that has its first `have` events."""
        self.send(type="follow", message=answer.id, have=have)
        return Answer(answer.id, answer.conversation)

    def read(self, answer: Answer, until: str = "") -> Answer:
        """Take in events until the answer ends, or its text has `until`."""
        while not (answer.events and answer.ending in ENDINGS) and not (until and until in answer.text):
            message = self.receive()
            assert message.get("type") != "refused", message
            if message.get("message") == answer.id:
                answer.events += message["events"]
        return answer


class Visitor:
    """Signed in; `address` is the web process that is visited."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self.address = address
        self.jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.post("account/login/", login=email, password=password)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        return self._open(urllib.request.Request(self.address + path.lstrip("/")))

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": self.token(), **fields}).encode()
        return self._open(urllib.request.Request(self.address + path, data, {"Referer": self.address}))

    def token(self) -> str:
        """What every form carries."""
        found = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self.get("account/login/")[1] + self.get("")[1])
        return found[1] if found else ""

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=WAIT) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def message(self, answer: Answer) -> str:
        """The stored answer as a reload shows it."""
        return self.get(f"c/{answer.conversation}/messages/{answer.id}/")[1]

    def at(self, address: str) -> Visitor:
        """The same person, with the same session, at another web process."""
        other = object.__new__(Visitor)
        other.__dict__.update(self.__dict__, address=address)
        return other

    @contextmanager
    def socket(self, origin: str | None = None) -> Iterator[Socket]:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        address = self.address.replace("http", "ws", 1) + "ws/chat/"
        site = Origin(origin or self.address.rstrip("/"))
        with connect(address, additional_headers={"Cookie": cookies}, origin=site, proxy=None) as connection:
            yield Socket(connection)
