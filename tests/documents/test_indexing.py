"""A version's way into the index, and everything that can go wrong on it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from documents import indexing, versions
from documents.indexing import TryAgain, index
from documents.ingest import Keep, Received, delete, receive
from documents.leases import Lease, LeaseLost
from documents.models import Chunk, Document, Embedding, Library, Membership, User, Version
from documents.rag.types import Question
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, OpenAIServer, Reply, embed
from tests.rag.pdfs import pdf, text

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

LEAVE = "# Leave\n\nEveryone has 25 days of leave a year.\n\n## Sick leave\n\nTell your manager on the first day.\n"
LONG = "\n\n".join(f"# Part {part}\n\n" + f"Sentence {part} of the long handbook. " * 120 for part in range(60))


@pytest.fixture
def taken(give: Give) -> Received:
    return give("leave.md", LEAVE)


async def fresh(received: Received) -> Version:
    return await Version.objects.select_related("document").aget(pk=received.version.pk)


async def once_it_can_be_searched(received: Received) -> Version:
    while (version := await fresh(received)).document.current_id != version.pk:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return version


async def found(system: Wiring, library: Library, text: str) -> list[str]:
    passages = await (await system.system([library.pk])).search(Question(text), strategy="naive")
    return [passage.text for passage in passages]


def sent(model: OpenAIServer, after: int) -> list[str]:
    """The texts that were embedded in the requests after so many."""
    return [text for request in model.requests(EMBEDDINGS)[after:] for text in request.body["input"]]


async def assert_vectors_fit_texts() -> None:
    async for stored in Embedding.objects.select_related("chunk__version__document"):
        title = stored.chunk.version.title
        path = dict.fromkeys([title, *stored.chunk.heading_path])
        text = f"{' > '.join(path)}\n{stored.chunk.text}"
        assert np.allclose(stored.vector, embed(text), atol=1e-3)


async def expire(version: Version) -> None:
    await Version.objects.filter(pk=version.pk).aupdate(lease_until=timezone.now() - timedelta(seconds=1))


async def test_it_works(system: Wiring, library: Library, taken: Received) -> None:
    await index(taken.version.pk)
    version = await fresh(taken)
    assert version.status == Version.Status.READY
    assert version.document.current_id == version.pk
    assert version.document.title == "Leave"
    assert (version.pages_total, version.pages_read, version.pages_indexed) == (2, 2, 2)
    assert version.chunks_indexed == version.chunks_total == await Chunk.objects.acount()
    assert "25 days" in (await found(system, library, "How many days of leave?"))[0]


async def test_a_finished_version_is_left_alone(system: Wiring, model: OpenAIServer, taken: Received) -> None:
    await index(taken.version.pk)
    requests = len(model.requests(EMBEDDINGS))
    await index(taken.version.pk)
    assert len(model.requests(EMBEDDINGS)) == requests


async def test_what_another_worker_has_is_left_alone(system: Wiring, taken: Received) -> None:
    assert await in_thread(Lease(taken.version.pk).take)
    await index(taken.version.pk)
    assert (await fresh(taken)).pages_read == 0


async def test_what_a_dead_worker_left_is_gone_on_with(
    system: Wiring, model: OpenAIServer, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "RANGE_CHARACTERS", 30_000)
    received = await in_thread(give, "long.md", LONG)
    model.queue(
        Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, status=400)
    )
    await index(received.version.pk)
    broken_off = await fresh(received)
    assert 0 < broken_off.pages_indexed < broken_off.pages_read
    await Version.objects.filter(pk=broken_off.pk).aupdate(status=Version.Status.EMBEDDING)

    await index(received.version.pk)
    version = await fresh(received)
    assert version.status == Version.Status.READY
    chunks = [chunk async for chunk in Chunk.objects.order_by("position")]
    assert [chunk.position for chunk in chunks] == list(range(version.chunks_indexed))
    for part in range(60):
        assert any(f"Sentence {part} of" in chunk.text for chunk in chunks)


async def test_its_first_pages_can_be_found_while_the_others_are_worked_on(
    system: Wiring, library: Library, model: OpenAIServer, give: Give
) -> None:
    received = await in_thread(give, "long.md", LONG)
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, hang=True))
    working = asyncio.create_task(index(received.version.pk))
    await in_thread(model.wait_for_request, 3, EMBEDDINGS)
    version = await once_it_can_be_searched(received)
    assert version.status != Version.Status.READY
    assert 0 < version.pages_indexed < 60
    assert "Sentence 0 of" in (await found(system, library, "Sentence 0"))[0]
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_new_version_is_not_found_before_it_is_ready(
    system: Wiring, library: Library, model: OpenAIServer, give: Give
) -> None:
    received = await in_thread(give, "long.md", LONG)
    await index(received.version.pk)
    newer = await in_thread(give, "long.md", LONG.replace("Sentence", "Statement"), keep=Keep.VERSION)
    before = len(model.requests(EMBEDDINGS))
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, hang=True))
    working = asyncio.create_task(index(newer.version.pk))
    await in_thread(model.wait_for_request, before + 3, EMBEDDINGS)
    while not await Chunk.objects.filter(version=newer.version).aexists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert "Sentence" in (await found(system, library, "Statement 0"))[0]
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (await fresh(newer)).document.current_id == received.version.pk


async def test_what_is_superseded_half_way_is_found_until_the_later_one_is_ready(
    system: Wiring, library: Library, model: OpenAIServer, give: Give
) -> None:
    received = await in_thread(give, "long.md", LONG)
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, hang=True))
    working = asyncio.create_task(index(received.version.pk))
    await once_it_can_be_searched(received)
    newer = await in_thread(give, "long.md", LEAVE, keep=Keep.VERSION)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    await in_thread(versions.forget_unless_wanted, received.version.pk)
    assert "Sentence 0 of" in (await found(system, library, "Sentence 0"))[0]
    await index(newer.version.pk)
    assert {chunk.version_id async for chunk in Chunk.objects.all()} == {newer.version.pk}


async def test_what_is_broken_off_can_be_gone_on_with_at_once(
    system: Wiring, model: OpenAIServer, taken: Received
) -> None:
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, hang=True))
    working = asyncio.create_task(index(taken.version.pk))
    await in_thread(model.wait_for_request, 2, EMBEDDINGS)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (await fresh(taken)).lease is None
    await index(taken.version.pk)
    assert (await fresh(taken)).status == Version.Status.READY


async def test_pages_that_were_read_are_not_read_again(system: Wiring, model: OpenAIServer, taken: Received) -> None:
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, status=400))
    await index(taken.version.pk)
    version = await fresh(taken)
    assert version.pages_read == 2
    version.file.delete(save=False)
    await Version.objects.filter(pk=version.pk).aupdate(status=Version.Status.READING)
    await index(version.pk)
    assert (await fresh(taken)).status == Version.Status.READY


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("plan.pdf", b"%PDF-1.7\nbroken", "plan.pdf is damaged and can't be read."),
        ("blank.pdf", pdf(""), "blank.pdf has no text"),
    ],
)
async def test_what_cannot_be_read_fails_with_a_sentence(
    system: Wiring, give: Give, name: str, content: bytes, sentence: str
) -> None:
    received = await in_thread(give, name, content)
    await index(received.version.pk)
    version = await fresh(received)
    assert version.status == Version.Status.FAILED
    assert version.error.startswith(sentence)
    assert version.document.current_id is None
    assert version.lease is None


async def test_a_page_without_text_says_so(system: Wiring, give: Give) -> None:
    received = await in_thread(give, "half.pdf", pdf(text((50, 700, "The plan")), ""))
    await index(received.version.pk)
    version = await fresh(received)
    assert version.status == Version.Status.READY
    assert (await version.pages.aget(number=2)).error == "This page has no text."


async def test_a_file_that_is_gone_fails_with_a_sentence(system: Wiring, taken: Received) -> None:
    taken.version.file.delete(save=False)
    await index(taken.version.pk)
    assert (await fresh(taken)).error == "The file of leave.md is gone from the storage. Upload it again."


async def test_a_model_that_is_away_is_tried_again_later(system: Wiring, model: OpenAIServer, taken: Received) -> None:
    model.queue(*[Reply(path=EMBEDDINGS, status=503, retry_after=60)] * 2)
    with pytest.raises(TryAgain) as raised:
        await index(taken.version.pk)
    version = await fresh(taken)
    assert version.status == Version.Status.QUEUED
    assert version.attempts == 1
    assert "failed while running" in version.error
    assert version.lease_until is not None
    assert raised.value.seconds == 60, "the endpoint asked for it"

    await index(version.pk)
    assert (await fresh(taken)).status == Version.Status.QUEUED, "it waits for its time"
    await expire(version)
    model.queue(Reply(path=EMBEDDINGS))
    await Version.objects.filter(pk=version.pk).aupdate(lease_until=None)
    with pytest.raises(TryAgain):
        await index(version.pk)
    await Version.objects.filter(pk=version.pk).aupdate(lease_until=None)
    await index(version.pk)
    version = await fresh(taken)
    assert version.status == Version.Status.READY
    assert (version.error, version.attempts) == ("", 0)


async def test_a_model_that_stays_away_fails_the_document(system: Wiring, model: OpenAIServer, taken: Received) -> None:
    await Version.objects.filter(pk=taken.version.pk).aupdate(attempts=indexing.TRIES - 1)
    model.queue(Reply(path=EMBEDDINGS, status=503, retry_after=60))
    await index(taken.version.pk)
    version = await fresh(taken)
    assert version.status == Version.Status.FAILED
    assert version.error.endswith("It was tried 6 times; try again when that is mended.")


async def test_a_new_version_takes_the_place_of_the_old_one_when_it_is_ready(
    system: Wiring, library: Library, model: OpenAIServer, give: Give, taken: Received
) -> None:
    await index(taken.version.pk)
    newer = await in_thread(give, "leave.md", LEAVE.replace("25", "30"), keep=Keep.VERSION)
    assert "25 days" in (await found(system, library, "days of leave"))[0]
    await index(newer.version.pk)
    assert "30 days" in (await found(system, library, "days of leave"))[0]
    assert not await Chunk.objects.filter(version=taken.version).aexists()
    assert (await fresh(newer)).document.current_id == newer.version.pk


async def test_only_what_a_new_version_changes_is_embedded(system: Wiring, model: OpenAIServer, give: Give) -> None:
    received = await in_thread(give, "long.md", LONG)
    await index(received.version.pk)
    before = len(model.requests(EMBEDDINGS))
    changed = LONG.replace("Sentence 7 of", "Statement 7 of", 1)
    newer = await in_thread(give, "long.md", changed, keep=Keep.VERSION)
    await index(newer.version.pk)
    texts = sent(model, before)
    assert len(texts) == 1
    assert "Statement 7 of" in texts[0]
    assert await Chunk.objects.acount() == (await fresh(newer)).chunks_indexed > 60
    await assert_vectors_fit_texts()


async def test_a_text_is_embedded_once_for_all_libraries(
    system: Wiring, model: OpenAIServer, owner: User, give: Give
) -> None:
    await index((await in_thread(give, "long.md", LONG)).version.pk)
    before = len(model.requests(EMBEDDINGS))
    other = await Library.objects.acreate(name="Other")
    await Membership.objects.acreate(library=other, user=owner, role=Membership.Role.OWNER)
    again = await in_thread(receive, owner, other, ContentFile(LONG.encode(), "long.md"))
    await index(again.version.pk)
    assert sent(model, before) == []
    assert "Sentence 5 of" in (await found(system, other, "Sentence 5"))[0]
    await assert_vectors_fit_texts()


async def test_what_comes_back_is_not_embedded_again(system: Wiring, model: OpenAIServer, give: Give) -> None:
    received = await in_thread(give, "long.md", LONG)
    await index(received.version.pk)
    before = len(model.requests(EMBEDDINGS))
    await in_thread(delete, received.version.document)
    await index((await in_thread(give, "long.md", LONG)).version.pk)
    assert sent(model, before) == []


async def test_equal_texts_of_a_batch_are_embedded_once(system: Wiring, model: OpenAIServer, give: Give) -> None:
    received = [await in_thread(give, f"copy {number}.md", LEAVE) for number in range(5)]
    await index(*(each.version.pk for each in received))
    assert len(sent(model, 0)) == 2, "and one was asked for its dimensions"
    assert await Chunk.objects.acount() == 5


async def test_a_version_that_fails_leaves_the_old_one_in_force(
    system: Wiring, library: Library, model: OpenAIServer, give: Give, taken: Received
) -> None:
    await index(taken.version.pk)
    newer = await in_thread(give, "leave.md", LEAVE.replace("25", "30"), keep=Keep.VERSION)
    model.queue(Reply(path=EMBEDDINGS, status=400))
    await index(newer.version.pk)
    assert (await fresh(newer)).document.current_id == taken.version.pk
    assert "25 days" in (await found(system, library, "days of leave"))[0]


async def test_an_earlier_version_comes_back(system: Wiring, library: Library, give: Give, taken: Received) -> None:
    await index(taken.version.pk)
    newer = await in_thread(give, "leave.md", LEAVE.replace("25", "30"), keep=Keep.VERSION)
    await index(newer.version.pk)
    restored = await in_thread(give, "leave.md", LEAVE, keep=Keep.VERSION)
    await index(restored.version.pk)
    assert "25 days" in (await found(system, library, "days of leave"))[0]
    assert not await Chunk.objects.filter(version=newer.version).aexists()


async def test_a_version_that_is_superseded_meanwhile_leaves_nothing(
    system: Wiring, give: Give, taken: Received
) -> None:
    newer = await in_thread(give, "leave.md", LEAVE.replace("25", "30"), keep=Keep.VERSION)
    await index(taken.version.pk)
    assert not await Chunk.objects.aexists()
    await index(newer.version.pk)
    assert (await fresh(newer)).document.current_id == newer.version.pk


async def test_who_works_on_a_version_stops_when_it_is_superseded_or_deleted(give: Give, taken: Received) -> None:
    first = Lease(taken.version.pk)
    assert await in_thread(first.take)
    newer = await in_thread(give, "leave.md", LEAVE.replace("25", "30"), keep=Keep.VERSION)
    with pytest.raises(LeaseLost):
        await in_thread(first.write, pages_read=1)
    second = Lease(newer.version.pk)
    assert await in_thread(second.take)
    await in_thread(delete, newer.version.document)
    with pytest.raises(LeaseLost):
        await in_thread(second.write, pages_read=1)
    assert not await in_thread(Lease(newer.version.pk).take)


async def test_a_deleted_document_is_not_found_any_more(system: Wiring, library: Library, taken: Received) -> None:
    await index(taken.version.pk)
    await Document.objects.aupdate(deleted_at=timezone.now())
    assert await found(system, library, "days of leave") == []
