"""Short documents, which are indexed many at a time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from documents import versions
from documents.indexing import TryAgain, index
from documents.ingest import Received, delete
from documents.leases import Lease
from documents.models import Chunk, Library, Posting, Version
from documents.rag.types import Question
from documents.short import MOST, MOST_BYTES, lots
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, OpenAIServer, Reply

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

READY, FAILED, QUEUED = Version.Status.READY, Version.Status.FAILED, Version.Status.QUEUED


@pytest.fixture
def taken(give: Give) -> list[Received]:
    return [give(f"note {number}.md", f"# Note {number}\n\nThe word is number{number}.\n") for number in range(5)]


def ids(taken: Sequence[Received]) -> list[int]:
    return [received.version.pk for received in taken]


async def statuses() -> list[str]:
    return [status async for status in Version.objects.order_by("pk").values_list("status", flat=True)]


async def assert_each_is_found_once(system: Wiring, library: Library, *numbers: int) -> None:
    for number in numbers:
        found = await (await system.system([library.pk])).search(Question(f"number{number}"), strategy="hybrid")
        assert [passage.source for passage in found if f"number{number}." in passage.text] == [f"note {number}.md"]


async def test_it_works(system: Wiring, library: Library, model: OpenAIServer, taken: list[Received]) -> None:
    await index(*ids(taken))
    assert await statuses() == [READY] * 5
    async for version in Version.objects.select_related("document"):
        assert version.document.current_id == version.pk
        assert version.document.title == version.document.name.removesuffix(".md").capitalize()
        assert (version.pages_total, version.pages_read, version.pages_indexed) == (1, 1, 1)
        assert version.chunks_indexed == version.chunks_total == 1
        assert (version.lease, version.lease_until) == (None, None)
    assert len(model.requests(EMBEDDINGS)) == 2, "one to learn the dimensions, one for all texts"
    await assert_each_is_found_once(system, library, *range(5))


async def test_they_share_their_postings(system: Wiring, taken: list[Received]) -> None:
    await index(*ids(taken))
    assert await Posting.objects.filter(term="").acount() == 1


async def test_one_that_cannot_be_read_fails_alone(system: Wiring, library: Library, taken: list[Received]) -> None:
    taken[3].version.file.delete(save=False)
    await index(*ids(taken))
    assert await statuses() == [READY, READY, READY, FAILED, READY]
    failed = await Version.objects.aget(pk=taken[3].version.pk)
    assert failed.error == "The file of note 3.md is gone from the storage. Upload it again."
    await assert_each_is_found_once(system, library, 0, 1, 2, 4)


async def test_one_whose_text_the_model_refuses_fails_alone(
    system: Wiring, library: Library, model: OpenAIServer, taken: list[Received]
) -> None:
    # Of all five, of the first two, of the other three, and of the first of these.
    outcomes = [Reply(path=EMBEDDINGS, status=400), Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, status=400)]
    model.queue(Reply(path=EMBEDDINGS), *outcomes, Reply(path=EMBEDDINGS, status=400))
    await index(*ids(taken))
    assert await statuses() == [READY, READY, FAILED, READY, READY]
    await assert_each_is_found_once(system, library, 0, 1, 3, 4)


async def test_one_that_is_deleted_meanwhile_holds_up_no_other(
    system: Wiring, library: Library, taken: list[Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(lease: Lease) -> None:
        delete(taken[1].version.document)
        make_current(lease)

    make_current = versions.make_current
    monkeypatch.setattr(versions, "make_current", meanwhile)
    await index(*ids(taken))
    assert (await statuses()).count(READY) == 4
    await assert_each_is_found_once(system, library, 0, 2, 3, 4)


async def test_a_model_that_is_away_holds_up_all_of_them(
    system: Wiring, library: Library, model: OpenAIServer, taken: list[Received]
) -> None:
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, status=503, retry_after=60))
    with pytest.raises(TryAgain):
        await index(*ids(taken))
    assert await statuses() == [QUEUED] * 5
    assert {version.attempts async for version in Version.objects.all()} == {1}
    await Version.objects.aupdate(lease_until=None)
    await index(*ids(taken))
    assert await statuses() == [READY] * 5
    await assert_each_is_found_once(system, library, *range(5))


async def test_what_a_dead_worker_left_is_there_once(
    system: Wiring, library: Library, model: OpenAIServer, taken: list[Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(lease: Lease) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(versions, "make_current", die)
        with pytest.raises(Killed):
            await index(*ids(taken))
    assert await Chunk.objects.acount() == 5
    await Version.objects.aupdate(lease=None, lease_until=None)
    await index(*ids(taken))
    assert await statuses() == [READY] * 5
    assert await Chunk.objects.acount() == 5
    await assert_each_is_found_once(system, library, *range(5))


async def test_a_lot_is_neither_too_many_nor_too_much_and_a_long_one_is_alone() -> None:
    def version(size: int, media_type: str = "text/plain") -> Version:
        return Version(bytes=size, media_type=media_type)

    small = [version(10) for _ in range(MOST + 1)]
    assert [len(lot) for lot in lots(small)] == [MOST, 1]
    assert [len(lot) for lot in lots([version(MOST_BYTES // 3)] * 4)] == [3, 1]
    pdf, long = version(10, "application/pdf"), version(MOST_BYTES)
    assert list(lots([pdf, small[0], long, small[1]])) == [[pdf], [long], [small[0], small[1]]]
