"""Where text goes: to which of several endpoints, and of a library for own endpoints only, to none that is external."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from chat.models import Conversation, Message
from documents import spaces
from documents.endpoints import StaysHere, is_own
from documents.evaluating.variants import system_of
from documents.indexing import index
from documents.models import Document, Endpoint, Library, User
from documents.rag.embedding import LocalEmbedding
from documents.rag.errors import ModelRefused
from documents.rag.strategies import MEASURED
from documents.rag.types import Answer, Question, Turn
from documents.threads import in_thread
from documents.vector_db import Space, add_space
from documents.wiring import Wiring, open_system
from tests.documents.conftest import Give
from tests.openai_server import OpenAIServer, Reply

OUTSIDE = "outside.example"
FACT = "# Leave\n\nEmployees of the secret laboratory have 31 days of leave a year.\n"
QUESTION = "How many days of leave do employees of the secret laboratory have?"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """An endpoint somewhere in the world."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == OUTSIDE else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with OpenAIServer() as server:
        yield server


def address(server: OpenAIServer) -> str:
    return f"http://{OUTSIDE}:{urlsplit(server.url).port}/v1"


@pytest.fixture
def own() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest_asyncio.fixture
async def wiring(
    transactional_db: None, settings: Settings, own: OpenAIServer, outside: OpenAIServer
) -> AsyncIterator[Wiring]:
    """The environment's model and the reranker are external, a connected model is our own."""
    settings.OPENAI_BASE_URL = settings.RERANK_URL = address(outside)
    settings.CHAT_MODEL = "outside-chat"
    settings.EMBEDDING_MODEL = ""
    await Endpoint.objects.acreate(base_url=own.url, chat_model="own-chat", own=True)
    async with open_system() as opened:
        yield opened


async def written(give: Give, *, stays: bool) -> Library:
    """A library with a document, indexed."""
    received = await in_thread(give, "leave.md", FACT)
    await Library.objects.aupdate(own_endpoints_only=stays)
    await index(received.version.pk)
    return await Library.objects.aget()


async def asked(wiring: Wiring, library: Library, strategy: str, *turns: Turn) -> Answer:
    system = await wiring.system([library.pk])
    question = Question(QUESTION, turns, top_k=3)
    (answer,) = [event async for event in system.stream(question, strategy=strategy) if isinstance(event, Answer)]
    return answer


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("strategy", ["direct", "naive", "hybrid", "iterative", "agentic", "graph", "auto"])
async def test_text_of_a_library_for_own_endpoints_only_goes_to_no_other(
    wiring: Wiring, library: Library, give: Give, own: OpenAIServer, outside: OpenAIServer, strategy: str
) -> None:
    library = await written(give, stays=True)
    answer = await asked(wiring, library, strategy, Turn("user", "Who works there?"), Turn("assistant", "Nobody."))
    assert answer.model == "own-chat"
    own.queue(Reply(cut_at=1), *(Reply(status=500) for _ in range(20)))
    await asked(wiring, library, strategy)
    assert own.history
    assert outside.history == []


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_nor_does_it_when_the_library_is_measured(
    wiring: Wiring, library: Library, give: Give, own: OpenAIServer, outside: OpenAIServer
) -> None:
    library = await written(give, stays=True)
    system = await system_of({"embedding_model": LocalEmbedding.name, "reranker": "outside"}, wiring, [library.pk])
    for strategy in MEASURED:
        assert [event async for event in system.gather(Question(QUESTION), strategy)]
    assert own.history
    assert outside.history == []


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_without_the_mark_the_same_goes_outside(
    wiring: Wiring, library: Library, give: Give, own: OpenAIServer, outside: OpenAIServer
) -> None:
    library = await written(give, stays=False)
    answer = await asked(wiring, library, "hybrid")
    assert answer.model == "outside-chat"
    assert {request.path for request in outside.history} == {"/v1/chat/completions", "/v1/rerank"}


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_one_such_library_among_those_asked_keeps_all_of_the_question_here(
    wiring: Wiring, library: Library, give: Give, outside: OpenAIServer
) -> None:
    library = await written(give, stays=True)
    other = await Library.objects.acreate(name="Open")
    answer = await (await wiring.system([other.pk, library.pk])).query(QUESTION)
    assert answer.model == "own-chat"
    assert outside.history == []


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_what_was_said_from_such_a_library_keeps_what_is_asked_next_here(
    wiring: Wiring, library: Library, give: Give, owner: User, outside: OpenAIServer
) -> None:
    await written(give, stays=True)
    document = await Document.objects.aget()
    conversation = await Conversation.objects.acreate(owner=owner)
    assert not await in_thread(lambda: conversation.stays)
    await Message.objects.acreate(conversation=conversation, role="assistant", text=FACT, documents=[document.pk])
    assert await in_thread(lambda: conversation.stays)
    other = await Library.objects.acreate(name="Open")
    await (await wiring.system([other.pk], stays=True)).query(QUESTION)
    assert outside.history == []


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_where_texts_are_embedded_outside_such_a_library_takes_none_and_is_searched_by_words(
    wiring: Wiring, library: Library, give: Give, outside: OpenAIServer
) -> None:
    library = await written(give, stays=True)
    space = await add_space(wiring.pool, Space(0, "scripted-embedding", 384), "building")
    with pytest.raises(StaysHere, match=r"Handbook.* is for own endpoints only"):
        [count async for count in spaces.fill(space)]
    system = await wiring.system([library.pk], space=space)
    with pytest.raises(ModelRefused, match="may not go to scripted-embedding, which is external"):
        await system.index_documents(["A secret."], [{"source": "more.md"}])
    assert [passage.source for passage in await system.search(Question("secret laboratory"))] == ["leave.md"]
    assert outside.history == []


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_the_next_model_answers_where_the_first_is_down(
    wiring: Wiring, library: Library, give: Give, outside: OpenAIServer
) -> None:
    library = await written(give, stays=False)
    outside.queue(*(Reply(status=500) for _ in range(3)))
    answer = await asked(wiring, library, "hybrid")
    assert answer.model == "own-chat"
    assert "own-chat was asked instead." in answer.notices[-1].text


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_model_that_is_chosen_is_asked_first(wiring: Wiring, library: Library, give: Give) -> None:
    library = await written(give, stays=False)
    answer = await (await wiring.system([library.pk], model="own-chat", rerank=False)).query(QUESTION)
    assert answer.model == "own-chat"


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_library_names_the_model_that_answers_from_it_unless_another_is_chosen(
    wiring: Wiring, library: Library
) -> None:
    await Library.objects.aupdate(chat_model="own-chat")
    other = await Library.objects.acreate(name="Open", chat_model="outside-chat")
    chosen = [
        (await wiring.system([library.pk])).model,
        (await wiring.system([library.pk], model="outside-chat")).model,
        (await wiring.system([library.pk, other.pk])).model,
    ]
    assert chosen == ["own-chat", "outside-chat", "outside-chat"]


@pytest.mark.asyncio
@pytest.mark.django_db(transaction=True)
async def test_a_row_says_what_its_model_costs(wiring: Wiring, library: Library, give: Give) -> None:
    await Endpoint.objects.aupdate(prompt_price=1.0, completion_price=2.0)
    library = await written(give, stays=True)
    answer = await asked(wiring, library, "hybrid")
    assert answer.usage.cost == pytest.approx(
        (answer.usage.prompt_tokens + 2 * answer.usage.completion_tokens) / 1_000_000
    )


@pytest.mark.parametrize(
    ("where", "own"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://10.1.2.3:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://ollama:11434/v1", True),
        ("https://llm.home.arpa/v1", True),
        ("https://llm.example.com/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://localhost.evil.example/v1", False),
    ],
)
def test_what_looks_local_or_is_listed_is_our_own(settings: Settings, where: str, own: bool) -> None:
    settings.OWN_HOSTS = frozenset({"llm.example.com"})
    assert is_own(where) == own


@pytest.mark.django_db
def test_an_owner_marks_a_library_unless_texts_are_embedded_outside(
    client: Client, owner: User, library: Library, settings: Settings
) -> None:
    client.force_login(owner)
    change = reverse("library-change", args=[library.pk])
    fields = {"name": "Handbook", "visibility": "private", "own_endpoints_only": "on"}
    settings.OPENAI_BASE_URL, settings.EMBEDDING_MODEL = "https://api.openai.com/v1", "text-embedding-3-small"
    refused = client.post(change, fields)
    assert refused.status_code == 400
    assert "Embed by a model of your own first" in refused.text
    settings.EMBEDDING_MODEL = ""
    client.post(change, fields)
    library.refresh_from_db()
    assert library.own_endpoints_only
