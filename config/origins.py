"""Which pages may open a socket: ours alone, as Django's CSRF check has it for forms."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from django.utils.http import is_same_domain

from config.static import Application, Receive, Scope, Send


def from_our_pages(application: Application) -> Application:
    """Refuses sockets of other sites, and of other programs on other ports of this host, which get our cookies too."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if is_ours(headers.get(b"origin", ""), headers.get(b"host", "")):
            await application(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    return guarded


def is_ours(origin: str, host: str) -> bool:
    """Whether a page of `origin` may speak with us, whom it called by `host` (with the port, if it isn't the usual)."""
    try:
        page = urlsplit(origin.lower())
    except ValueError:
        return False
    if page.scheme not in ("http", "https") or not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    return page.netloc == host.lower() or any(_matches(page, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def _matches(page: SplitResult, trusted: str) -> bool:
    """Whether it's the trusted origin, or below it as `https://*.example.com` allows."""
    pattern = urlsplit(trusted.lower())
    return page.scheme == pattern.scheme and is_same_domain(page.netloc, pattern.netloc.removeprefix("*"))
