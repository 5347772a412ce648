"""What stands around every page."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

POLICY = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"

Page = Callable[[HttpRequest], HttpResponse]
AsyncPage = Callable[[HttpRequest], Awaitable[HttpResponse]]


@sync_and_async_middleware
def content_security_policy(get_response: Page | AsyncPage) -> Page | AsyncPage:
    """Nothing but our own files runs or loads; `request.csp_nonce` admits the one inline import map of a page."""
    if iscoroutinefunction(get_response):
        return _protecting_async(cast(AsyncPage, get_response))
    return _protecting(cast(Page, get_response))


def _protecting(get_response: Page) -> Page:
    def protect(request: HttpRequest) -> HttpResponse:
        nonce = _offer_nonce(request)
        return _protected(get_response(request), nonce)

    return protect


def _protecting_async(get_response: AsyncPage) -> AsyncPage:
    async def protect(request: HttpRequest) -> HttpResponse:
        nonce = _offer_nonce(request)
        return _protected(await get_response(request), nonce)

    return protect


class Nonce:
    """A random word, made when a template first prints it."""

    value = ""

    def __str__(self) -> str:
        self.value = self.value or secrets.token_urlsafe(16)
        return self.value


def _offer_nonce(request: HttpRequest) -> Nonce:
    nonce = Nonce()
    vars(request)["csp_nonce"] = nonce
    return nonce


def _protected(response: HttpResponse, nonce: Nonce) -> HttpResponse:
    scripts = f"; script-src 'self' 'nonce-{nonce}'" if nonce.value else ""
    response.headers.setdefault("Content-Security-Policy", POLICY + scripts)
    return response
