"""A browser that is signed in to a running Footnote."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from tests.browser.chromium import launch
from tests.installation import Installation


@pytest.fixture
def page(installation: Installation) -> Iterator[Page]:
    """Signed in; nothing may be said on the console."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(base_url=installation.address)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/account/login/")
        page.get_by_label("Email").fill(installation.email)
        page.get_by_label("Password").fill(installation.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(installation.address)
        yield page
        browser.close()
    assert complaints == []


@pytest.fixture
def library(page: Page, request: pytest.FixtureRequest) -> str:
    """The name of a new library, whose page is open."""
    name = str(request.node.name)
    page.goto("/libraries/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make library").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    return name
