"""Postgres and Valkey for the tests alone, and the three people for whom every feature is tested."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import psycopg
import pytest

DATA = Path(tempfile.mkdtemp(prefix="footnote-tests-"))
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "CHAT_MODEL", "EMBEDDING_MODEL")

# Before Django reads its settings: a data folder of our own, and no endpoint of whoever runs the tests.
os.environ.update(dict.fromkeys(NOT_OURS, ""), DJANGO_SETTINGS_MODULE="config.settings", DATA_DIR=str(DATA))
django.setup()

from django.conf import settings
from django.db import connections

from config import embedded
from documents.models import Library, Membership, User
from tests.installation import Installation


@pytest.fixture(scope="session")
def services() -> Iterator[None]:
    """Postgres and Valkey, where the settings of the tests look for them."""
    with embedded.services(DATA, with_postgres=True, with_valkey=True):
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # No test pulls its plug.
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield
    shutil.rmtree(DATA)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(services: None) -> None:
    """The test database has the name that the settings give it, so that processes started by a test share it."""
    database = connections["default"].settings_dict
    database["TEST"]["NAME"] = database["NAME"]


@pytest.fixture
def owner(db: None) -> User:
    """Owns the library."""
    return User.objects.create_user("owner@example.com", name="Olive Owner")


@pytest.fixture
def teammate(db: None) -> User:
    """May read the library."""
    return User.objects.create_user("teammate@example.com", name="Tom Teammate")


@pytest.fixture
def stranger(db: None) -> User:
    """May sign in, and knows nothing of the library."""
    return User.objects.create_user("stranger@example.com", name="Sid Stranger")


@pytest.fixture
def library(owner: User, teammate: User) -> Library:
    """A private library."""
    library = Library.objects.create(name="Handbook")
    Membership.objects.create(library=library, user=owner, role=Membership.Role.OWNER)
    Membership.objects.create(library=library, user=teammate, role=Membership.Role.READER)
    return library


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A whole Footnote, run by `manage.py up` with data, services and processes of its own."""
    with tempfile.TemporaryDirectory(prefix="footnote-tests-") as folder, Installation(Path(folder)) as running:
        yield running
