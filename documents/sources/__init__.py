"""Where documents come from beside uploads: a folder, a web page, a sitemap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.conf import settings

from documents.models import Source
from documents.sources.folder import Folder
from documents.sources.sitemap import Sitemap
from documents.sources.types import Origin
from documents.sources.web import Web, WebPage


@asynccontextmanager
async def opened(kind: str, address: str) -> AsyncIterator[Origin]:
    """The origin of that kind, able to list and fetch what it holds."""
    if kind == Source.Kind.FOLDER:
        yield Folder(address)
        return
    allowed = frozenset(host.lower() for host in settings.SOURCE_PRIVATE_HOSTS)
    async with Web(allowed, settings.MAX_UPLOAD_MB << 20) as web:
        yield Sitemap(web, address) if kind == Source.Kind.SITEMAP else WebPage(web, address)
