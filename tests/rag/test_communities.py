"""Questions about all documents together: answered by what they name together, one passage a theme."""

from __future__ import annotations

import pytest

from documents.rag.communities import themes
from documents.rag.system import RAGSystem
from documents.rag.types import Mention, Role
from tests.fakes import FakeEmbedding
from tests.rag.memory import MemoryVectorDB

TEXTS = [
    "The Pension Fund pays when Anna Weber, of Human Resources, signs.",
    "Anna Weber leads Human Resources, and knows the Pension Fund.",
    "The Data Centre in Oslo is cooled by the Akers River.",
    "In Oslo the Data Centre drinks from the Akers River.",
    "Lunch is at noon.",
]


def named(chunk: int, *keys: str) -> list[Mention]:
    return [Mention(key, key.title(), Role.NAME, chunk) for key in keys]


def test_names_that_stand_together_are_a_theme() -> None:
    mentions = (
        named(1, "a", "b", "x") + named(2, "a", "b") + named(3, "c", "d") + named(4, "c", "d", "e") + named(5, "a")
    )
    found = themes(mentions)
    assert [theme.names[:2] for theme in found] == [("A", "B"), ("C", "D")]
    assert found[0].chunk == 1
    assert themes(mentions) == found


def test_a_name_that_stands_everywhere_is_no_theme() -> None:
    mentions = [each for chunk in range(40) for each in named(chunk, "footnote", f"own {chunk}")]
    assert themes(mentions) == []


@pytest.mark.asyncio
async def test_the_themes_are_told_and_each_has_its_passage() -> None:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await system.index_documents(TEXTS, [{"source": str(number)} for number in range(len(TEXTS))])
    answer = await system.query("What are the main themes of our documents?", strategy="auto")
    assert answer.strategy == "graph"
    (step,) = [step for step in answer.steps if step.name == "themes"]
    assert step.text.startswith("Found 2 themes: ")
    assert "Pension Fund" in step.text
    assert {passage.source for passage in answer.passages} & {"0", "1"}
    assert {passage.source for passage in answer.passages} & {"2", "3"}
    assert "4" not in {passage.source for passage in answer.passages}
    assert len(answer.text.split("\n\n")) == len(answer.citations) == 2
    assert answer.text.startswith("**")
    assert "“The Pension Fund pays when Anna Weber, of Human Resources, signs.”[" in answer.text
    assert not answer.abstained


@pytest.mark.asyncio
async def test_without_a_theme_it_is_searched_for() -> None:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await system.index_documents(["lunch is at noon"], [{"source": "a"}])
    answer = await system.query("What are the main topics?", strategy="graph")
    assert "No names stand together in the documents" in [step.text for step in answer.steps]
    assert [passage.source for passage in answer.passages] == ["a"]
