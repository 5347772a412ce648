"""Reranking by an endpoint and by a chat model: over real HTTP, as asked, and with whatever comes back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from openai import AsyncOpenAI

from documents.rag.errors import FootnoteError, ModelUnavailable
from documents.rag.reranking import EndpointReranker, ListwiseReranker, fused
from documents.rag.system import RAGSystem
from documents.rag.tracing import note_calls
from documents.rag.types import Answer, Notice, Passage, Passages, Question, Span, Step, Usage
from tests.fakes import FakeEmbedding, FakeLLM
from tests.openai_server import RERANK, OpenAIServer, Reply
from tests.rag.memory import MemoryVectorDB
from tests.rag.test_system import HANDBOOK, SOURCES

pytestmark = pytest.mark.asyncio

QUESTION = "What about leave, trains, the VPN, lunch, floors and badges?"


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest_asyncio.fixture
async def reranker(server: OpenAIServer) -> AsyncIterator[EndpointReranker]:
    async with AsyncOpenAI(base_url=server.url, api_key="k") as client, ClientSession() as session:
        yield EndpointReranker(client, session, "scripted-reranker")


def passages(*texts: str) -> list[Passage]:
    spans = (Span(1, 0, 1),)
    return [Passage(at, text, spans, 5, 1 / (at + 1), {"source": f"{at}.md"}) for at, text in enumerate(texts)]


async def events(reranker: EndpointReranker) -> list[object]:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None, reranker)
    await system.index_documents(HANDBOOK, SOURCES)
    return [event async for event in system.stream(Question(QUESTION))]


async def test_five_passages_become_three_and_the_trace_says_so(
    reranker: EndpointReranker, server: OpenAIServer
) -> None:
    told = await events(reranker)
    steps = [event.text for event in told if isinstance(event, Step)]
    assert "Reading 5 passages again, by scripted-reranker" in steps
    assert "Kept the best 3 of 5" in steps
    (found,) = (event for event in told if isinstance(event, Passages))
    assert [passage.ranks["reranked"] for passage in found.found] == [1, 2, 3]
    assert len(found.lists["reranked"]) == 5
    (request,) = server.requests(RERANK)
    assert request.body["query"] == QUESTION
    assert len(request.body["documents"]) == request.body["top_n"] == 5


async def test_what_a_reranker_reads_counts_as_far_as_it_tells(
    server: OpenAIServer, reranker: EndpointReranker
) -> None:
    notes = note_calls()
    relevance = await reranker.relevance("Which words?", passages("two words", "other words there"))
    assert relevance.usage == notes[0].usage == Usage(prompt_tokens=9)
    server.queue(Reply(path=RERANK, raw=json.dumps([{"index": 0, "score": 0.5}])))
    assert (await reranker.relevance("Which?", passages("two words"))).usage == Usage()


async def test_a_dead_endpoint_leaves_the_order_and_the_answer_says_so(
    reranker: EndpointReranker, server: OpenAIServer
) -> None:
    server.queue(*[Reply(path=RERANK, status=503)] * 3)
    told = await events(reranker)
    (found,) = (event for event in told if isinstance(event, Passages))
    assert len(found.found) == 5
    assert "reranked" not in found.found[0].ranks
    assert any("stand in the order in which they were found" in e.text for e in told if isinstance(e, Notice))
    assert any(isinstance(event, Answer) and event.citations for event in told)


async def test_an_endpoint_of_the_other_kind_is_found_out_once(
    reranker: EndpointReranker, server: OpenAIServer
) -> None:
    server.queue(Reply(path=RERANK, status=422))
    texts = passages("Lunch is at noon.", "The VPN needs a certificate.")
    for _ in range(2):
        relevance = await reranker.relevance("VPN certificate", texts)
        assert relevance.scores[1] > relevance.scores[0]
    assert ["texts" in request.body for request in server.requests(RERANK)] == [False, True, True]


@pytest.mark.parametrize(
    "answer",
    [
        "<html>",
        "null",
        "{}",
        '{"results": []}',
        '{"results": [{"index": 0, "relevance_score": 1}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 2, "relevance_score": 1}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": null}]}',
        '{"results": [{"index": 0, "relevance_score": 1}, {"index": 1, "relevance_score": NaN}]}',
        '{"results": [1, 2]}',
        '{"results": [{"index": 1e400, "relevance_score": 1}, {"index": 1, "relevance_score": 1}]}',
    ],
)
async def test_an_odd_answer_is_a_sentence(reranker: EndpointReranker, server: OpenAIServer, answer: str) -> None:
    server.queue(Reply(path=RERANK, raw=answer))
    with pytest.raises(FootnoteError, match="does not answer as a reranking endpoint does"):
        await reranker.relevance("VPN", passages("a", "b"))


async def test_a_wrong_key_is_a_sentence(server: OpenAIServer) -> None:
    server.queue(Reply(path=RERANK, status=401))
    async with AsyncOpenAI(base_url=server.url, api_key="k") as client, ClientSession() as session:
        with pytest.raises(FootnoteError, match="refused the key for its-name"):
            await EndpointReranker(client, session, "its-name").relevance("VPN", passages("a"))


@pytest.mark.parametrize(
    ("relevance", "expected"),
    [([0.0, 0.0, 0.0], "abc"), ([5.0, 4.0, 3.0], "abc"), ([0.0, 9.0, 8.0], "bac"), ([-1.0, -9.0, -1.1], "acb")],
)
async def test_half_of_the_order_is_that_of_the_retrieval(relevance: list[float], expected: str) -> None:
    assert "".join(passage.text for passage in fused(passages("a", "b", "c"), relevance)) == expected


# --- By a chat model ----------------------------------------------------------------------------


async def order(replies: list[list[str]], count: int) -> tuple[list[int], FakeLLM]:
    """The places of passages as a model puts them."""
    llm = FakeLLM(*replies)
    relevance = await ListwiseReranker(llm).relevance("Why?", passages(*map(str, range(count))))
    return sorted(range(count), key=lambda place: -relevance.scores[place]), llm


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("[3] > [1] > [2]", [2, 0, 1]),
        ("The best is [2].", [1, 0, 2]),
        ("3, 3, 9, 1", [2, 0, 1]),
    ],
)
async def test_a_model_puts_passages_in_order(reply: str, expected: list[int]) -> None:
    assert (await order([[reply]], 3))[0] == expected


async def test_a_model_that_says_something_else_has_no_say() -> None:
    with pytest.raises(ModelUnavailable, match="put no passage in order"):
        await order([["I can't do that."]], 3)


async def test_many_passages_are_ordered_in_windows_from_the_last_to_the_first() -> None:
    best_last = " > ".join(f"[{number}]" for number in range(20, 0, -1))
    ranked, llm = await order([[best_last]] * 2, 30)
    assert len(llm.history) == 2
    assert ranked[:10] == list(range(20, 30))


async def test_what_it_cost_is_told() -> None:
    llm = FakeLLM(["[2] > [1]"])
    assert (await ListwiseReranker(llm).relevance("Why?", passages("a", "b"))).usage.completion_tokens == 5


async def test_no_passage_can_pass_for_a_rule() -> None:
    _, llm = await order([["[1]"]], 1)
    _, again = await order([["[1]"]], 1)
    fences = [json.dumps(each.history[0][1]["content"]).split("\\n")[0] for each in (llm, again)]
    assert fences[0] != fences[1]
