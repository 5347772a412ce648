"""Who may open a socket."""

from __future__ import annotations

import pytest
from django.test import override_settings
from websockets.exceptions import InvalidStatus

from config.origins import is_ours
from tests.installation import Installation
from tests.visitor import Visitor

HERE = "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", HERE),
        ("http://localhost:8000", "LOCALHOST:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://localhost", "localhost"),
        ("https://site.example", "127.0.0.1:8000"),
        ("https://team.wide.example", HERE),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=["https://site.example", "https://*.wide.example"])
def test_our_own_pages_and_trusted_ones_are_let_in(origin: str, host: str) -> None:
    assert is_ours(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:9999", HERE),
        ("http://127.0.0.1", HERE),
        ("http://localhost:8000", HERE),
        ("null", HERE),
        ("", HERE),
        ("", ""),
        ("http://[", HERE),
        ("file://127.0.0.1:8000", HERE),
        ("http://site.example", HERE),
        ("https://site.example:444", HERE),
        ("https://wide.example.evil.example", HERE),
        ("http://evil.example:8000", "evil.example:8000"),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=["https://site.example", "https://*.wide.example"])
def test_others_are_refused(origin: str, host: str) -> None:
    assert not is_ours(origin, host)


def test_another_program_on_this_host_may_not_use_our_cookies(installation: Installation) -> None:
    with Visitor(installation) as visitor:
        library = visitor.make_library("Ours alone")
        with visitor.following(library):
            pass
        with pytest.raises(InvalidStatus), visitor.following(library, origin="http://127.0.0.1:9"):
            pass
