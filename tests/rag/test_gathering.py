"""A question is answered from where it says to look, and says so; nothing it says is an error."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from documents.rag.queries import NOTHING_ASKED
from documents.rag.system import RAGSystem
from documents.rag.types import Answer, Question, Turn
from tests.fakes import FakeEmbedding, FakeLLM
from tests.rag.memory import MemoryVectorDB

pytestmark = pytest.mark.asyncio

TEXTS = {
    "Leave": ("HR", "Parents take twelve weeks of paid leave. It is booked in the portal."),
    "Portal": ("IT", "The portal for paid leave runs on two servers."),
    "Lunch": ("HR", "Lunch is at noon, and paid."),
}


async def system(*replies: list[str]) -> tuple[RAGSystem, FakeLLM]:
    llm = FakeLLM(*replies)
    made = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm)
    metadata = [{"source": source, "library_name": library} for source, (library, _) in TEXTS.items()]
    await made.index_documents([text for _, text in TEXTS.values()], metadata)
    return made, llm


async def answer(text: str, *turns: Turn) -> tuple[Answer, FakeLLM]:
    made, llm = await system(["It is [1]."])
    (whole,) = [event async for event in made.stream(Question(text, turns)) if isinstance(event, Answer)]
    return whole, llm


async def answer_from(texts: Sequence[str], question: str) -> Answer:
    """The answer from texts of which each is newer than the one before."""
    made = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await made.index_documents(texts, [{"source": str(at), "version": at + 1} for at in range(len(texts))])
    return await made.query(question)


def sources(whole: Answer) -> set[str]:
    return {passage.source for passage in whole.passages}


async def test_it_works() -> None:
    whole, llm = await answer("Who takes paid leave? library:hr")
    assert sources(whole) == {"Leave", "Lunch"}
    assert whole.steps[0].text == "Searching in hr"
    assert not whole.notices
    assert "Who takes paid leave?" in llm.history[0][-1]["content"]
    assert "library:hr" not in llm.history[0][-1]["content"]


async def test_what_holds_the_phrase_comes_first_and_others_follow() -> None:
    whole, _ = await answer('Who runs "the portal"?')
    assert {passage.source for passage in whole.passages[:2]} == {"Leave", "Portal"}
    assert whole.passages[2].source == "Lunch"
    told = [step.text for step in whole.steps if step.name == "narrowing"]
    assert told == ["Searching for “the portal”", "Searching beyond what holds “the portal”"]


async def test_a_question_of_a_phrase_alone_finds_only_what_holds_it() -> None:
    whole, _ = await answer('"the portal" library:IT')
    assert sources(whole) == {"Portal"}
    assert not whole.notices


async def test_search_looks_there_as_well() -> None:
    made, _ = await system()
    found = await made.search(Question('paid leave "booked  IN the portal"', top_k=1))
    assert [passage.source for passage in found] == ["Leave"]


async def test_a_phrase_that_nothing_holds_is_searched_for_by_its_words() -> None:
    whole, _ = await answer('Who takes "leave paid"? library:HR')
    assert sources(whole) == {"Leave", "Lunch"}
    assert [notice.text for notice in whole.notices] == [
        "Nothing holds “leave paid” literally; the words were searched for without quotation marks."
    ]


async def test_a_place_that_holds_nothing_is_told() -> None:
    whole, _ = await answer("Who takes paid leave? library:Sales")
    assert whole.abstained
    assert [notice.text for notice in whole.notices] == [
        "Nothing was found in Sales. Check the names and dates, or ask without them."
    ]


async def test_an_operator_that_makes_no_sense_is_told_and_the_question_answered() -> None:
    whole, _ = await answer("Who takes paid leave after:spring?")
    assert "Leave" in sources(whole)
    assert "“spring” is no date" in whole.notices[0].text


async def test_operators_alone_are_answered_by_what_to_add() -> None:
    whole, llm = await answer("type:pdf")
    assert [notice.text for notice in whole.notices] == [NOTHING_ASKED]
    assert not llm.history


async def test_a_follow_up_does_not_search_for_the_operators_of_the_question_before() -> None:
    made, _ = await system(["And lunch?"])
    turns = (Turn("user", "library:IT servers?"),)
    found = await made.search(Question("And lunch?", turns))
    assert {passage.source for passage in found} == {"Leave", "Portal", "Lunch"}
