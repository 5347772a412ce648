"""A site on loopback, over real HTTP: pages that a test sets, changes and takes away, and a history of who asked."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(slots=True)
class Reply:
    """What a path answers; with an `etag`, 304 to whoever has that. `gate`, where given, holds it back until set."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    gate: threading.Event | None = None


class WebSite:
    """Answers what was `put` under a path; everything else is 404. `history` holds (path, status)."""

    def __init__(self) -> None:
        self.pages: dict[str, Reply] = {}
        self.history: list[tuple[str, int]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, path: str, body: str | bytes = "", *, status: int = 200, etag: str = "", **headers: str) -> Reply:
        """Have a path answered so; `content_type="text/html"` and the like are headers."""
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        self.pages[path] = Reply(data, status, named, etag)
        return self.pages[path]

    def put_page(self, path: str, text: str, **options: str) -> Reply:
        """A page with a title and a paragraph."""
        html = f"<html><head><title>{text}</title></head><body><nav>Menu</nav><main><p>{text}.</p></main></body></html>"
        return self.put(path, html, content_type="text/html; charset=utf-8", **options)  # type: ignore[arg-type]

    def put_sitemap(self, path: str, *pages: str | tuple[str, str]) -> Reply:
        """A sitemap of paths, or of (path, lastmod)."""
        entries = (page if isinstance(page, tuple) else (page, "") for page in pages)
        urls = "".join(
            f"<url><loc>{self.absolute(page)}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</url>"
            for page, lastmod in entries
        )
        return self.put(path, f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>')

    def absolute(self, path: str) -> str:
        return path if "://" in path else self.url + path

    def asked(self, path: str) -> list[int]:
        """The statuses with which a path was answered."""
        return [status for asked, status in self.history if asked == path]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        reply = self.pages.get(request.path, Reply(status=404))
        known = reply.etag and request.headers.get("If-None-Match") == reply.etag
        status = 304 if known else reply.status
        self.history.append((request.path, status))
        if reply.gate:
            reply.gate.wait(30)
        request.send_response(status)
        body = b"" if known else reply.body
        headers = {"Content-Length": str(len(body)), **reply.headers} | ({"ETag": reply.etag} if reply.etag else {})
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        with suppress(OSError):  # Whoever asked may have had enough.
            request.wfile.write(body)
