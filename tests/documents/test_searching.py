"""The search page: what is found, where it stands, by what it can be narrowed, and for whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from django.test import AsyncClient

from documents.indexing import index
from documents.models import Library, User
from documents.searching.facets import chosen, narrowed
from documents.searching.snippets import LENGTH, Marker
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.rag.pdfs import pdf, text

Search = Callable[..., Awaitable[str]]


@pytest.fixture
def search(system: Wiring, async_client: AsyncClient) -> Search:
    """The page that a user sees for a search."""

    async def ask(user: User, query: str = "", path: str = "/search/", **more: str) -> str:
        await async_client.aforce_login(user)
        response = await async_client.get(path, {"q": query} | more)
        assert response.status_code == 200
        return response.content.decode()

    return ask


@pytest_asyncio.fixture
async def handbook(system: Wiring, give: Give) -> None:
    """A note on leave, and a table of trains."""
    notes = await in_thread(
        give, "leave.md", "# Time off\n\n## Annual leave\n\nEveryone has 25 days of leave &amp; 5 more.\n"
    )
    trains = await in_thread(give, "trains.csv", "train,price\nnight train,40\n")
    for received in (notes, trains):
        await index(received.version.pk)


async def test_a_passage_is_shown_with_its_place_and_its_words_marked(
    search: Search, handbook: None, owner: User
) -> None:
    page = await search(owner, "leaves")
    assert "<mark>leave</mark>" in page
    assert "leave</mark> &amp; 5 more" in page
    assert "?version=1&amp;page=1&amp;start=" in page
    assert "1st by words" in page


async def test_a_page_has_its_number(search: Search, system: Wiring, give: Give, owner: User) -> None:
    pages = [text((50, 700, words)) for words in ("The harbour plan", "The lighthouse")]
    received = await in_thread(give, "plan.pdf", pdf(*pages))
    await index(received.version.pk)
    assert '<span class="where" dir="auto">page 2</span>' in await search(owner, "lighthouse")


async def test_what_is_typed_asks_for_the_results_alone(search: Search, handbook: None, owner: User) -> None:
    part = await search(owner, "leave", "/search/results")
    assert "<mark>leave</mark>" in part
    assert "<html" not in part


async def test_a_stranger_finds_nothing_and_is_offered_nothing(
    search: Search, handbook: None, stranger: User, library: Library
) -> None:
    page = await search(stranger, "leave")
    assert "Nothing found" in page
    assert library.name not in page
    assert "leave.md" not in page


async def test_a_member_who_was_removed_finds_nothing_any_more(search: Search, handbook: None, teammate: User) -> None:
    assert "leave.md" in await search(teammate, "leave")
    await teammate.memberships.all().adelete()
    assert "leave.md" not in await search(teammate, "leave")


async def test_facets_are_searches_and_can_be_taken_away(search: Search, handbook: None, owner: User) -> None:
    page = await search(owner, "leave train")
    assert "?q=leave+train+type%3Acsv" in page
    page = await search(owner, "leave train type:csv")
    assert "trains.csv" in page
    assert "leave.md" not in page
    assert 'href="/search/?q=leave+train"' in page


async def test_what_makes_no_sense_is_said(search: Search, handbook: None, owner: User) -> None:
    assert "is no date, so it narrowed nothing" in await search(owner, "leave after:soon")
    assert "says only where to look" in await search(owner, "type:csv")
    assert "Shorten it" in await search(owner, "x" * 8_001)


async def test_more_documents_are_shown_when_asked_for(search: Search, system: Wiring, give: Give, owner: User) -> None:
    for number in range(11):
        received = await in_thread(give, f"{number}.md", f"The lighthouse number {number} shines {'x' * number} miles.")
        await index(received.version.pk)
    page = await search(owner, "lighthouse")
    assert page.count('<a class="place"') == 10
    assert "?q=lighthouse&amp;n=20" in page
    assert (await search(owner, "lighthouse", n="20")).count('<a class="place"') == 11


async def test_an_empty_search_teaches_with_ones_own_libraries(search: Search, owner: User, library: Library) -> None:
    assert narrowed("how to", "library", library.name).replace('"', "&quot;") in await search(owner)


async def test_one_must_be_signed_in(async_client: AsyncClient, db: None) -> None:
    for path in ("/search/", "/search/results"):
        response = await async_client.get(path)
        assert response.status_code == 302
        assert "/account/login/" in response["Location"]


# --- Snippets and facets ------------------------------------------------------------------------


def shown(passage: str, search: str) -> tuple[str, list[str]]:
    found = Marker(search).snippet(passage)
    return passage[found.start : found.end], [passage[start:end] for start, end in found.marks]


def test_words_are_marked_in_all_their_forms() -> None:
    assert shown("Expenses are expensed.", "expense report")[1] == ["Expenses", "expensed"]


def test_an_identifier_is_marked_whole_or_in_part() -> None:
    assert shown("Set MAX_UPLOAD_MB to 5.", "max_upload_mb")[1] == ["MAX_UPLOAD_MB"]
    assert shown("See config.yaml.", "config")[1] == ["config"]


def test_a_script_without_spaces_is_marked_by_its_characters() -> None:
    assert shown("所有员工每年有二十五天带薪年假。", "带薪年假")[1] == ["带薪年假"]


def test_the_stretch_with_most_of_the_words_is_shown() -> None:
    filler = "Nothing of interest stands here. " * 20
    passage = f"{filler}A train. {filler}The night train costs 40. {filler}"
    stretch, marks = shown(passage, "night train costs")
    assert marks == ["night", "train", "costs"]
    assert len(stretch) <= LENGTH
    assert not stretch.startswith(" ")


def test_without_the_words_the_beginning_is_shown() -> None:
    assert shown("Alpha beta.", "gamma") == ("Alpha beta.", [])


def test_an_operator_that_makes_no_sense_narrows_nothing() -> None:
    assert chosen("leave type:foo after:soon") == []


@pytest.mark.parametrize("value", ["HR", "Human resources", 'The "blue" book', "R&D"])
def test_an_operator_that_was_added_can_be_taken_away(value: str) -> None:
    query = narrowed("annual leave", "library", value)
    assert [(each.label, each.query) for each in chosen(query)] == [(value, "annual leave")]
