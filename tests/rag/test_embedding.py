"""Embedding models: the installed one, one behind an endpoint, and the cache."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest
from aiohttp import ClientSession
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, DefaultAioHttpClient

from documents.rag import embedding
from documents.rag.embedding import CachedEmbedding, LocalEmbedding, OpenAIEmbedding, PrefixedEmbedding
from documents.rag.errors import BadVector, ModelRefused, ModelUnavailable
from documents.rag.requests import IN_FLIGHT, TEXTS
from documents.rag.tracing import note_calls
from documents.rag.types import Call, ModelProfile, Usage
from tests.fakes import FakeEmbedding
from tests.openai_server import DIMENSIONS, EMBEDDINGS, OpenAIServer, Reply, embed

LONG = " ".join(f"Sentence number {number} is about the quiet harbour town." for number in range(80))


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
async def client(server: OpenAIServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=server.url, api_key="sk-very-secret", http_client=DefaultAioHttpClient()) as client:
        yield client


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture(scope="module")
def local() -> LocalEmbedding:
    return LocalEmbedding()


# --- The installed model ----------------------------------------------------------------------


async def test_the_installed_model_puts_like_texts_near_each_other(local: LocalEmbedding) -> None:
    question, answer, other = await local.embed(
        ["When may I take holidays?", "Employees get 25 days of paid vacation a year.", "The pump runs at 4 bar."]
    )
    assert question @ answer > question @ other + 0.2


async def test_its_vectors_have_unit_length_and_their_texts_order(local: LocalEmbedding) -> None:
    texts = ["harbour", "", "boat " * 2000]
    vectors = await local.embed(texts)
    assert vectors.shape == (3, local.dimensions)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(vectors[0], (await local.embed(["harbour"], query=True))[0])
    assert (await local.embed([])).shape == (0, local.dimensions)


def test_a_short_text_is_one_window(local: LocalEmbedding) -> None:
    assert local.windows("Town > Harbour\nIt opens at six.") == ["Town > Harbour\nIt opens at six."]


def test_a_long_text_is_seen_whole_and_each_window_has_its_heading(local: LocalEmbedding) -> None:
    windows = local.windows(f"Town > Harbour\n{LONG}")
    bodies = [window.removeprefix("Town > Harbour\n") for window in windows]
    assert len(windows) > 2
    assert all(window.startswith("Town > Harbour\n") for window in windows)
    assert bodies[0].startswith("Sentence number 0 ")
    assert bodies[-1].endswith("number 79 is about the quiet harbour town.")
    assert all(sentence in " ".join(bodies) for sentence in LONG.split(". "))


@given(st.lists(st.text(st.sampled_from("aé字.- \n🙂\u0301\u200b"), max_size=300), max_size=30))
@settings(deadline=None, max_examples=100)
def test_no_window_is_longer_than_the_model_sees(texts: list[str]) -> None:
    text = " ".join(texts)
    windows = LocalEmbedding().windows(text)
    assert all(LocalEmbedding().windows(window) == [window] for window in windows)
    assert set("".join(windows)) >= {char for char in text if char in "aé字.-"}


# --- An endpoint ------------------------------------------------------------------------------


async def test_many_texts_go_in_several_requests_and_come_back_in_order(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    texts = [f"boat {number} in the harbour" for number in range(300)]
    vectors = await OpenAIEmbedding(client, session, "scripted-embedding").embed(texts)
    assert len(server.history) > 1
    assert np.allclose(vectors, np.stack([embed(text) for text in texts]), atol=1e-6)
    assert server.history[0].body["encoding_format"] == "base64"


async def test_its_dimensions_are_learnt_from_the_endpoint(client: AsyncOpenAI, session: ClientSession) -> None:
    model = await OpenAIEmbedding.probe(client, session, "scripted-embedding")
    assert (model.name, model.dimensions) == ("scripted-embedding", DIMENSIONS)
    assert (await model.embed([])).shape == (0, DIMENSIONS)


async def test_what_is_embedded_is_noted_for_whom_it_was_with_what_it_cost(
    client: AsyncOpenAI, session: ClientSession
) -> None:
    model = OpenAIEmbedding(client, session, "scripted-embedding", profile=ModelProfile(prompt_price=2.0, own=True))

    async def of(*texts: str) -> list[Call]:
        notes = note_calls()
        await model.embed(texts)
        return notes

    ((one,), (other,)) = await asyncio.gather(of(*["two words"] * 64), of("and three words"))
    assert (one.usage, other.usage) == (Usage(128, 0, 128 * 2 / 1_000_000), Usage(3, 0, 6 / 1_000_000))
    assert one.own


async def test_cut_vectors_have_unit_length(client: AsyncOpenAI, session: ClientSession) -> None:
    model = OpenAIEmbedding(client, session, "Qwen3-Embedding-8B", 100, full_dimensions=4096)
    [vector] = await model.embed(["boat"])
    cut = embed("boat", 4096)[:100]
    assert np.allclose(vector, cut / np.linalg.norm(cut), atol=1e-6)


async def test_lists_of_numbers_are_understood_and_brought_to_unit_length(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    items = [{"index": 1, "embedding": [0, 2.0]}, {"index": 0, "embedding": [3.0, 4.0]}]
    server.queue(Reply(path=EMBEDDINGS, raw=json.dumps({"data": items})))
    vectors = await OpenAIEmbedding(client, session, "m").embed(["one", "two"])
    assert np.allclose(vectors, [[0.6, 0.8], [0.0, 1.0]])


@pytest.mark.parametrize(
    "embeddings",
    [
        [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]],
        [[1.0, 2.0], [1.0]],
        [[1.0, 2.0]],
        [],
        [[1.0, 2.0], [0.0, 0.0]],
        [[1.0, 2.0], [float("nan"), 1.0]],
        [[1.0, 2.0], [float("inf"), 1.0]],
        [[1.0, 2.0], []],
    ],
)
async def test_a_bad_vector_is_never_returned(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession, embeddings: list[list[float]]
) -> None:
    data = [{"index": index, "embedding": embedding} for index, embedding in enumerate(embeddings)]
    server.queue(Reply(path=EMBEDDINGS, raw=json.dumps({"data": data})))
    with pytest.raises(BadVector, match="from m"):
        await OpenAIEmbedding(client, session, "m", 2).embed(["one", "two"])


async def test_a_busy_endpoint_is_tried_again(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    server.queue(Reply(path=EMBEDDINGS, status=429, retry_after=0.01), Reply(path=EMBEDDINGS, status=500))
    assert (await OpenAIEmbedding(client, session, "m").embed(["boat"])).shape == (1, DIMENSIONS)
    assert len(server.history) == 3


async def test_no_request_comes_while_the_endpoint_wants_to_be_left_alone(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    server.queue(Reply(path=EMBEDDINGS, status=429, retry_after=date))
    model = OpenAIEmbedding(client, session, "m")
    started = time.monotonic()
    first = asyncio.create_task(model.embed(["boat"]))
    await asyncio.to_thread(server.wait_for_request, 1, EMBEDDINGS)
    await asyncio.gather(first, model.embed(["harbour"]))
    assert time.monotonic() - started > 0.9, "a date has no fractions of a second"
    assert len(server.history) == 3


async def test_callers_share_a_request_and_get_their_own_vectors(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    model = OpenAIEmbedding(client, session, "m")
    documents = [[f"boat {number} {text}" for text in range(3)] for number in range(10)]
    found = await asyncio.gather(*map(model.embed, documents))
    assert len(server.history) == 1
    for texts, vectors in zip(documents, found, strict=True):
        assert np.allclose(vectors, np.stack([embed(text) for text in texts]), atol=1e-6)


async def test_what_comes_while_all_requests_are_under_way_fills_the_next(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    server.queue(*[Reply(path=EMBEDDINGS, status=429, retry_after=0.2)] * IN_FLIGHT)
    model = OpenAIEmbedding(client, session, "m")
    early = [asyncio.create_task(model.embed([f"boat {number}"] * TEXTS)) for number in range(IN_FLIGHT)]
    await asyncio.to_thread(server.wait_for_request, 1, EMBEDDINGS)
    late = [model.embed([f"harbour {number}"] * 7) for number in range(8)]
    await asyncio.gather(*early, *late)
    sizes = sorted(len(request.body["input"]) for request in server.history)
    assert sizes == [56, *[TEXTS] * 2 * IN_FLIGHT]


async def test_a_text_that_is_refused_fails_for_its_caller_alone(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    server.queue(Reply(path=EMBEDDINGS, status=400, message="too long"), Reply(path=EMBEDDINGS, status=400))
    model = OpenAIEmbedding(client, session, "m")
    one, other = await asyncio.gather(model.embed(["too long"]), model.embed(["boat"]), return_exceptions=True)
    assert isinstance(one, ModelRefused)
    assert isinstance(other, np.ndarray)
    assert np.allclose(other, [embed("boat")], atol=1e-6)


async def test_a_question_does_not_wait_behind_documents(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    server.queue(*[Reply(path=EMBEDDINGS, hang=True)] * IN_FLIGHT)
    model = OpenAIEmbedding(client, session, "m")
    documents = asyncio.create_task(model.embed(["boat"] * TEXTS * (IN_FLIGHT + 1)))
    await asyncio.to_thread(server.wait_for_request, IN_FLIGHT, EMBEDDINGS)
    assert (await model.embed(["harbour"], query=True)).shape == (1, DIMENSIONS)
    documents.cancel()


async def test_a_refusal_names_endpoint_and_model_but_not_the_key(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession
) -> None:
    server.queue(Reply(path=EMBEDDINGS, status=401, message="Incorrect API key provided: sk-very-secret"))
    with pytest.raises(ModelRefused) as refused:
        await OpenAIEmbedding(client, session, "m").embed(["boat"])
    assert str(refused.value) == f"127.0.0.1:{client.base_url.port} refused the key for m. Check the key."


@pytest.mark.parametrize("raw", ["<html>", "{}", '{"data": [{"index": 0}]}', '{"data": [{"index":0,"embedding":"!"}]}'])
async def test_what_holds_no_vectors_is_told(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession, raw: str
) -> None:
    server.queue(Reply(path=EMBEDDINGS, raw=raw))
    with pytest.raises(ModelUnavailable, match="sent no vectors from m"):
        await OpenAIEmbedding(client, session, "m").embed(["boat"])


async def test_an_endpoint_that_is_not_there_is_told(session: ClientSession) -> None:
    client = AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key="none")
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:9 can't be reached for m\."):
        await OpenAIEmbedding(client, session, "m").embed(["boat"], query=True)


async def test_an_endpoint_that_is_silent_is_told_and_not_asked_again(
    server: OpenAIServer, client: AsyncOpenAI, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "_SILENCE", 0.1)
    server.queue(Reply(path=EMBEDDINGS, hang=True))
    with pytest.raises(ModelUnavailable, match="did not answer in time for m"):
        await OpenAIEmbedding(client, session, "m").embed(["boat"])
    assert len(server.history) == 1


# --- The cache --------------------------------------------------------------------------------


async def test_a_text_is_embedded_once_by_each_model(tmp_path: Path) -> None:
    inner = FakeEmbedding()
    first = await CachedEmbedding(inner, tmp_path).embed(["one", "two", "one"])
    again = await CachedEmbedding(inner, tmp_path).embed(["two", "three"])
    assert inner.history == [["one", "two"], ["three"]]
    assert np.array_equal(first[1], again[0])
    assert np.array_equal(first, await FakeEmbedding().embed(["one", "two", "one"]))


async def test_questions_are_kept_apart_from_other_texts(tmp_path: Path) -> None:
    inner = FakeEmbedding()
    cached = CachedEmbedding(inner, tmp_path)
    await cached.embed(["one"], query=True)
    await cached.embed(["one"])
    assert inner.history == [["one"], ["one"]]


@pytest.mark.parametrize("question", ["How many days of leave are there?", "404?", "Leave?"])
def test_the_installed_model_is_heard_in_english_and_where_a_text_is_short(question: str) -> None:
    assert LocalEmbedding().understands(question) == 1


async def test_a_cache_knows_the_words_that_were_put_before_a_text(tmp_path: Path) -> None:
    inner = FakeEmbedding()
    for prefix in ("passage: ", "", "passage: "):
        await PrefixedEmbedding(CachedEmbedding(inner, tmp_path), "query: ", prefix).embed(["one"])
    assert inner.history == [["passage: one"], ["one"]]


@pytest.mark.parametrize(
    "question",
    ["Wie viel Urlaub gibt es im Jahr?", "¿Qué es C++ y para qué sirve?", "Was heißt wohl 休暇 auf Deutsch?"],
)
def test_the_installed_model_is_heard_less_in_other_latin_letters(question: str) -> None:
    assert LocalEmbedding().understands(question) == 0.4


@pytest.mark.parametrize("question", ["休暇は何日ありますか", "ما هي مدة الإجازة؟", "Сколько дней отпуска в ACME?"])
def test_the_installed_model_is_not_asked_in_other_letters(question: str) -> None:
    assert not LocalEmbedding().understands(question)
