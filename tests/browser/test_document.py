"""A document's page in a real browser, while the document gets on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_upload import CHOOSER, PATIENCE
from tests.installation import Installation
from tests.rag.pdfs import pdf, text

HARBOUR, LIGHTHOUSE = text((50, 700, "The harbour plan")), text((50, 700, "The lighthouse"))


@contextmanager
def worker_at_rest(installation: Installation) -> Iterator[None]:
    """Nothing is read meanwhile."""
    workers = [process for process in installation.processes() if "celery" in " ".join(process.cmdline())]
    for worker in workers:
        worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            worker.resume()


def upload(page: Page, file: Path, *pages: str) -> None:
    """A PDF; then its page is opened."""
    file.write_bytes(pdf(*pages))
    page.locator(CHOOSER).set_input_files(file)
    page.get_by_role("link", name=file.name, exact=True).click()
    expect(page.get_by_role("heading", name=file.name)).to_be_visible()


def test_a_document_that_was_waiting_is_shown_as_soon_as_it_is_ready(
    page: Page, library: str, tmp_path: Path, installation: Installation
) -> None:
    with worker_at_rest(installation):
        upload(page, tmp_path / "plan.pdf", HARBOUR, LIGHTHOUSE)
        expect(page.locator(".facts")).to_contain_text("Passages0")
        name = page.locator(".form").get_by_label("Title")
        name.fill("Half a ti")
    expect(page.locator(".status")).to_have_attribute("data-status", "ready", timeout=PATIENCE)
    expect(page.locator(".facts")).to_contain_text("Statusready Pages2 Passages1")
    expect(page.locator(".strip a")).to_have_count(2)
    expect(page.locator(".sheet")).to_contain_text("The harbour plan")
    expect(page.locator(".page-head")).to_contain_text("2 pages")
    expect(name).to_have_value("Half a ti")
    expect(name).to_be_focused()


def test_a_page_that_is_read_again_is_shown_as_it_was_read(
    page: Page, library: str, tmp_path: Path, installation: Installation
) -> None:
    upload(page, tmp_path / "plan.pdf", HARBOUR)
    expect(page.locator(".facts")).to_contain_text("Statusready", timeout=PATIENCE)
    page.get_by_text("Text of this page").click()
    with worker_at_rest(installation):
        page.get_by_role("button", name="Recognise the text in the picture").click()
        expect(page.locator(".sheet .notice")).to_contain_text("is about to be recognised")
        page.get_by_text("Text of this page").click()
    expect(page.locator(".facts")).to_contain_text("Statusready", timeout=PATIENCE)
    expect(page.locator(".sheet")).not_to_contain_text("is about to be recognised")
    expect(page.locator(".page-text")).to_have_attribute("open", "")
    expect(page.get_by_text("The harbour plan", exact=True)).to_be_visible()
