"""Pages that wait for text recognition: what can be found meanwhile, whose turn it is, and what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
import pytest_asyncio
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from documents import leases, recognition
from documents.indexing import index
from documents.ingest import Keep, read_again, retry
from documents.management.commands import doctor
from documents.models import Chunk, Library, Page, User, Version
from documents.progress import describe
from documents.rag import types
from documents.rag.types import Block, BlockKind, HowRead, Question
from documents.replacing import replace
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, OpenAIServer, Reply
from tests.rag.drawing import picture
from tests.rag.pdfs import pdf, text

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

Status = Version.Status
PLAN = text((50, 700, "The harbour plan"))
SCAN = "0 0 100 100 re f"


class FakeRecogniser:
    """Sees on each page its number and the name of its document; what is queued instead, first."""

    history: list[tuple[str, int]]
    replies: list[types.Page | BaseException]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def page(self, path: Path, media_type: str, number: int, *, name: str) -> types.Page:
        self.history.append((name, number))
        if self.replies:
            reply = self.replies.pop(0)
            if isinstance(reply, BaseException):
                raise reply
            return reply
        words = f"Recognised{number} in {name}"
        return types.Page(number, words, (Block(BlockKind.PARAGRAPH, 0, len(words)),), how_read=HowRead.OCR)


@pytest.fixture
def recogniser(monkeypatch: pytest.MonkeyPatch) -> type[FakeRecogniser]:
    FakeRecogniser.history, FakeRecogniser.replies = [], []
    monkeypatch.setattr(recognition, "Recogniser", FakeRecogniser)
    return FakeRecogniser


@pytest_asyncio.fixture
async def waiting(system: Wiring, recogniser: type[FakeRecogniser], give: Give) -> AsyncIterator[Version]:
    """Of three pages, of which the second waits."""
    received = await in_thread(give, "plan.pdf", pdf(PLAN, SCAN, PLAN))
    await index(received.version.pk)
    yield await fresh(received.version)


async def fresh(version: Version) -> Version:
    return await Version.objects.select_related("document").aget(pk=version.pk)


async def how_read(version: Version) -> list[str]:
    return [page.how_read async for page in Page.objects.filter(version=version).order_by("number")]


async def found(system: Wiring, library: Library, words: str) -> list[str]:
    passages = await (await system.system([library.pk])).search(Question(words), strategy="hybrid")
    return [passage.text for passage in passages]


async def assert_in_order() -> None:
    """The doctor has nothing to say against the index."""
    await in_thread(doctor.orphans)


async def test_the_text_can_be_found_while_pages_wait(system: Wiring, library: Library, waiting: Version) -> None:
    assert (waiting.status, waiting.lease) == (Status.RECOGNISING, None)
    assert describe(waiting) == "waiting for text recognition"
    assert waiting.document.current_id == waiting.pk
    assert await how_read(waiting) == ["text", "waiting", "text"]
    assert "The harbour plan" in await found(system, library, "harbour")


async def test_a_recognised_page_is_found_and_the_version_ready(
    system: Wiring, library: Library, waiting: Version
) -> None:
    await recognition.recognise()
    version = await fresh(waiting)
    assert (version.status, version.lease) == (Status.READY, None)
    assert await how_read(version) == ["text", "ocr", "text"]
    assert (await found(system, library, "Recognised2"))[0] == "Recognised2 in plan.pdf"
    assert [chunk.spans[0][0] async for chunk in Chunk.objects.order_by("position")] == [1, 2, 3]
    await assert_in_order()


async def test_a_picture_is_recognised_for_good(system: Wiring, library: Library, give: Give) -> None:
    received = await in_thread(give, "note.png", picture("The lighthouse is white"))
    await index(received.version.pk)
    assert (await fresh(received.version)).document.current_id is None
    await recognition.recognise()
    assert (await fresh(received.version)).status == Status.READY
    assert (await found(system, library, "lighthouse"))[0] == "The lighthouse is white"
    await assert_in_order()


async def test_each_page_can_be_found_as_soon_as_it_is_recognised(
    system: Wiring, library: Library, recogniser: type[FakeRecogniser], give: Give
) -> None:
    received = await in_thread(give, "scan.pdf", pdf(SCAN, SCAN, SCAN))
    await index(received.version.pk)
    recogniser.replies = [
        types.Page(1, "The first", (Block(BlockKind.PARAGRAPH, 0, 9),), how_read=HowRead.OCR),
        asyncio.CancelledError(),
    ]
    with pytest.raises(asyncio.CancelledError):
        await recognition.recognise()
    version = await fresh(received.version)
    assert (version.status, version.lease) == (Status.RECOGNISING, None)
    assert describe(version) == "recognising page 2 of 3"
    assert (await found(system, library, "first"))[0] == "The first"
    await recognition.recognise()
    assert (await fresh(version)).status == Status.READY
    assert [number for _, number in recogniser.history] == [1, 2, 2, 3], "nothing is recognised twice"
    await assert_in_order()


async def test_documents_take_turns(system: Wiring, recogniser: type[FakeRecogniser], give: Give) -> None:
    for name in ("long.pdf", "other.pdf"):
        received = await in_thread(give, name, pdf(*[SCAN] * (recognition.PAGES_A_TURN + 1)))
        await index(received.version.pk)
    await recognition.recognise()
    names = [name for name, _ in recogniser.history]
    each = recognition.PAGES_A_TURN
    assert names == ["long.pdf"] * each + ["other.pdf"] * each + ["long.pdf", "other.pdf"]
    assert not await Version.objects.exclude(status=Status.READY).aexists()


async def test_a_scan_in_which_nothing_is_recognised_fails_with_a_sentence(
    system: Wiring, recogniser: type[FakeRecogniser], give: Give
) -> None:
    received = await in_thread(give, "scan.pdf", pdf(SCAN))
    await index(received.version.pk)
    recogniser.replies = [types.Page(1, "", how_read=HowRead.EMPTY, error="Nothing.")]
    await recognition.recognise()
    version = await fresh(received.version)
    assert version.status == Status.FAILED
    assert version.error == (
        "scan.pdf has no text: none was recognised on any page. Upload a copy that has its text in it."
    )
    await in_thread(retry, version)
    assert await how_read(version) == ["waiting"]
    await index(version.pk)
    await recognition.recognise()
    assert (await fresh(version)).status == Status.READY


async def test_a_page_that_fails_costs_itself_alone(waiting: Version, recogniser: type[FakeRecogniser]) -> None:
    recogniser.replies = [types.Page(2, "", how_read=HowRead.FAILED, error="Page 2 can't be recognised.")]
    await recognition.recognise()
    assert (await fresh(waiting)).status == Status.READY
    assert await how_read(waiting) == ["text", "failed", "text"]


async def test_what_another_worker_has_is_left_alone(waiting: Version, recogniser: type[FakeRecogniser]) -> None:
    assert await in_thread(leases.Lease(waiting.pk).take, leases.recognisable())
    await recognition.recognise()
    assert recogniser.history == []


async def test_what_a_dead_worker_left_is_gone_on_with(waiting: Version) -> None:
    assert await in_thread(leases.Lease(waiting.pk).take, leases.recognisable())
    await Version.objects.aupdate(lease_until=timezone.now() - timedelta(seconds=1))
    await recognition.recognise()
    assert (await fresh(waiting)).status == Status.READY


async def test_a_model_that_is_away_is_tried_again_later(model: OpenAIServer, waiting: Version) -> None:
    model.queue(Reply(path=EMBEDDINGS, status=503, retry_after=60))
    await recognition.recognise()
    version = await fresh(waiting)
    assert (version.status, version.attempts) == (Status.RECOGNISING, 1)
    assert describe(version) == "waiting to be tried again"
    await Version.objects.aupdate(lease_until=None)
    await recognition.recognise()
    version = await fresh(waiting)
    assert (version.status, version.attempts, version.error) == (Status.READY, 0, "")
    await assert_in_order()


async def test_a_later_version_is_recognised_instead(
    waiting: Version, recogniser: type[FakeRecogniser], give: Give
) -> None:
    newer = await in_thread(give, "plan.pdf", pdf(PLAN, SCAN), keep=Keep.VERSION)
    await recognition.recognise()
    assert recogniser.history == []
    await index(newer.version.pk)
    await recognition.recognise()
    assert {chunk.version_id async for chunk in Chunk.objects.all()} == {newer.version.pk}
    await assert_in_order()


async def test_a_page_asked_for_at_the_last_moment_is_recognised_as_well(
    waiting: Version, recogniser: type[FakeRecogniser], monkeypatch: pytest.MonkeyPatch
) -> None:

    async def meanwhile(*given: Any) -> None:
        await replace(*given)
        if len(recogniser.history) == 1:
            await in_thread(read_again, waiting, 3)

    monkeypatch.setattr("documents.recognition.replace", meanwhile)
    await recognition.recognise()
    assert (await fresh(waiting)).status == Status.READY
    assert await how_read(waiting) == ["text", "ocr", "ocr"]


# --- One page anew ------------------------------------------------------------------------------


async def test_a_failed_page_is_read_again_by_its_text(waiting: Version, recogniser: type[FakeRecogniser]) -> None:
    await recognition.recognise()
    await Page.objects.filter(version=waiting, number=1).aupdate(how_read=HowRead.FAILED, text="", error="Broken.")
    recogniser.history.clear()
    await in_thread(read_again, waiting, 1)
    assert (await fresh(waiting)).status == Status.RECOGNISING
    await recognition.recognise()
    page = await Page.objects.aget(version=waiting, number=1)
    assert (page.text, page.how_read, page.error) == ("The harbour plan", "text", "")
    assert recogniser.history == []
    assert (await fresh(waiting)).status == Status.READY
    await assert_in_order()


async def test_a_page_with_text_is_recognised_when_asked(
    system: Wiring, library: Library, waiting: Version, recogniser: type[FakeRecogniser]
) -> None:
    await recognition.recognise()
    await in_thread(read_again, waiting, 1)
    assert "The harbour plan" in await found(system, library, "harbour"), "it is found until then"
    await recognition.recognise()
    assert await how_read(waiting) == ["ocr", "ocr", "text"]
    assert (await found(system, library, "Recognised1"))[0] == "Recognised1 in plan.pdf"
    await assert_in_order()


@pytest.mark.parametrize(
    ("recognised", "kept", "how_read"),
    [("Minutes of the harbour board", "Minutes of the harbour board", "ocr"), ("Page", "Page 7", "text")],
)
async def test_the_few_letters_on_a_scan_are_not_given_up_for_less(
    system: Wiring,
    library: Library,
    recogniser: type[FakeRecogniser],
    give: Give,
    recognised: str,
    kept: str,
    how_read: str,
) -> None:
    scan = "q 600 0 0 800 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID w EI Q " + text((280, 20, "Page 7"))
    version = (await in_thread(give, "scan.pdf", pdf(scan))).version
    await index(version.pk)
    assert await found(system, library, "page") == ["Page 7"], "it can be found meanwhile"
    block = Block(BlockKind.PARAGRAPH, 0, len(recognised))
    recogniser.replies = [types.Page(1, recognised, (block,), how_read=HowRead.OCR)]
    await recognition.recognise()
    page = await Page.objects.aget(version=version)
    assert (page.text, page.how_read) == (kept, how_read)
    assert (await fresh(version)).status == Status.READY
    await assert_in_order()


async def test_a_text_is_not_given_up_for_nothing(waiting: Version, recogniser: type[FakeRecogniser]) -> None:
    await recognition.recognise()
    await in_thread(read_again, waiting, 1)
    recogniser.replies = [types.Page(1, "", how_read=HowRead.EMPTY, error="Nothing.")]
    await recognition.recognise()
    page = await Page.objects.aget(version=waiting, number=1)
    assert (page.text, page.how_read, page.error) == ("The harbour plan", "text", "Nothing.")


async def test_a_version_that_is_not_whole_or_not_wanted_is_left_alone(waiting: Version, give: Give) -> None:
    await Version.objects.aupdate(status=Status.EMBEDDING)
    await in_thread(read_again, waiting, 1)
    await Version.objects.aupdate(status=Status.READY)
    await in_thread(give, "plan.pdf", pdf(PLAN), keep=Keep.VERSION)
    await in_thread(read_again, waiting, 1)
    assert await how_read(waiting) == ["text", "waiting", "text"]


async def test_an_editor_has_a_page_read_again(client: Client, owner: User, waiting: Version) -> None:
    await recognition.recognise()
    await in_thread(client.force_login, owner)
    address = reverse("page-read", args=[waiting.document_id, 1, 3])
    response = await in_thread(client.post, address)
    assert response["Location"] == f"{waiting.document.get_absolute_url()}?page=3"
    assert await how_read(waiting) == ["text", "ocr", "waiting"]
    assert (await fresh(waiting)).status == Status.RECOGNISING


async def test_no_picture_is_asked_for_of_a_damaged_page_that_waits(
    client: Client, owner: User, waiting: Version
) -> None:
    await in_thread(client.force_login, owner)
    scan, damaged = (reverse("page", args=[waiting.document_id, 1, number]) for number in (2, 3))
    assert "<img" in (await in_thread(client.get, scan)).text
    await recognition.recognise()
    await in_thread(client.post, reverse("page-read", args=[waiting.document_id, 1, 2]))
    assert "<img" in (await in_thread(client.get, scan)).text, "its size is known still"
    nothing = {"text": "", "width": None, "height": None}
    await Page.objects.filter(number=3).aupdate(how_read=HowRead.FAILED, **nothing)
    await in_thread(client.post, reverse("page-read", args=[waiting.document_id, 1, 3]))
    page = (await in_thread(client.get, damaged)).text
    assert "This page waits to be read." in page
    assert "<img" not in page


async def test_readers_and_strangers_have_nothing_read_again(
    client: Client, teammate: User, stranger: User, waiting: Version
) -> None:
    await recognition.recognise()
    for user in (teammate, stranger):
        await in_thread(client.force_login, user)
        address = reverse("page-read", args=[waiting.document_id, 1, 3])
        assert (await in_thread(client.post, address)).status_code == 404
    assert await how_read(waiting) == ["text", "ocr", "text"]
    await in_thread(client.force_login, teammate)
    page = (await in_thread(client.get, waiting.document.get_absolute_url())).text
    assert "Recognise the text" not in page
