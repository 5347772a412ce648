"""Uploading in a real browser: files on a library's page, and in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from tests.browser.chromium import launch
from tests.installation import Installation

PATIENCE = 60_000


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


def write(folder: Path, **files: str) -> list[Path]:
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text)
    return [folder / f"{name}.md" for name in files]


def test_files_become_ready_before_the_users_eyes(page: Page, library: str, tmp_path: Path) -> None:
    files = write(tmp_path, leave="# Leave\n\nEveryone has 25 days.", empty="", travel="# Travel\n\nBook early.")
    page.locator("[data-drop] input[type=file]").set_input_files(files)
    expect(page.get_by_role("alert")).to_contain_text("empty.md is empty.")
    expect(page.locator('.status[data-status="ready"]')).to_have_count(2, timeout=PATIENCE)
    expect(page.locator(".lead")).to_contain_text("2 documents")
    page.get_by_role("link", name="Travel", exact=True).click()
    expect(page.get_by_text("Book early.")).to_be_visible()


def test_a_name_that_exists_is_asked_about(page: Page, library: str, tmp_path: Path) -> None:
    chooser = page.locator("[data-drop] input[type=file]")
    chooser.set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 25 days."))
    expect(page.locator('.status[data-status="ready"]')).to_have_count(1, timeout=PATIENCE)
    chooser.set_input_files(write(tmp_path, leave="# Leave\n\nEveryone has 30 days."))
    expect(page.get_by_role("dialog")).to_contain_text("leave.md")
    page.get_by_role("button", name="New versions").click()
    expect(page.get_by_text("leave.md was added as version 2.")).to_be_visible()
    expect(page.locator("[data-rows] tr")).to_have_count(1)
    expect(page.locator('.status[data-status="ready"]')).to_have_count(1, timeout=PATIENCE)


def test_several_files_are_added_in_the_admin(page: Page, library: str, tmp_path: Path) -> None:
    page.goto("/admin/documents/document/add/")
    page.get_by_label("Library").select_option(label=library)
    page.get_by_label("Files").set_input_files(write(tmp_path, one="# One\n\nFirst.", two="# Two\n\nSecond."))
    page.get_by_role("button", name="Upload").click()
    rows = page.get_by_role("row").filter(has_text=library)
    expect(rows.locator('.status[data-status="ready"]')).to_have_count(2, timeout=PATIENCE)
