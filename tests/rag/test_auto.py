"""The strategy that suits a question, by rules that anybody can follow; the reader sees which, and why."""

from __future__ import annotations

import time

import pytest

from documents.rag.routing import route
from documents.rag.system import RAGSystem
from documents.rag.types import Question
from tests.fakes import FakeEmbedding, FakeLLM
from tests.rag.memory import MemoryVectorDB


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("Hello!", "direct"),
        ("Thank you very much", "direct"),
        ("What is 12 * (7 + 3)?", "direct"),
        ("Hello kitty is on our badge, why?", "hybrid"),
        ("How long is parental leave?", "hybrid"),
        ('What does "annual leave" mean?', "hybrid"),
        ("Who was the mayor of Warsaw in 1917?", "hybrid"),
        ("What is the difference between sick leave and parental leave?", "iterative"),
        ("How do sick leave and parental leave differ?", "iterative"),
        ("Which similarities do both plans have?", "iterative"),
        ("Are Rig Cheshmeh and Dudah Chay both located in the same country?", "iterative"),
        ("List all offices.", "iterative"),
        ("Which of our policies mention every region?", "iterative"),
        ("Where was the director of film Petra (Film) born?", "iterative"),
        ("In what year was the university where Sergei Tokarev was a professor founded?", "iterative"),
        ("When did Olav Magnusson's father die?", "iterative"),
        ("How are the pension plan and the travel policy connected?", "graph"),
        ("What are the main themes of our handbook?", "graph"),
        ("Research how other teams handle on-call.", "agentic"),
        ("Compare the leave rules across all offices.", "agentic"),
    ],
)
def test_a_question_is_answered_by_the_strategy_that_suits_it(text: str, strategy: str) -> None:
    assert route(Question(text), has_model=True).strategy == strategy


@pytest.mark.parametrize(("text", "strategy"), [("What is 2 + 2?", "hybrid"), ("Research our rules.", "iterative")])
def test_without_a_model_nothing_is_left_to_one(text: str, strategy: str) -> None:
    assert route(Question(text), has_model=False).strategy == strategy


def test_a_pasted_text_takes_no_time() -> None:
    started = time.process_time()
    for text in ("1+" * 4000, "first more " * 800, "the a " * 1500, "Anna's " * 1200):
        route(Question(text), has_model=True)
    assert time.process_time() - started < 2


@pytest.mark.asyncio
async def test_the_choice_is_a_step_and_the_answer_says_who_found_its_passages() -> None:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await system.index_documents(["Parental leave is twelve weeks long."], [{"source": "leave.md"}])
    answer = await system.query("Is sick leave longer than parental leave, or the same?", strategy="auto")
    assert answer.steps[0].text == "Choosing iterative: it compares"
    assert answer.strategy == "iterative"


@pytest.mark.asyncio
async def test_a_greeting_is_answered_without_a_document() -> None:
    llm = FakeLLM(["Hello to you."])
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm)
    await system.index_documents(["Hello is a greeting."], [{"source": "words.md"}])
    answer = await system.query("Hello!", strategy="auto")
    assert (str(answer), answer.passages, answer.strategy) == ("Hello to you.", (), "direct")
    assert "No document was read" in answer.notices[0].text
