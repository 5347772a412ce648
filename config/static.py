"""Our own static files: straight from their folders, with nothing to build or collect before a start."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

FOREVER = "max-age=31536000, public, immutable"


class VersionedStorage(StaticFilesStorage):
    """Adds a hash of the content to each address, so that browsers may keep a file until it changes."""

    def url(self, name: str | None) -> str:
        path = finders.find(name or "")
        return f"{super().url(name)}?v={_version(path, Path(path).stat().st_mtime_ns)}" if path else super().url(name)


@cache
def _version(path: str, modified: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def with_static_files(application: Application) -> Application:
    """The application, with static files answered before it.

    WhiteNoise's own middleware is synchronous: in Django's chain it would send every request through a thread.
    """
    files = WhiteNoiseMiddleware()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        file = files.find_file(path) if files.autorefresh else files.files.get(path)
        if file is None:
            await application(scope, receive, send)
        else:
            await _send_file(file, scope, send)

    return serve


async def _send_file(file: Any, scope: Scope, send: Send) -> None:
    status, headers, body = await asyncio.to_thread(_read, file, scope)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _read(file: Any, scope: Scope) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    asked = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value.decode("latin-1")
        for name, value in scope["headers"]
    }
    response = file.get_response(scope["method"], asked)
    headers = dict(response.headers)
    if scope["query_string"].startswith(b"v="):
        headers["Cache-Control"] = FOREVER
    body = b""
    if response.file is not None:
        with response.file as opened:
            body = opened.read()
    return int(response.status), [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()], body
