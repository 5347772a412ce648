"""Files to take in, and a system whose embedding model is a scripted server."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from psycopg_pool import AsyncConnectionPool
from pytest_django import Settings

from documents.ingest import Keep, Received, receive
from documents.models import Library, User
from documents.vector_db import Pool, configure, create_space
from documents.wiring import Wiring, open_system
from tests.documents.shelf import Shelf
from tests.openai_server import MODELS, OpenAIServer

Give = Callable[..., Received]


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    """A storage of the test's own, and no pictures of other tests' pages."""
    shutil.rmtree(settings.DATA_DIR / "cache" / "pages", ignore_errors=True)
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "storage"}}
    settings.STORAGES = {**settings.STORAGES, "default": default}


@pytest.fixture
def give(owner: User, library: Library) -> Give:
    """Takes in a file: `give("leave.md", "# Leave", keep=Keep.VERSION)`."""

    def take(name: str, content: str | bytes, *, source: str | None = None, keep: Keep = Keep.BOTH) -> Received:
        data = content.encode() if isinstance(content, str) else content
        return receive(owner, library, ContentFile(data, name), source=source, keep=keep)

    return take


@pytest.fixture
def model(settings: Settings) -> Iterator[OpenAIServer]:
    """The embedding model, over HTTP."""
    with OpenAIServer() as server:
        settings.OPENAI_BASE_URL = server.url
        settings.EMBEDDING_MODEL = MODELS[1]
        yield server


@pytest_asyncio.fixture
async def system(transactional_db: None, model: OpenAIServer) -> AsyncIterator[Wiring]:
    """Opened on the test's own loop, as in a worker."""
    async with open_system() as wiring:
        yield wiring


@pytest_asyncio.fixture
async def shelf(transactional_db: None) -> AsyncIterator[Shelf]:
    pool: Pool
    async with AsyncConnectionPool(
        django_settings.DATABASE_URL, min_size=1, max_size=4, configure=configure, open=False
    ) as pool:
        yield Shelf(pool, await create_space(pool, "tiny", 8, "live"))


@pytest.fixture
def attic(transactional_db: None) -> Library:
    """A library that is nobody's."""
    return Library.objects.create(name="Attic")
