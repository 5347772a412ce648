"""The main job, as a person sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, Route, expect, sync_playwright

from tests.browser.chromium import launch
from tests.chat.conftest import PASSWORD
from tests.chat.test_socket import LONG, QUESTION
from tests.installation import Installation
from tests.openai_server import OpenAIServer, Reply

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, footnote: Installation, model: OpenAIServer) -> Iterator[Page]:
    """The owner's browser, signed in; nothing may be said on its console."""
    context = browser.new_context(base_url=footnote.address)
    context.set_default_timeout(30_000)
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("/account/login/")
    page.locator("[name=login]").fill("owner@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()
    assert said == []


def ask(page: Page, text: str) -> None:
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
    page.get_by_role("textbox", name="Question").fill(text)
    page.keyboard.press("Enter")


def test_a_question_is_asked_answered_and_its_source_read(page: Page) -> None:
    ask(page, QUESTION)
    answer = page.locator(".answer[data-status=complete]")
    expect(answer.locator(".prose")).to_contain_text("25 days")
    answer.locator(".prose .cite").first.click()
    source = page.get_by_role("complementary", name="Source")
    expect(source.locator("mark").first).to_contain_text("25 days of paid leave")
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]+/#note-\d+-1$"))
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()


def test_a_link_to_a_footnote_opens_it(page: Page) -> None:
    ask(page, QUESTION)
    page.locator(".answer[data-status=complete] .notes .note-title").first.click()
    source = page.get_by_role("complementary", name="Source")
    expect(source.locator("mark").first).to_be_visible()
    page.reload()
    expect(source.locator("mark").first).to_be_visible()


def test_footnotes_are_leafed_through_by_keys_while_the_source_has_the_focus(page: Page, model: OpenAIServer) -> None:
    model.queue(Reply("Employees have 25 days of paid leave a year. Trains are paid for in full."))
    ask(page, QUESTION)
    answer = page.locator(".answer[data-status=complete]")
    answer.locator(".prose .cite").first.click()
    source = page.get_by_role("complementary", name="Source")
    expect(source.get_by_role("heading").first).to_be_focused()
    for key, number in (("ArrowRight", 2), ("k", 1), ("j", 2), ("j", 2), ("ArrowLeft", 1), ("Control+ArrowRight", 1)):
        page.keyboard.press(key)
        expect(source).to_contain_text(f"Footnote {number} ")
        expect(source.get_by_role("heading").first).to_be_focused()
        expect(answer.locator(f'.prose .cite[data-n="{number}"]')).to_have_attribute("aria-current", "true")
    source.locator(".paper").click()
    page.keyboard.press("j")
    expect(source).to_contain_text("Footnote 2 ")
    page.keyboard.press("k")
    expect(source).to_contain_text("Footnote 1 ")
    page.get_by_role("textbox", name="Question").press_sequentially("jk")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("textbox", name="Question")).to_have_value("jk")
    expect(source).to_contain_text("Footnote 1 ")


def test_an_answer_is_exported(page: Page) -> None:
    ask(page, QUESTION)
    answer = page.locator(".answer[data-status=complete]")
    answer.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        answer.get_by_role("link", name="PDF").click()
    assert download.value.suggested_filename.endswith(".pdf")
    page.keyboard.press("Escape")
    expect(answer.get_by_role("link", name="PDF")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(404, "This source was removed, or you may not read it."), (500, "This source can’t be had at the moment.")],
)
def test_a_source_that_is_not_to_be_had_says_so_and_can_be_closed(page: Page, status: int, sentence: str) -> None:
    ask(page, QUESTION)
    expect(page.locator(".answer[data-status=complete]")).to_be_visible()
    unlistened = page.context.new_page()
    unlistened.goto(page.url)
    unlistened.route("**/sources/1/", lambda route: route.fulfill(status=status))
    source = unlistened.get_by_role("complementary", name="Source")
    for key in ("Escape", "Enter"):
        unlistened.locator(".prose .cite").first.click()
        expect(source.get_by_role("heading", name="No source")).to_be_focused()
        expect(source).to_contain_text("Footnote 1")
        expect(source).to_contain_text(sentence)
        if key == "Enter":
            source.get_by_role("button", name="Close").focus()
        unlistened.keyboard.press(key)
        expect(source).to_be_hidden()


def test_an_answer_goes_on_after_a_reload_and_stops_in_both_tabs(page: Page, model: OpenAIServer) -> None:
    model.queue(Reply(LONG, hold_at=9, gate="browser"))
    ask(page, QUESTION)
    expect(page.locator(".answer .prose strong")).to_have_text("25 days")
    page.reload()
    expect(page.locator(".answer .prose strong")).to_have_text("25 days")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".answer .prose strong")).to_have_text("25 days")
    other.get_by_role("button", name="Stop").click()
    for tab in (page, other):
        expect(tab.locator(".answer[data-status=stopped] .prose")).to_contain_text("25 days")
        expect(tab.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_a_second_tab_sees_the_next_question(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(".answer[data-status=complete]")).to_have_count(1)
    other = page.context.new_page()
    other.goto(page.url)
    ask(page, "And trains?")
    for tab in (page, other):
        expect(tab.locator(".question").nth(1)).to_have_text("And trains?")
        expect(tab.locator(".answer[data-status=complete]")).to_have_count(2)


def test_the_next_question_can_be_asked_after_an_answer_that_ended_before_it_was_seen(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(".answer[data-status=complete]")).to_have_count(1)
    page.route("**/c/*/messages/*/", fulfil_when_ended)
    for number in (2, 3):
        ask(page, "And trains?")
        expect(page.locator(".answer[data-status=complete]")).to_have_count(number)


def fulfil_when_ended(route: Route) -> None:
    while 'data-status="streaming"' in (response := route.fetch()).text():
        pass
    route.fulfill(response=response)


def test_what_one_thinks_of_an_answer_is_kept_in_place(page: Page) -> None:
    ask(page, QUESTION)
    answer = page.locator(".answer[data-status=complete]")
    answer.get_by_role("button", name="Not helpful").click()
    expect(answer.get_by_role("button", name="Not helpful", pressed=True)).to_be_focused()
    answer.get_by_label("What was wrong or missing?").fill("Too short")
    answer.get_by_role("button", name="Add the reason").click()
    expect(answer.get_by_role("button", name="Change the reason")).to_be_focused()
    page.reload()
    expect(answer.get_by_label("What was wrong or missing?")).to_have_value("Too short")
    answer.get_by_role("button", name="Not helpful").click()
    expect(answer.get_by_label("What was wrong or missing?")).to_have_count(0)


def test_a_draft_survives_a_reload(page: Page) -> None:
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_enabled()
    page.get_by_role("textbox", name="Question").fill("Half a")
    page.reload()
    expect(page.get_by_role("textbox", name="Question")).to_have_value("Half a")


def test_on_a_phone_there_is_room_for_what_a_conversation_offers(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 812})
    ask(page, QUESTION)
    expect(page.locator(".answer[data-status=complete]")).to_be_visible()
    page.reload()
    libraries, strategy = (page.locator(".composer summary").nth(place).bounding_box() for place in (0, 1))
    assert libraries
    assert strategy
    assert libraries["x"] + libraries["width"] <= strategy["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_deleting_a_conversation_asks_first(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(".answer[data-status=complete]")).to_have_count(1)
    asked: list[str] = []

    def think_better_of_it(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", think_better_of_it)
    page.get_by_text("Rename or delete").click()
    page.get_by_role("button", name="Delete it").click()
    assert asked == ["Delete this conversation, with all its answers?"]
    page.reload()
    expect(page.locator(".answer[data-status=complete]")).to_have_count(1)


def test_a_refusal_is_told_and_the_question_kept(page: Page) -> None:
    ask(page, QUESTION)
    expect(page.locator(".answer[data-status=complete]")).to_have_count(1)
    other = page.context.new_page()
    other.goto(page.url)
    page.get_by_text("Rename or delete").click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete it").click()
    ask(other, "And trains?")
    expect(other.get_by_role("alert")).to_contain_text("not there any more")
    expect(other.get_by_role("textbox", name="Question")).to_have_value("And trains?")
