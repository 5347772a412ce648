"""The search page in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_upload import CHOOSER, PATIENCE


@pytest.fixture
def notes(page: Page, library: str, tmp_path: Path) -> str:
    """The name of a library with two documents."""
    for name, text in (("harbour.md", "The harbour master opens at nine."), ("lamp.txt", "The lamp of the harbour.")):
        (tmp_path / name).write_text(text)
        page.locator(CHOOSER).set_input_files(tmp_path / name)
        row = page.get_by_role("row").filter(has_text=name)
        expect(row.locator(".status")).to_have_attribute("data-status", "ready", timeout=PATIENCE)
    return library


def test_results_come_as_one_types_and_the_way_back_leads_to_them(page: Page, notes: str) -> None:
    page.goto("/")
    page.locator("main").focus()
    page.keyboard.press("/")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.press_sequentially(f'harbour library:"{notes}"')
    expect(page.locator(".place")).to_have_count(2)
    expect(page.locator(".place mark").first).to_have_text("harbour")
    expect(field).to_be_focused()
    page.get_by_role("link", name="Text 1").click()
    expect(page.locator(".place")).to_have_count(1)
    expect(field).to_have_value(f'harbour library:"{notes}" type:text')
    page.locator(".place").click()
    expect(page.locator("mark")).to_contain_text("lamp")
    page.go_back()
    expect(page.locator(".place")).to_have_count(1)
    page.go_back()
    expect(page.locator(".place")).to_have_count(2)
    expect(field).to_have_value(f'harbour library:"{notes}"')


def test_a_search_becomes_a_question(page: Page, notes: str) -> None:
    page.goto("/search/?q=when+does+the+harbour+open")
    page.get_by_role("link", name="Ask this instead").click()
    expect(page.get_by_role("textbox", name="Question")).to_have_value("when does the harbour open")


def test_an_old_reply_never_takes_the_place_of_a_new_one(page: Page, notes: str) -> None:
    page.goto("/search/")
    held = []
    page.route("**/search/results?q=harbour", lambda route: held.append(route))
    field = page.get_by_role("searchbox")
    field.fill("harbour")
    page.wait_for_timeout(300)
    assert held
    field.fill(f'lamp library:"{notes}"')
    expect(page.locator(".place")).to_have_count(2)
    expect(page.locator(".place mark").first).to_have_text("lamp")
