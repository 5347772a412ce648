"""One page put in the place of another, while everything else of the document stays."""

from __future__ import annotations

import pytest

from documents.indexing import index
from documents.leases import Lease, LeaseLost
from documents.management.commands import doctor
from documents.models import Chunk, Library, Version
from documents.rag.types import PAGE_BREAK, HowRead, Page, Question
from documents.replacing import replace
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, OpenAIServer
from tests.rag.pdfs import pdf, text

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

FULL = text(*[(72, 760 - 12 * row, f"Line {row} tells of the harbour and of its ships.") for row in range(55)])
BLANK = ""


async def indexed(give: Give, *pages: str) -> tuple[Lease, Version]:
    """A version that is ready, and the lease of someone who works on it."""
    received = await in_thread(give, "log.pdf", pdf(*pages))
    await index(received.version.pk)
    lease = Lease(received.version.pk)
    await Version.objects.filter(pk=received.version.pk).aupdate(lease=lease.key)
    return lease, await Version.objects.select_related("document").aget(pk=received.version.pk)


async def chunks(version: Version) -> list[Chunk]:
    return [chunk async for chunk in Chunk.objects.filter(version=version).order_by("position")]


async def assert_in_order(version: Version) -> None:
    """Positions are counted through, each chunk's text stands where it says, and the index has each of them once."""
    found = await chunks(version)
    texts = {page.number: page.text async for page in version.pages.all()}
    assert [chunk.position for chunk in found] == list(range(len(found)))
    for chunk in found:
        assert chunk.text == PAGE_BREAK.join(texts[page][start:end] for page, start, end in chunk.spans)
    assert [chunk.spans[0][:2] for chunk in found] == sorted(chunk.spans[0][:2] for chunk in found)
    fresh = await Version.objects.aget(pk=version.pk)
    assert fresh.chunks_indexed == fresh.chunks_total == len(found)
    await in_thread(doctor.orphans)


async def test_a_page_that_had_no_text_gets_its_place_between_the_others(
    system: Wiring, library: Library, give: Give
) -> None:
    lease, version = await indexed(give, FULL, BLANK, FULL)
    before = await chunks(version)
    await replace(lease, version, Page(2, "The lighthouse is white.", how_read=HowRead.OCR))
    after = await chunks(version)
    assert len(after) == len(before) + 1
    assert {chunk.pk for chunk in before} < {chunk.pk for chunk in after}, "the others are the same"
    assert [chunk.text for chunk in after if chunk.spans[0][0] == 2] == ["The lighthouse is white."]
    row = await version.pages.aget(number=2)
    assert (row.text, row.how_read, row.error) == ("The lighthouse is white.", "ocr", "")
    await assert_in_order(version)
    passages = await (await system.system([library.pk])).search(Question("lighthouse"), strategy="hybrid")
    assert passages[0].text == "The lighthouse is white."


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_a_page_that_shares_chunks_with_its_neighbours_leaves_them_their_text(
    system: Wiring, give: Give, number: int
) -> None:
    lease, version = await indexed(give, *[FULL] * 4)
    shared = [chunk for chunk in await chunks(version) if len(chunk.spans) > 1]
    assert shared, "chunks cross these pages"
    await replace(lease, version, Page(number, "The lighthouse is white.", how_read=HowRead.OCR))
    await assert_in_order(version)
    texts = {page.number: page.text async for page in version.pages.all()}
    for page, whole in texts.items():
        spans = [span for chunk in await chunks(version) for span in chunk.spans if span[0] == page]
        covered = {at for _, start, end in spans for at in range(start, end)}
        assert not {at for at, character in enumerate(whole) if not character.isspace()} - covered


async def test_only_chunks_with_text_of_the_page_are_embedded(system: Wiring, model: OpenAIServer, give: Give) -> None:
    lease, version = await indexed(give, *[FULL.replace("harbour", word) for word in ("quay", "pier", "dock", "wharf")])
    before = len(model.requests(EMBEDDINGS))
    page = await version.pages.aget(number=1)
    await replace(lease, version, Page(1, page.text.replace("quay", "jetty"), how_read=HowRead.OCR))
    embedded = [text for request in model.requests(EMBEDDINGS)[before:] for text in request.body["input"]]
    assert any("jetty" in text for text in embedded)
    assert not any("wharf" in text for text in embedded)


async def test_a_page_may_lose_its_text(system: Wiring, give: Give) -> None:
    lease, version = await indexed(give, FULL, BLANK, FULL)
    await replace(lease, version, Page(1, "", how_read=HowRead.EMPTY, error="This page has no text."))
    assert {chunk.spans[0][0] for chunk in await chunks(version)} == {3}
    await assert_in_order(version)


async def test_who_has_lost_the_version_changes_nothing(system: Wiring, give: Give) -> None:
    _, version = await indexed(give, FULL, BLANK)
    before = [chunk.pk for chunk in await chunks(version)]
    with pytest.raises(LeaseLost):
        await replace(Lease(version.pk), version, Page(2, "The lighthouse is white.", how_read=HowRead.OCR))
    assert [chunk.pk for chunk in await chunks(version)] == before
    assert (await version.pages.aget(number=2)).text == ""
