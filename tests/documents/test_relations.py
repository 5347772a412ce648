"""What passages say of what: read in the background where a library wants it, followed, shown and forgotten."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from documents import relations
from documents.indexing import index
from documents.models import Block, Budget, Chunk, Document, Endpoint, Library, Mention, Relation, Usage, User, Version
from documents.moving import move
from documents.rag.types import Question
from documents.strays import rows
from documents.threads import in_thread
from documents.upkeep import renew_blocks
from documents.vector_db import remove
from documents.wiring import Wiring, open_system
from tests.documents.conftest import Give
from tests.openai_server import CHAT, OpenAIServer, Reply

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

HARBOUR = "the old harbour was planned by a woman from bergen."
BERGEN = "the woman from bergen studied the currents of the north sea."
SAID = [["old harbour", "was planned by", "a woman from bergen"]]
STUDIED = [["woman from bergen", "studied", "currents of the north sea"]]


@pytest_asyncio.fixture
async def wiring(transactional_db: None, model: OpenAIServer, settings: Settings) -> AsyncIterator[Wiring]:
    settings.CHAT_MODEL = "scripted-chat"
    async with open_system() as opened:
        yield opened


async def written(give: Give, *texts: str) -> list[Version]:
    """Indexed documents of a library that is to be read."""
    received = [await in_thread(give, f"{number}.txt", text) for number, text in enumerate(texts)]
    for one in received:
        await index(one.version.pk)
    await Library.objects.aupdate(relations=True)
    return [one.version for one in received]


def says(*relations: Sequence[Sequence[str]]) -> list[Reply]:
    return [Reply(json.dumps(of_passage)) for of_passage in relations]


async def test_what_is_read_is_kept_once_and_its_ends_are_names(
    wiring: Wiring, give: Give, model: OpenAIServer
) -> None:
    await written(give, HARBOUR)
    model.queue(*says(SAID))
    await relations.read()
    [relation] = [one async for one in Relation.objects.all()]
    assert str(relation) == "old harbour was planned by a woman from bergen"
    assert {mention.key async for mention in Mention.objects.all()} >= {"old harbour", "woman from bergen"}
    await Library.objects.aupdate(relations_due=None)
    await relations.read()
    assert len(model.requests(CHAT)) == 1
    assert await in_thread(rows) == {}


async def test_nothing_is_read_where_it_was_not_asked_for(wiring: Wiring, give: Give, model: OpenAIServer) -> None:
    await written(give, HARBOUR)
    await Library.objects.aupdate(relations=False)
    await relations.read()
    assert model.requests(CHAT) == []


async def test_graph_follows_what_was_read(wiring: Wiring, library: Library, give: Give, model: OpenAIServer) -> None:
    await written(give, HARBOUR, BERGEN, *(f"Nothing {number} about boats." for number in range(3)))

    async def steps() -> str:
        system = await wiring.system([library.pk])
        return " ".join([str(event) async for event in system.gather(Question("old harbour"), "graph")])

    assert "No name leads any further" in await steps()
    model.queue(*says(SAID, STUDIED, [], [], []))
    await relations.read()
    assert "Following 2 links between passages" in await steps()


async def test_its_page_tells_it_to_those_who_may_read_it(
    wiring: Wiring, give: Give, model: OpenAIServer, owner: User, stranger: User, client: Client
) -> None:
    await written(give, HARBOUR)
    model.queue(*says(SAID))
    await relations.read()

    def page(user: User) -> str:
        client.force_login(user)
        return client.get(reverse("name"), {"name": "Old harbour"}).text

    told = " ".join((await in_thread(page, owner)).split())
    assert "What is said of it" in told
    assert 'was planned by <a href="/names/?name=a+woman+from+bergen">a woman from bergen</a>' in told
    assert "?version=1&amp;page=1&amp;start=0" in told
    assert "planned" not in await in_thread(page, stranger)


async def test_what_keeps_it_is_told_and_tried_again(
    wiring: Wiring, library: Library, give: Give, model: OpenAIServer, owner: User, client: Client
) -> None:
    await written(give, HARBOUR)
    model.queue(*(Reply(status=500) for _ in range(3)))
    await relations.read()

    def page() -> str:
        client.force_login(owner)
        return client.get(library.get_absolute_url()).text

    assert "A chat model has read 0 of 1 passages" in await in_thread(page)
    assert "failed while running scripted-chat (HTTP 500)" in await in_thread(page)
    assert not await relations.due().aexists()
    await Library.objects.aupdate(relations_due=None)
    await relations.read()
    assert "A chat model has read 1 of 1 passages for what they say of what.</p>" in await in_thread(page)


async def test_a_passage_that_is_refused_alone_says_nothing_but_a_model_that_refuses_all_reads_none(
    wiring: Wiring, give: Give, model: OpenAIServer
) -> None:
    await written(give, HARBOUR, BERGEN)
    model.queue(*(Reply(status=401) for _ in range(2)))
    await relations.read()
    assert not await Chunk.objects.filter(related=True).aexists()
    assert "refused the key" in (await Library.objects.aget()).relations_error
    await Library.objects.aupdate(relations_due=None)
    model.queue(Reply(refusal="I won't."), *says(STUDIED))
    await relations.read()
    assert await Chunk.objects.filter(related=True).acount() == 2
    assert (await Library.objects.aget()).relations_error == ""


async def test_it_goes_to_own_endpoints_alone_where_a_library_says_so(
    wiring: Wiring, give: Give, model: OpenAIServer
) -> None:
    await Endpoint.objects.acreate(base_url=model.url, chat_model="scripted-chat", own=False)
    await written(give, HARBOUR)
    await Library.objects.aupdate(own_endpoints_only=True)
    await relations.read()
    assert model.requests(CHAT) == []
    assert (await Library.objects.aget()).relations_error == relations.NO_MODEL


async def test_it_costs_nobodys_money_but_the_teams_and_no_more_than_that(
    wiring: Wiring, give: Give, model: OpenAIServer
) -> None:
    await Endpoint.objects.acreate(base_url=model.url, chat_model="scripted-chat", own=True, prompt_price=1e6)
    await Budget.objects.acreate(scope="team", amount=5.0)
    await written(give, HARBOUR, BERGEN)
    await relations.read()
    spent = await Usage.objects.aget(kind="chat")
    assert (spent.user_id, spent.cost > 5.0) == (None, True)
    assert "The team's budget of 5 USD a month is spent." in (await Library.objects.aget()).relations_error


async def test_it_goes_with_its_document_moves_with_it_and_stays_when_names_are_found_anew(
    wiring: Wiring, library: Library, give: Give, model: OpenAIServer, owner: User
) -> None:
    [version] = await written(give, HARBOUR)
    model.queue(*says(SAID))
    await relations.read()
    await Block.objects.aupdate(analysis=0)
    await renew_blocks()
    assert await Mention.objects.filter(key="old harbour").aexists()
    other = await Library.objects.acreate(name="Other")
    await in_thread(move, await Document.objects.aget(), other)
    assert (await Relation.objects.aget()).library_id == other.pk
    assert await in_thread(rows) == {}
    async with wiring.pool.connection() as connection:
        await remove(connection, [version.pk])
    assert not await Relation.objects.aexists()


async def test_an_owner_switches_it_on_and_off_and_then_nothing_is_left(
    wiring: Wiring, library: Library, give: Give, model: OpenAIServer, owner: User, client: Client
) -> None:
    await written(give, HARBOUR)
    await Library.objects.aupdate(relations=False)

    def save(**fields: str) -> None:
        client.force_login(owner)
        sent = {"name": library.name, "visibility": library.visibility, **fields}
        assert client.post(reverse("library-change", args=[library.pk]), sent).status_code == 302

    await in_thread(save, relations="on")
    model.queue(*says(SAID))
    await relations.read()
    assert await Relation.objects.aexists()
    await in_thread(save)
    await renew_blocks()
    assert not await Relation.objects.aexists()
    assert not await Mention.objects.filter(key="old harbour").aexists()
    assert not await Chunk.objects.filter(related=True).aexists()
