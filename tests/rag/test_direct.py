"""Answers that rest on all there is, or on no document, and say so."""

from __future__ import annotations

import pytest

from documents.rag.errors import ModelUnavailable
from documents.rag.prompts import NO_ANSWER, NOT_FOUND
from documents.rag.strategies.direct import TOO_MUCH, UNSOURCED
from documents.rag.system import RAGSystem
from documents.rag.types import Answer
from tests.fakes import FakeEmbedding, FakeLLM, FakeReranker
from tests.rag.memory import MemoryVectorDB

pytestmark = pytest.mark.asyncio

LONG = "\n\n".join(f"Rule {number}: room {number} is closed at {number} o'clock." for number in range(60))
SHORT = "The badges of employees are blue. Guests wear red ones instead."


async def system(llm: FakeLLM | None, *texts: str, context_tokens: int = 6000) -> RAGSystem:
    made = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm, FakeReranker(), context_tokens=context_tokens)
    await made.index_documents(texts, [{"source": f"{number}.md"} for number in range(len(texts))])
    return made


async def asked(made: RAGSystem, text: str = "Which badges do employees have?") -> Answer:
    return await made.query(text, strategy="direct")


async def test_what_fits_is_read_whole_and_cited() -> None:
    llm = FakeLLM(["Employees have blue badges [2]."])
    answer = await asked(await system(llm, LONG, SHORT))
    assert [passage.text for passage in answer.passages] == [LONG, SHORT]
    assert LONG in llm.history[0][-1]["content"]
    assert [citation.quote for citation in answer.citations] == ["The badges of employees are blue."]
    assert "Reading all of it: 2 documents" in [step.text for step in answer.steps]
    assert not answer.notices


async def test_a_document_of_several_chunks_stands_there_once_and_whole() -> None:
    made = await system(FakeLLM(["At 59 [1]."]), LONG)
    answer = await asked(made, "When is room 59 closed?")
    (passage,) = answer.passages
    assert passage.text == LONG
    (citation,) = answer.citations
    assert (
        LONG[citation.span.start : citation.span.end] == citation.quote == "Rule 59: room 59 is closed at 59 o'clock."
    )


async def test_where_it_does_not_fit_no_document_is_read_and_the_answer_is_marked() -> None:
    llm = FakeLLM(["Blue, I think [1]."])
    answer = await asked(await system(llm, LONG, SHORT, context_tokens=300))
    assert [notice.text for notice in answer.notices] == [UNSOURCED]
    assert str(answer) == "Blue, I think."
    assert not answer.passages
    assert not answer.citations
    assert not any("The badges of employees" in str(message["content"]) for message in llm.history[0])


async def test_without_a_model_what_fits_is_quoted_from() -> None:
    answer = await asked(await system(None, SHORT))
    assert answer.quoted
    assert "“The badges of employees are blue.”[1]" in str(answer)


async def test_without_a_model_and_room_passages_are_searched_for_and_it_is_said() -> None:
    answer = await asked(await system(None, LONG, SHORT, context_tokens=300))
    assert TOO_MUCH in [notice.text for notice in answer.notices]
    assert "The badges of employees are blue." in str(answer)


async def test_where_there_is_nothing_nothing_is_found() -> None:
    answer = await asked(await system(None))
    assert (str(answer), answer.notices) == (NOT_FOUND, ())


async def test_a_model_that_fails_leaves_nothing_to_quote() -> None:
    llm = FakeLLM([ModelUnavailable("The model is busy.")])
    answer = await asked(await system(llm, LONG, context_tokens=300))
    assert [notice.text for notice in answer.notices] == [UNSOURCED, "The model is busy."]
    assert (str(answer), answer.quoted, answer.model) == (NO_ANSWER, False, "")
