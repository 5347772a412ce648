"""The schedule, as it runs in a whole Footnote: beat ticks, and Postgres knows what is due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config import embedded
from tests.installation import Installation
from tests.visitor import Visitor
from tests.web_server import WebSite


@pytest.fixture
def site() -> Iterator[WebSite]:
    with WebSite() as running:
        yield running


@pytest.fixture
def footnote(tmp_path: Path) -> Iterator[Installation]:
    """One that may fetch from the tests' own site."""
    with Installation(tmp_path, {"SOURCE_PRIVATE_HOSTS": "127.0.0.1"}) as running:
        yield running


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, "It never happened."
        time.sleep(0.1)


def test_what_is_added_is_fetched_at_once_and_again_when_it_is_due(footnote: Installation, site: WebSite) -> None:
    site.put_page("/leave", "Leave", etag='"1"')
    with Visitor(footnote) as visitor, psycopg.connect(embedded.database_url(footnote.data)) as postgres:
        postgres.autocommit = True
        library = visitor.make_library("Plans")
        fields = {"address": f"{site.url}/leave", "kind": "page", "schedule": "daily"}
        visitor.post(f"libraries/{library}/sources/", fields)
        wait_until(lambda: "1 page; 1 new" in visitor.get(f"libraries/{library}/sources/"))
        site.put_page("/leave", "Leave: 25 days", etag='"2"')
        postgres.execute("UPDATE documents_source SET next_run = now()")
        wait_until(lambda: "1 page; 1 changed" in visitor.get(f"libraries/{library}/sources/"))
    assert site.asked("/leave") == [200, 200]
