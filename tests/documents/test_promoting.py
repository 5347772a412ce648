"""Another embedding model takes over while documents come in: nothing is left without vectors, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from documents import reembedding, spaces, strays
from documents.indexing import TryAgain, index
from documents.models import Chunk, Embedding, EmbeddingSpace, Library, Version
from documents.rag.errors import ModelRefused
from documents.rag.types import Question
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, MODELS, OpenAIServer, Reply

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = "scripted-small"
State = EmbeddingSpace.State


async def upload(give: Give, name: str) -> Version:
    received = await in_thread(give, f"{name}.md", f"# {name}\n\nThe {name} is in the harbour.")
    return received.version


async def finish(version: Version) -> None:
    """Index it, as a worker does: again where it is told to."""
    while True:
        try:
            return await index(version.pk)
        except TryAgain:
            await Version.objects.filter(pk=version.pk).aupdate(lease_until=None)


async def promote() -> None:
    await spaces.put_in_force(await EmbeddingSpace.objects.aget(state=State.BUILDING))


async def assert_whole() -> None:
    """Every chunk is in the space that serves, and nothing belongs to nothing."""
    assert await in_thread(strays.rows) == {}
    live = Embedding.objects.filter(space__state="live", space__model=SMALL)
    assert await live.values("chunk").distinct().acount() == await Chunk.objects.acount()


@pytest.fixture
async def built(system: Wiring, give: Give) -> None:
    """A document, and a second space that is ready."""
    await finish(await upload(give, "lighthouse"))
    await spaces.begin(SMALL)
    await reembedding.go_on()


async def test_what_was_embedded_by_the_old_model_when_it_went_is_embedded_again(
    built: None, model: OpenAIServer, give: Give
) -> None:
    version = await upload(give, "mole")
    model.queue(Reply(path=EMBEDDINGS, hold_at=0))
    indexing = asyncio.create_task(index(version.pk))
    held = await in_thread(model.wait_for_request, len(model.requests(EMBEDDINGS)) + 1, EMBEDDINGS)
    assert held.body["model"] != SMALL
    await promote()
    model.release()
    with pytest.raises(TryAgain):
        await indexing
    assert (
        await Version.objects.aget(pk=version.pk)
    ).error == "Another embedding model has taken over in the meantime."
    await Version.objects.filter(pk=version.pk).aupdate(lease_until=None)
    await finish(version)
    assert (await Version.objects.aget(pk=version.pk)).status == Version.Status.READY
    await assert_whole()


async def test_uploads_go_on_while_it_takes_over(built: None, give: Give) -> None:
    uploads = [await upload(give, f"boat {number}") for number in range(12)]
    early = [asyncio.create_task(finish(version)) for version in uploads[:6]]
    await asyncio.wait(early, return_when=asyncio.FIRST_COMPLETED)
    promoting = asyncio.create_task(promote())
    late = [asyncio.create_task(finish(version)) for version in uploads[6:]]
    await asyncio.gather(promoting, *early, *late)
    assert await Version.objects.filter(status=Version.Status.READY).acount() == 13
    await assert_whole()


async def test_a_model_that_can_not_close_the_gap_does_not_take_over(
    built: None, model: OpenAIServer, give: Give
) -> None:
    await finish(await upload(give, "mole"))
    model.queue(Reply(path=EMBEDDINGS, status=401))
    with pytest.raises(ModelRefused, match="refused the key for scripted-small"):
        await promote()
    assert await EmbeddingSpace.objects.filter(state=State.BUILDING, model=SMALL).aexists()
    await promote()
    await assert_whole()


async def test_much_that_is_missing_is_told_and_nothing_changes(
    built: None, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finish(await upload(give, "mole"))
    monkeypatch.setattr(spaces, "LAST_GAP", 0)
    monkeypatch.setattr(spaces, "ALMOST", 0)
    with pytest.raises(spaces.Refused, match=r"1 chunk is missing in scripted-small \(64\)\."):
        await promote()
    assert await EmbeddingSpace.objects.filter(state=State.BUILDING, model=SMALL).aexists()


async def test_a_space_that_is_thrown_away_meanwhile_does_not_take_over(built: None) -> None:
    row = await EmbeddingSpace.objects.aget(state=State.BUILDING)
    await spaces.discard(State.BUILDING)
    with pytest.raises(spaces.Refused, match=r"scripted-small \(64\) has just been thrown away\."):
        await spaces.put_in_force(row)
    assert await EmbeddingSpace.objects.filter(state=State.LIVE, model=MODELS[1]).aexists()


async def test_a_chunk_that_was_passed_over_is_still_looked_for(built: None, give: Give) -> None:
    """Chunks may be committed in another order than that of their ids."""
    await finish(await upload(give, "mole"))
    await reembedding.go_on()
    first = await Chunk.objects.order_by("pk").afirst()
    await Embedding.objects.filter(chunk=first, space__model=SMALL).adelete()
    assert [now.state for now in await reembedding.standings()] == ["live", "building"]
    await reembedding.go_on()
    assert [now.state for now in await reembedding.standings()] == ["live", "ready"]


async def test_a_question_under_way_is_answered_in_the_space_it_began_in(
    built: None, system: Wiring, model: OpenAIServer, library: Library
) -> None:
    begun = await system.system([library.pk])
    await promote()
    asked = len(model.requests(EMBEDDINGS))
    for searching in (begun, await system.system([library.pk])):
        [found] = await searching.search(Question("Where is the lighthouse?"), strategy="naive")
        assert found.metadata["name"] == "lighthouse.md"
    assert [request.body["model"] for request in model.requests(EMBEDDINGS)[asked:]] == [MODELS[1], SMALL]
