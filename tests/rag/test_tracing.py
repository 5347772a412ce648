"""What left for models while an answer was made, also where it failed, and whoever asked for it."""

from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI, DefaultAioHttpClient

from documents.rag.errors import ModelUnavailable
from documents.rag.fallover import FallOver
from documents.rag.llm import ChatModel
from documents.rag.system import RAGSystem
from documents.rag.tracing import calling, note_calls
from documents.rag.types import Answer, ModelProfile
from tests.fakes import FakeEmbedding
from tests.openai_server import OpenAIServer, Reply
from tests.rag.memory import MemoryVectorDB

pytestmark = pytest.mark.asyncio


async def answered(server: OpenAIServer, *models: str, strategy: str = "hybrid") -> Answer:
    async with AsyncOpenAI(base_url=server.url, api_key="k", http_client=DefaultAioHttpClient()) as client:
        chat = [ChatModel(client, name, ModelProfile(own=True, prompt_price=1.0)) for name in models]
        system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), FallOver(chat, {}) if len(chat) > 1 else chat[0])
        await system.index_documents(["Badges of employees are blue."], [{"source": "badges.md"}])
        return await system.query("Which colour have badges?", strategy=strategy)


async def test_every_call_is_noted_with_what_was_sent_and_what_it_cost() -> None:
    with OpenAIServer() as server:
        server.queue(Reply("ENOUGH"))
        answer = await answered(server, "m", strategy="iterative")
        asked = [request.body["messages"] for request in server.history]
        assert answer.calls[0].host in server.url
    judged, written = answer.calls
    assert (judged.kind, judged.model, judged.own, judged.error) == ("chat", "m", True, "")
    assert [part for part, _ in written.sent] == ["system", "user"]
    assert [size for _, size in written.sent] == [len(message["content"]) for message in asked[1]]
    assert answer.usage == judged.usage + written.usage
    assert written.usage.cost > 0


async def test_a_call_that_failed_stands_there_too_as_text_went_there() -> None:
    with OpenAIServer() as server:
        server.queue(*(Reply(status=500) for _ in range(3)))
        answer = await answered(server, "first", "second")
    assert [(call.model, bool(call.error)) for call in answer.calls] == [("first", True), ("second", False)]


async def test_what_several_tasks_send_is_noted_with_whom_they_work_for() -> None:
    async def one(name: str) -> list[str]:
        notes = note_calls()
        await asyncio.gather(*(send(f"{name}{number}") for number in range(2)))
        return sorted(call.model for call in notes)

    async def send(model: str) -> None:
        with calling("chat", model, "host", []):
            await asyncio.sleep(0)

    assert [*await asyncio.gather(one("a"), one("b"))] == [["a0", "a1"], ["b0", "b1"]]


async def test_nobody_needs_to_take_notes() -> None:
    with pytest.raises(ModelUnavailable), calling("rerank", "m", "host", []) as call:
        raise ModelUnavailable("Gone.")
    assert call.error == "Gone."
