"""Several chat models as one: who answers where one fails, and what the reader is told."""

from __future__ import annotations

import pytest

from documents.rag.errors import CannotCallTools, ModelUnavailable
from documents.rag.fallover import FallOver
from documents.rag.system import RAGSystem
from documents.rag.types import Answer, Piece, Thought, ToolSpec
from tests.fakes import FakeEmbedding, FakeLLM
from tests.rag.memory import MemoryVectorDB

pytestmark = pytest.mark.asyncio

BUSY = ModelUnavailable("First is busy.")


def named(name: str, *replies: list[Piece | Exception]) -> FakeLLM:
    llm = FakeLLM(*replies)
    llm.name = name
    return llm


async def answered(*models: FakeLLM, failed: dict[str, float] | None = None) -> Answer:
    llm = FallOver(models, {} if failed is None else failed)
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm)
    await system.index_documents(["Badges of employees are blue, as everyone knows."], [{"source": "badges.md"}])
    return await system.query("Which colour have badges?")


async def test_before_the_first_word_the_next_one_answers_and_it_is_said() -> None:
    answer = await answered(named("first", [BUSY]), named("second", ["Blue [1]."]))
    assert (str(answer), answer.model, answer.error) == ("Blue[1].", "second", "")
    assert [notice.text for notice in answer.notices] == ["First is busy. second was asked instead."]


async def test_thinking_is_no_word_yet() -> None:
    answer = await answered(named("first", [Thought("Hm."), BUSY]), named("second", ["Blue [1]."]))
    assert answer.model == "second"


async def test_an_answer_that_broke_off_is_not_begun_anew() -> None:
    second = named("second", ["Red [1]."])
    answer = await answered(named("first", ["Blue", BUSY]), second)
    assert (str(answer), answer.error) == ("Blue", "First is busy.")
    assert not second.history


async def test_where_all_are_down_the_closest_passages_are_quoted() -> None:
    answer = await answered(named("first", [BUSY]), named("second", [ModelUnavailable("Second is gone.")]))
    assert answer.quoted
    assert "Badges of employees are blue" in str(answer)
    assert [notice.text for notice in answer.notices] == [
        "First is busy. second was asked instead.",
        "Second is gone. Below, the closest passages are quoted instead.",
    ]


async def test_one_that_only_can_not_call_tools_has_not_failed() -> None:
    failed: dict[str, float] = {}
    first, second = named("first", [CannotCallTools()], ["Blue [1]."]), named("second", ["I know no tools."])
    llm = FallOver([first, second], failed)
    tool = ToolSpec("search", "Searches.", {})
    assert [piece async for piece in llm.stream([], tools=[tool])]
    assert llm.name == "second"
    assert not failed


async def test_one_that_failed_a_moment_ago_is_asked_last() -> None:
    failed: dict[str, float] = {}
    first = named("first", [BUSY])
    await answered(first, named("second", ["Blue [1]."]), failed=failed)
    answer = await answered(first, named("second", ["Blue [1]."]), failed=failed)
    assert (answer.model, answer.notices, len(first.history)) == ("second", (), 1)
