"""Where documents come from beside uploads: a folder, a web page, a sitemap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from django.conf import settings

from documents.models import Source
from documents.sources.addresses import checked
from documents.sources.folder import Folder
from documents.sources.sitemap import Sitemap
from documents.sources.types import Origin, Refused
from documents.sources.web import Web, WebPage


@asynccontextmanager
async def opened(kind: str, address: str) -> AsyncIterator[Origin]:
    """The origin of that kind, able to list and fetch what it holds."""
    if kind == Source.Kind.FOLDER:
        yield Folder(address)
        return
    async with Web(_private_hosts(), settings.MAX_UPLOAD_MB << 20) as web:
        yield Sitemap(web, address) if kind == Source.Kind.SITEMAP else WebPage(web, address)


def checked_address(kind: str, address: str) -> str:
    """The address as a source of the browser may have it. Raises Refused with a sentence."""
    if kind != Source.Kind.FOLDER:
        return str(checked(address, _private_hosts()))
    folder = Path(address).resolve()
    if not any(folder.is_relative_to(Path(allowed).resolve()) for allowed in settings.SOURCE_FOLDERS):
        raise Refused(f"{folder} is not in a folder that the operator allows by SOURCE_FOLDERS.")
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder} on the server.")
    return str(folder)


def _private_hosts() -> frozenset[str]:
    return frozenset(host.lower() for host in settings.SOURCE_PRIVATE_HOSTS)
