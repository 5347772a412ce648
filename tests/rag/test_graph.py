"""A walk along names: what passages lead to, which share no word with the question."""

from __future__ import annotations

import pytest

from documents.rag.graph import links, synonyms, walk
from documents.rag.system import RAGSystem
from documents.rag.types import Mention, Question, Role
from tests.fakes import FakeEmbedding
from tests.rag.memory import MemoryVectorDB

FILM = "The Charm of La Boheme is a film of 1937, whose director was Geza Bolvary."
DIRECTOR = "He was born on 26 December 1897 in Budapest, and died in Bavaria."
OTHERS = [f"Film number {number} has a director, whose date of birth nobody remembers." for number in range(8)]


async def system() -> RAGSystem:
    made = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    titles = ["The Charm of La Boheme", "Geza Bolvary", *(f"Note {number}" for number in range(8))]
    metadata = [{"source": title, "title": title} for title in titles]
    await made.index_documents([FILM, DIRECTOR, *OTHERS], metadata)
    return made


@pytest.mark.asyncio
@pytest.mark.parametrize("strategy", ["graph", "iterative"])
async def test_what_bears_a_name_in_a_passage_is_found_where_hybrid_does_not(strategy: str) -> None:
    question = "Which date of birth has the director of the film The Charm of La Boheme?"
    made = await system()
    by_hybrid = await made.search(Question(question, top_k=3))
    assert "Geza Bolvary" not in [passage.source for passage in by_hybrid]
    found = await made.search(Question(question, top_k=3), strategy=strategy)
    assert {"The Charm of La Boheme", "Geza Bolvary"} <= {passage.source for passage in found}


@pytest.mark.asyncio
async def test_the_steps_say_where_a_walk_begins_and_how_far_it_goes() -> None:
    answer = await (await system()).query("Who made The Charm of La Boheme?", strategy="graph")
    steps = [step.text for step in answer.steps]
    assert "Beginning from “Charm of La Boheme”" in steps or "Beginning from “The Charm of La Boheme”" in steps
    assert any(step.startswith("Following ") for step in steps)


@pytest.mark.asyncio
async def test_without_a_name_it_is_what_hybrid_finds() -> None:
    made = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await made.index_documents(["lunch is at noon", "badges are blue"], [{"source": "a"}, {"source": "b"}])
    answer = await made.query("when is lunch?", strategy="graph")
    assert answer.passages[0].source == "a"
    assert "No name leads any further" in [step.text for step in answer.steps]


def test_what_is_named_everywhere_links_nothing_unless_something_bears_the_name() -> None:
    common = [Mention("gsa", "GSA", Role.NAME, chunk) for chunk in range(1, 6)]
    assert links(common) == []
    assert len(links([*common, Mention("gsa", "GSA", Role.TITLE, 9)])) == 6
    assert links([Mention("once", "Once", Role.NAME, 1)]) == []


def test_a_walk_comes_to_what_bears_the_name_rather_than_to_what_names_it_as_well() -> None:
    mentions = [
        Mention("bolvary", "Bolvary", Role.NAME, 1),
        Mention("bolvary", "Bolvary", Role.TITLE, 2),
        Mention("bolvary", "Bolvary", Role.NAME, 3),
    ]
    order = [hit.chunk for hit in walk(mentions, {1: 5.0, 4: 1.0})]
    assert order.index(2) < order.index(3)


def test_a_name_and_its_initials_or_last_word_stand_for_the_same() -> None:
    found = set(synonyms(["general services administration", "gsa", "guido brignone", "brignone", "travel"]))
    assert found == {("general services administration", "gsa"), ("guido brignone", "brignone")}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("john kennedy", "john f. kennedy", True),
        ("weber anna", "anna weber", True),
        ("bank of england", "the bank england", True),
        ("world war i", "world war ii", False),
        ("anna weber", "ida weber", False),
    ],
)
def test_names_of_nearly_the_same_words_stand_for_the_same(one: str, other: str, same: bool) -> None:
    assert bool(set(synonyms([one, other]))) is same
