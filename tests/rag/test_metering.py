"""What may be spent is never spent twice: a model is stopped before its answer, or in the middle of it."""

from __future__ import annotations

import pytest

from documents.rag.metering import Allowance, Metered
from documents.rag.system import RAGSystem
from documents.rag.types import Answer, ModelProfile
from tests.fakes import FakeEmbedding, FakeLLM
from tests.rag.memory import MemoryVectorDB

pytestmark = pytest.mark.asyncio

PRICED = ModelProfile(prompt_price=0.0, completion_price=1_000_000.0)
"""One a token."""


async def answered(left: float, *pieces: str, profile: ModelProfile = PRICED) -> tuple[Answer, Allowance]:
    allowance = Allowance(left, "Your budget is spent.")
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), Metered(FakeLLM(pieces, profile=profile), allowance))
    await system.index_documents(["Badges of employees are blue."], [{"source": "badges.md"}])
    return await system.query("Which colour have badges?"), allowance


async def test_as_long_as_there_is_enough_an_answer_is_whole_and_taken_off() -> None:
    answer, allowance = await answered(20.0, "Blue", " [1].")
    assert (str(answer), answer.error) == ("Blue[1].", "")
    assert allowance.left == 20.0 - answer.usage.cost == 15.0


async def test_in_the_middle_the_text_is_kept_and_the_sentence_said() -> None:
    answer, allowance = await answered(3.0, "Blue", " they", " are", " all", " of", " them")
    assert str(answer).startswith("Blue they")
    assert not str(answer).endswith("them")
    assert answer.error == "Your budget is spent."
    assert allowance.left <= 0


async def test_before_the_first_word_passages_are_quoted_instead() -> None:
    answer, _ = await answered(0.0, "Blue [1].")
    assert answer.quoted
    assert "Your budget is spent." in answer.notices[0].text


async def test_a_model_without_known_prices_costs_nothing() -> None:
    answer, allowance = await answered(1.0, *["word "] * 50, "[1].", profile=ModelProfile())
    assert (answer.error, allowance.left) == ("", 1.0)
