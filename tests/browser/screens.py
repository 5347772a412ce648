"""Screenshots of every page in both themes and three widths, to be looked at.

`python -m tests.browser.screens ADDRESS EMAIL PASSWORD` signs in to a running Footnote, follows its links (one of each
kind), writes `var/screens/*.png`, and names every page that spills over its width or complains on the console.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, sync_playwright

from tests.browser.chromium import launch

FOLDER = Path(__file__).resolve().parents[2] / "var" / "screens"
SIZES = (
    ViewportSize(width=375, height=812),
    ViewportSize(width=768, height=1024),
    ViewportSize(width=1440, height=900),
)
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SIGNED_OUT = ("/account/login/", "/account/password/reset/", "/account/signup/")
LEFT_OUT = re.compile(r"^/(admin/.+/|account/logout|static|files)|/(file|download|image)\b|\.(png|pdf)$")
KEYS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+\b")


def main(address: str, email: str, password: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        state = _signed_in(browser, address, email, password)
        paths = list(_paths(state.new_page(), address))
        for theme in THEMES:
            for size in SIZES:
                _shoot(_context(browser, size, theme), address, SIGNED_OUT)
                signed_in = _context(browser, size, theme)
                signed_in.add_cookies(state.cookies())  # type: ignore[arg-type]
                _shoot(signed_in, address, paths)
        browser.close()


def _context(browser: Browser, size: ViewportSize, theme: Theme) -> BrowserContext:
    return browser.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")


def _signed_in(browser: Browser, address: str, email: str, password: str) -> BrowserContext:
    context = browser.new_context()
    page = context.new_page()
    page.goto(urljoin(address, "/account/login/"))
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
    return context


def _paths(page: Page, address: str) -> Iterator[str]:
    """The first page, then one of each kind that it leads to, and one that isn't there."""
    waiting, kinds = ["/"], set(SIGNED_OUT)
    while waiting:
        path = waiting.pop(0)
        kind = KEYS.sub("0", path)
        if kind in kinds or LEFT_OUT.search(path):
            continue
        kinds.add(kind)
        yield path
        page.goto(urljoin(address, path))
        links = [urlsplit(link) for link in page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)")]
        waiting += [link.path for link in links if link.netloc == urlsplit(address).netloc]
    yield "/nothing-here/"


def _shoot(context: BrowserContext, address: str, paths: tuple[str, ...] | list[str]) -> None:
    page = context.new_page()
    page.on("console", _complain)
    for path in paths:
        page.goto(urljoin(address, path))
        _save(page, _name(path))
        if page.locator(".prose .cite").count():
            page.locator(".prose .cite").first.click()
            page.locator(".source .paper").first.wait_for()
            page.wait_for_load_state("networkidle")
            _save(page, f"{_name(path)}-source")
        if page.locator(".bar .menu[popovertarget]").is_visible():
            page.locator(".bar .menu[popovertarget]").click()
            _save(page, f"{_name(path)}-menu")
    context.close()


def _complain(message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        sys.stderr.write(f"{message.location['url']}: {message.text}\n")


def _name(path: str) -> str:
    return KEYS.sub("n", path).strip("/").replace("/", "-") or "home"


def _save(page: Page, name: str) -> None:
    scheme = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        sys.stderr.write(f"{name} spills over {width} px\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
