"""Chat models, asked over HTTP through the real client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from openai import AsyncOpenAI, DefaultAioHttpClient

from documents.rag.errors import CannotCallTools, ModelRefused, ModelUnavailable
from documents.rag.llm import ChatModel, list_models
from documents.rag.prompts import chat_messages
from documents.rag.types import (
    ModelProfile,
    Passage,
    Piece,
    Question,
    Span,
    Thought,
    ToolCall,
    ToolSpec,
    Usage,
)
from tests.openai_server import LIST, MODELS, OpenAIServer, Reply

KEY = "sk-very-secret"
MESSAGES = [{"role": "user", "content": "When does the harbour open?"}]
ANSWER = "It opens at six — 六時 🙂\u2028 every day [1]."


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(key=KEY) as server:
        yield server


@pytest.fixture
async def client(server: OpenAIServer) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=server.url, api_key=KEY, http_client=DefaultAioHttpClient()) as client:
        yield client


async def read(model: ChatModel) -> list[Piece]:
    return [piece async for piece in model.stream(MESSAGES)]


async def read_until_it_fails(model: ChatModel) -> tuple[str, str]:
    """The text that came, and the sentence about what went wrong."""
    pieces: list[str] = []
    with pytest.raises(ModelUnavailable) as failed:
        await read_into(pieces, model)
    return "".join(pieces), str(failed.value)


async def read_into(pieces: list[str], model: ChatModel) -> None:
    async for piece in model.stream(MESSAGES):
        pieces.append(str(piece))  # noqa: PERF401 — what came before an error counts


async def test_a_reply_comes_in_pieces_and_then_its_usage(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(ANSWER))
    *pieces, usage = await read(ChatModel(client, "scripted-chat"))
    assert len(pieces) > 5
    assert "".join(map(str, pieces)) == ANSWER
    assert usage == Usage(prompt_tokens=5, completion_tokens=10)
    assert server.history[-1].body["model"] == "scripted-chat"
    assert server.history[-1].body["messages"] == MESSAGES


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_what_a_model_thinks_is_not_its_answer(server: OpenAIServer, client: AsyncOpenAI, field: str) -> None:
    server.queue(Reply("At six.", reasoning="The harbour … I wonder.", thinks_in=field, usage=False))
    assert await read(ChatModel(client, "m")) == [Thought("The harbour … I wonder."), "At ", "six."]


async def test_what_stands_between_tags_before_an_answer_is_thought(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply("<think>The harbour, I wonder.</think>\n\nAt six, <b>as</b> a rule.", usage=False))
    pieces = await read(ChatModel(client, "m"))
    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    assert thought == "The harbour, I wonder."
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == "At six, <b>as</b> a rule."


async def test_thinking_alone_is_no_answer(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply("", reasoning="Hm."))
    _, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert "sent no answer from m" in sentence


async def test_calls_of_tools_come_whole_and_in_order(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(calls=[("search", '{"queries": ["harbour"]}'), ("open", "{not json")], finish="tool_calls"))
    tool = ToolSpec("search", "Searches.", {"type": "object", "properties": {}})
    *calls, usage = [piece async for piece in ChatModel(client, "m").stream(MESSAGES, tools=[tool])]
    assert calls == [
        ToolCall("call_0", "search", '{"queries": ["harbour"]}'),
        ToolCall("call_1", "open", "{not json"),
    ]
    assert isinstance(usage, Usage)
    assert server.history[-1].body["tools"][0]["function"]["name"] == "search"


async def test_a_model_that_can_call_no_tools_says_so(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(status=400, message="registry/m does not support tools"))
    tool = ToolSpec("search", "Searches.", {"type": "object", "properties": {}})
    with pytest.raises(CannotCallTools, match="m can't call tools"):
        [piece async for piece in ChatModel(client, "m").stream(MESSAGES, tools=[tool])]


async def test_a_model_that_declines_is_quoted(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(refusal="I can't help with harbours."))
    with pytest.raises(ModelRefused, match="m declined to answer: I can't help with harbours"):
        await read(ChatModel(client, "m"))


async def test_what_a_filter_holds_back_is_said(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply("", finish="content_filter"))
    with pytest.raises(ModelRefused, match="held back the answer of m by its content filter"):
        await read(ChatModel(client, "m"))


async def test_an_answer_that_is_cut_at_a_limit_says_so_after_its_text(
    server: OpenAIServer, client: AsyncOpenAI
) -> None:
    server.queue(Reply("It opens at", finish="length"))
    text, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert text.startswith("It opens at")
    assert "m came to its limit of tokens in the middle of its answer." in sentence


async def test_usage_tells_what_it_costs_where_prices_are_known(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(ANSWER))
    profile = ModelProfile(prompt_price=2.0, completion_price=8.0, reasoning_effort="low")
    *_, usage = await read(ChatModel(client, "m", profile))
    assert usage == Usage(5, 10, (5 * 2.0 + 10 * 8.0) / 1_000_000)
    assert server.history[-1].body["reasoning_effort"] == "low"


async def test_a_second_question_goes_over_the_same_connection(server: OpenAIServer, client: AsyncOpenAI) -> None:
    model = ChatModel(client, "m")
    await read(model)
    await read(model)
    assert len({request.peer for request in server.history}) == 1


async def test_an_endpoint_that_knows_no_usage_is_asked_without(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(status=400, message="Unknown parameter: stream_options"), Reply("At six."), Reply("At seven."))
    model = ChatModel(client, "m")
    assert await read(model) == ["At ", "six."]
    assert await read(model) == ["At ", "seven."]
    assert ["stream_options" in request.body for request in server.history] == [True, False, False]


async def test_closing_the_stream_hangs_up(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(ANSWER, hold_at=2))
    pieces = ChatModel(client, "m").stream(MESSAGES)
    assert await anext(pieces) == "It "
    await pieces.aclose()
    assert await asyncio.to_thread(server.history[-1].gone.wait, 10)


async def test_cancelling_a_reader_hangs_up(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(ANSWER, hold_at=2))
    reader = asyncio.create_task(read(ChatModel(client, "m")))
    request = await asyncio.to_thread(server.wait_for_request)
    assert await asyncio.to_thread(request.held.wait, 10)
    reader.cancel()
    assert await asyncio.to_thread(request.gone.wait, 10)


async def test_a_held_reply_goes_on_when_it_is_released(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply("One two three.", hold_at=1, gate="middle", usage=False))
    pieces = ChatModel(client, "m").stream(MESSAGES)
    assert await anext(pieces) == "One "
    server.release("middle")
    assert [piece async for piece in pieces] == ["two ", "three."]


async def test_the_server_can_be_scripted_from_another_process(server: OpenAIServer, client: AsyncOpenAI) -> None:
    control = server.url.removesuffix("/v1") + "/control"
    async with httpx2.AsyncClient() as door:
        await door.post(f"{control}/queue", json={"text": "One two.", "hold_at": 1, "usage": False})
        pieces = ChatModel(client, "m").stream(MESSAGES)
        assert await anext(pieces) == "One "
        await door.post(f"{control}/release?gate")
        assert [piece async for piece in pieces] == ["two."]
        (request,) = (await door.get(f"{control}/history")).json()
    assert (request["path"], request["body"]["messages"]) == ("/v1/chat/completions", MESSAGES)


async def test_unscripted_the_server_quotes_its_sources(client: AsyncOpenAI) -> None:
    passages = [
        Passage(
            1, "It opens at six. It shuts at ten.", (Span(1, 0, 33),), 10, 1.0, {"source": "harbour.md"}, ("Town",)
        ),
        Passage(2, "Boats are blue.", (Span(1, 0, 15),), 5, 0.5, {"source": "boats.md"}),
    ]
    messages = chat_messages(Question("When does the harbour open?"), passages)
    pieces = [piece async for piece in ChatModel(client, "m").stream(messages) if isinstance(piece, str)]
    assert "It opens at six. [1]" in "".join(pieces)
    assert "Boats are blue. [2]" in "".join(pieces)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "refused the key for m. Check the key."),
        (403, "does not let this key use m. Choose another model or key."),
        (404, "knows no m at this address. Check the model's name, and the address, which usually ends in /v1."),
        (400, "refused the request to m (HTTP 400): Error code: 400"),
        (422, "refused the request to m (HTTP 422)"),
    ],
)
async def test_a_refusal_says_what_to_do(server: OpenAIServer, client: AsyncOpenAI, status: int, sentence: str) -> None:
    server.queue(Reply(status=status, message=f"bad request with {KEY}"))
    with pytest.raises(ModelRefused) as refused:
        await read(ChatModel(client, "m"))
    assert sentence in str(refused.value)
    assert str(client.base_url.port) in str(refused.value)
    assert KEY not in str(refused.value)
    assert len(server.history) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_passing_error_is_tried_again(server: OpenAIServer, client: AsyncOpenAI, status: int) -> None:
    server.queue(Reply(status=status, retry_after=0.01), Reply("At six.", usage=False))
    assert await read(ChatModel(client, "m")) == ["At ", "six."]


async def test_after_three_tries_the_model_is_unavailable(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(*[Reply(status=500)] * 3)
    _, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert "failed while running m (HTTP 500)" in sentence
    assert len(server.history) == 3


async def test_nobody_is_kept_waiting_for_a_minute(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(status=429, retry_after=60))
    _, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert "takes no more requests for m just now" in sentence
    assert len(server.history) == 1


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    async with AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key=KEY, http_client=DefaultAioHttpClient()) as client:
        _, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert sentence == "127.0.0.1:9 can't be reached for m. Check the address, and that it is running."


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(ANSWER, hold_at=0)])
async def test_an_endpoint_that_says_nothing_is_given_up(
    server: OpenAIServer, client: AsyncOpenAI, reply: Reply
) -> None:
    server.queue(reply)
    _, sentence = await read_until_it_fails(ChatModel(client, "m", silence=0.3))
    assert "did not answer in time for m" in sentence
    assert len(server.history) == 1


@pytest.mark.parametrize("reply", [Reply(ANSWER, cut_at=3), Reply(ANSWER, garbage_at=3), Reply(ANSWER, hold_at=3)])
async def test_a_reply_that_breaks_off_keeps_what_came(server: OpenAIServer, client: AsyncOpenAI, reply: Reply) -> None:
    server.queue(reply)
    text, sentence = await read_until_it_fails(ChatModel(client, "m", silence=0.5))
    assert text == "It opens at "
    assert sentence == "The model stopped in the middle of its answer. Ask again."


async def test_an_error_inside_the_stream_is_told(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(ANSWER, error_at=3, message="out of memory"))
    text, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert text == "It opens at "
    assert sentence.endswith("failed while m was answering: out of memory")


@pytest.mark.parametrize("raw", ["", "<html>Welcome</html>", '{"choices": []}', "data: [1]\n\n", "data: [DONE]\n\n"])
async def test_what_is_no_chat_reply_is_no_answer(server: OpenAIServer, client: AsyncOpenAI, raw: str) -> None:
    server.queue(Reply(raw=raw))
    text, sentence = await read_until_it_fails(ChatModel(client, "m"))
    assert text == ""
    assert "sent no answer from m" in sentence


async def test_the_endpoints_models_are_listed(client: AsyncOpenAI) -> None:
    assert await list_models(client) == sorted(MODELS)


async def test_a_wrong_key_lists_no_models(server: OpenAIServer) -> None:
    async with AsyncOpenAI(base_url=server.url, api_key="sk-wrong", http_client=DefaultAioHttpClient()) as client:
        with pytest.raises(ModelRefused, match="refused the key for its list of models"):
            await list_models(client)


async def test_an_address_that_is_no_endpoint_lists_no_models(server: OpenAIServer, client: AsyncOpenAI) -> None:
    server.queue(Reply(path=LIST, raw="<html>Welcome</html>"))
    with pytest.raises(ModelRefused, match="does not list models"):
        await list_models(client)
