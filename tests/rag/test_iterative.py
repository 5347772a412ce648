"""Questions that take several rounds, with a model's judgement and without."""

from __future__ import annotations

import pytest

from documents.rag.errors import ModelUnavailable
from documents.rag.strategies.iterative import ROUNDS
from documents.rag.sufficiency import missing, parts
from documents.rag.system import RAGSystem
from documents.rag.types import Answer, Passage, Question, Span
from tests.fakes import FakeEmbedding, FakeLLM
from tests.rag.memory import MemoryVectorDB

TEXTS = {
    "Leave": "Parental leave is twelve weeks long, and paid.",
    "Sabbatical": "A sabbatical takes half a year, without pay.",
    "Offices": "The Berlin office lies in the house of Anna Weber.",
    "Anna Weber": "She was born in Lima, and bought a house.",
    "Lima": "It is the capital of Peru.",
    **{f"Note {number}": f"The office of note {number} lies far from where anybody was born." for number in range(8)},
}


async def system(*replies: list[str | Exception]) -> tuple[RAGSystem, FakeLLM]:
    llm = FakeLLM(*replies)
    made = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm if replies else None)
    await made.index_documents(list(TEXTS.values()), [{"source": title, "title": title} for title in TEXTS])
    return made, llm


async def answered(text: str, *replies: list[str | Exception], top_k: int = 3, found: tuple[int, ...] = ()) -> Answer:
    made, _ = await system(*replies)
    question = Question(text, top_k=top_k, found=found)
    (answer,) = [event async for event in made.stream(question, strategy="iterative") if isinstance(event, Answer)]
    return answer


def sources(answer: Answer) -> list[str]:
    return [passage.source for passage in answer.passages]


def rounds(answer: Answer) -> list[str]:
    return [step.text for step in answer.steps if step.name == "round"]


@pytest.mark.asyncio
async def test_names_are_followed_round_by_round_and_each_is_a_step() -> None:
    answer = await answered("Where was the owner of the house of the Berlin office born?")
    assert {"Offices", "Anna Weber"} <= set(sources(answer))
    assert rounds(answer)[0].startswith("Round 2: following “Anna Weber”")
    assert len(rounds(answer)) < ROUNDS


@pytest.mark.asyncio
async def test_what_is_compared_is_looked_for_part_by_part() -> None:
    answer = await answered("What is the difference between parental leave and a sabbatical?", top_k=2)
    assert set(sources(answer)) == {"Leave", "Sabbatical"}


@pytest.mark.asyncio
async def test_where_nothing_is_missing_one_round_is_enough() -> None:
    answer = await answered("How long is parental leave?", top_k=1)
    assert rounds(answer) == []
    assert "Ended after 1 round: nothing new came" in [step.text for step in answer.steps]


@pytest.mark.asyncio
async def test_a_model_says_what_is_missing_and_when_it_is_enough() -> None:
    answer = await answered(
        "Which country is the owner from?", ["1. capital of Peru\n2. Lima"], ["ENOUGH"], ["Peru [1]."], top_k=4
    )
    assert "Lima" in sources(answer)
    (step,) = [step for step in answer.steps if step.name == "round"]
    assert "capital of Peru" in step.queries
    judged = [step for step in answer.steps if step.name == "judge"]
    assert [step.text for step in judged] == [
        "fake-model finds the passages not enough yet",
        "fake-model finds the passages enough",
    ]
    assert answer.usage.completion_tokens == 15


@pytest.mark.asyncio
async def test_where_the_model_fails_the_rules_go_on() -> None:
    answer = await answered(
        "Where was the owner of the house of the Berlin office born?", [ModelUnavailable("Busy.")], ["In Lima [1]."]
    )
    assert "Anna Weber" in sources(answer)
    assert [notice.text for notice in answer.notices] == ["Busy. Whether the passages are enough was decided by rules."]


@pytest.mark.asyncio
async def test_a_model_that_is_never_content_is_asked_no_more_than_the_rounds_allow() -> None:
    replies: list[list[str | Exception]] = [[f"{topic}"] for topic in ("capital of Peru", "sabbatical without pay")]
    answer = await answered("Which country is the owner from?", *replies, ["Peru [1]."], top_k=5)
    assert len([step for step in answer.steps if step.name == "judge"]) == ROUNDS - 1


@pytest.mark.asyncio
async def test_what_an_earlier_answer_rested_on_is_kept() -> None:
    made, _ = await system()
    (lunch,) = await made.search(Question("sabbatical", top_k=1))
    answer = await answered("Where was the owner of the house of the Berlin office born?", found=(lunch.chunk,))
    assert "Sabbatical" in sources(answer)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("What is the difference between parental leave and a sabbatical?", ["parental leave", "a sabbatical"]),
        ("Which plant is larger, the Pterocarya or the Cotula?", ["the Pterocarya", "the Cotula"]),
        ("How long is parental leave?", []),
        ("Where is the office?", []),
    ],
)
def test_the_parts_of_a_comparison(question: str, found: list[str]) -> None:
    assert parts(question) == found


def test_only_what_no_passage_holds_is_missing() -> None:
    passage = Passage(1, "Parental leave is paid.", (Span(1, 0, 23),), 5, 1.0, {"source": "a"})
    assert missing("Compare parental leave with sick leave", [passage]) == ["sick leave"]
