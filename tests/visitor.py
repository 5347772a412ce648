"""Someone who uses a running Footnote by HTTP and socket, signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx2
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.installation import Installation

SECONDS = 60


class Visitor:
    """A browser without a screen."""

    def __init__(self, footnote: Installation) -> None:
        self.http = httpx2.Client(base_url=footnote.address, follow_redirects=True, timeout=SECONDS)
        self.footnote = footnote
        self.post("account/login/", {"login": footnote.email, "password": footnote.password})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.http.close()

    def get(self, path: str) -> str:
        return self.http.get(path).raise_for_status().text

    def post(self, path: str, fields: dict[str, Any], **options: Any) -> httpx2.Response:
        if "csrftoken" not in self.http.cookies:
            self.get("account/login/")
        fields = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"], **fields}
        return self.http.post(path, data=fields, **options).raise_for_status()

    def make_library(self, name: str) -> int:
        made = self.post("libraries/", {"name": name, "visibility": "private"})
        return int(str(made.url).rstrip("/").rpartition("/")[2])

    def upload(self, library: int, *files: tuple[str, bytes], **fields: str) -> list[dict[str, Any]]:
        """What became of each file."""
        answer = self.post(
            f"libraries/{library}/upload",
            fields,
            files=[("files", file) for file in files],
            headers={"Accept": "application/json"},
        )
        results: list[dict[str, Any]] = answer.json()["files"]
        return results

    def status(self, document: int) -> str:
        found = re.search(r'data-status="(\w+)"', self.get(f"documents/{document}/row"))
        assert found
        return found[1]

    @contextmanager
    def following(self, library: int, *, origin: str = "") -> Iterator[ClientConnection]:
        """The socket that tells how far a library's documents are."""
        address = f"{self.footnote.address.replace('http', 'ws', 1)}ws/libraries/{library}/"
        site = Origin(origin or self.footnote.address.rstrip("/"))
        with connect(address, additional_headers={"Cookie": self.cookies}, origin=site) as socket:
            yield socket

    @property
    def cookies(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
