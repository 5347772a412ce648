"""A user at the product's pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx2
import websockets
from websockets.typing import Origin

ENDED = ("ready", "failed")
JSON = {"Accept": "application/json"}
FILES_AT_A_TIME, AT_ONCE = 100, 2
"""As the page sends them (static/js/sending.js)."""

File = tuple[str, bytes]
"""A name and what is in it."""


class Visitor:
    """Somebody who is signed in."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self.http = httpx2.Client(base_url=address, timeout=120, follow_redirects=True)
        self.http.get("/account/login/")
        self.http.post("/account/login/", data=self._form(login=email, password=password))
        if "sessionid" not in self.http.cookies:
            raise RuntimeError(f"{email} could not sign in.")

    @property
    def cookie(self) -> str:
        return f"sessionid={self.http.cookies['sessionid']}"

    def create_library(self, name: str) -> int:
        page = self.http.post("/libraries/", data=self._form(name=name, visibility="private"))
        page.raise_for_status()
        return int(page.url.path.rstrip("/").rpartition("/")[2])

    def post(self, path: str, **fields: str) -> str:
        """Press a button; the path of the page that it leads to."""
        page = self.http.post(path, data=self._form(**fields))
        page.raise_for_status()
        return page.url.path

    def upload(self, library: int, files: Sequence[File]) -> list[int]:
        """Drop files on a library; their documents."""
        with ThreadPoolExecutor(AT_ONCE) as sending:
            answers = sending.map(partial(self._upload_lot, library), _lots(files))
            results = [result for answer in answers for result in answer]
        if refused := [result["sentence"] for result in results if result["document"] is None]:
            raise RuntimeError(f"Refused: {refused[:3]}")
        return [result["document"] for result in results]

    def _upload_lot(self, library: int, lot: Sequence[File]) -> list[dict[str, Any]]:
        files = [("files", file) for file in lot]
        answer = self.http.post(f"/libraries/{library}/upload", data=self._form(keep="both"), files=files, headers=JSON)
        answer.raise_for_status()
        return list(answer.json()["files"])

    def _form(self, **fields: str) -> dict[str, str]:
        return {"csrfmiddlewaretoken": self.http.cookies["csrftoken"], **fields}

    async def upload_and_watch(self, library: int, files: Sequence[File]) -> list[int]:
        """Drop files on a library and look at its page until all of their documents are ready."""
        address = str(self.http.base_url).rstrip("/")
        where = f"{address.replace('http', 'ws', 1)}/ws/libraries/{library}/"
        headers = {"Cookie": self.cookie}
        async with websockets.connect(where, additional_headers=headers, origin=Origin(address)) as socket:
            uploading = asyncio.create_task(asyncio.to_thread(self.upload, library, files))
            ended: dict[int, str] = {}
            while not uploading.done() or not set(uploading.result()) <= set(ended):
                for told in json.loads(await socket.recv())["documents"]:
                    if told["status"] in ENDED:
                        ended[told["document"]] = told["status"]
            if "failed" in ended.values():
                raise RuntimeError("A document failed.")
            return uploading.result()


def _lots(files: Sequence[File]) -> Iterator[Sequence[File]]:
    for start in range(0, len(files), FILES_AT_A_TIME):
        yield files[start : start + FILES_AT_A_TIME]
