"""Near-duplicates are known by their signatures, and stand for one another among what is found."""

from __future__ import annotations

import random
import re

import pytest

from documents.rag.duplicates import are_near, distinct, signature
from documents.rag.system import RAGSystem
from documents.rag.types import Chunk, Hit, Question
from tests.fakes import FakeEmbedding
from tests.rag.memory import MemoryVectorDB

WORDS = [
    f"{first}{second}" for first in ("bar", "cel", "dom", "fen", "gul", "hom") for second in ("ak", "in", "os", "ur")
]


def passage(seed: int, words: int = 110) -> str:
    draw = random.Random(seed)
    return " ".join(draw.choice(WORDS) + draw.choice(WORDS) for _ in range(words))


def near(one: str, other: str, *, headings: tuple[str, ...] = ()) -> bool:
    first, second = Chunk(one, (), 0, {}), Chunk(other, (), 0, {}, headings)
    return are_near(signature(first), signature(second))


# --- What is alike ----------------------------------------------------------------------------


def test_a_text_is_like_itself_whatever_its_case_spaces_and_signs() -> None:
    text = passage(1)
    assert near(text, re.sub(" ", "\n ", text.upper()) + "!")


def test_a_copy_with_a_new_header_or_a_few_other_words_is_alike() -> None:
    words = passage(1).split()
    words[20], words[80] = "changed", "altered"
    assert near(passage(1), " ".join(words))
    assert near(passage(1), f"ACME, handbook of 2025\n\n{passage(1)}")
    assert near(passage(1), passage(1), headings=("Handbook of 2025",))


def test_other_texts_of_the_same_words_are_not_alike() -> None:
    assert not any(near(passage(0), passage(seed)) for seed in range(1, 200))


def test_neighbours_that_overlap_are_not_alike() -> None:
    words = passage(1, 900).split()
    assert not near(" ".join(words[:500]), " ".join(words[450:]))


def test_of_short_texts_only_the_same_are_alike() -> None:
    fee = "The fee for a badge is 5 euros, which the front desk collects on the first day."
    assert near(fee, fee.upper())
    assert not near(fee, fee.replace("5", "8"))
    assert not near(fee, fee, headings=("Guests",))


def test_texts_without_letters_have_a_signature_too() -> None:
    assert near("...", "!!")
    assert not near("...", "1.")


def test_near_duplicates_share_a_band() -> None:
    words = passage(1).split()
    for at in range(0, 110, 10):
        changed = " ".join([*words[:at], "other", "words", *words[at:]])
        pairs = zip(signature(Chunk(passage(1), (), 0, {})), signature(Chunk(changed, (), 0, {})), strict=True)
        assert any(one == other for one, other in pairs)


# --- What is found ----------------------------------------------------------------------------


def hit(chunk: int, score: float, seed: int) -> Hit:
    return Hit(chunk, score, signature(Chunk(passage(seed), (), 0, {})))


def test_hits_are_grouped_by_the_best_of_their_kind() -> None:
    hits = [hit(1, 0.9, 1), hit(2, 0.8, 2), hit(3, 0.7, 1), hit(4, 0.6, 3), hit(5, 0.5, 2)]
    assert distinct(hits, 2) == [[hits[0], hits[2]], [hits[1], hits[4]]]
    assert distinct(hits, 9) == [[hits[0], hits[2]], [hits[1], hits[4]], [hits[3]]]
    assert distinct([], 5) == []


async def system(*documents: tuple[str, str]) -> RAGSystem:
    found = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await found.index_documents(
        [text for _, text in documents],
        [{"source": source, "version": number} for number, (source, _) in enumerate(documents)],
    )
    return found


@pytest.mark.asyncio
@pytest.mark.parametrize("strategy", ["naive", "hybrid", "lexical"])
async def test_what_is_found_is_of_different_kinds_and_names_the_others(strategy: str) -> None:
    leave = f"Parents take leave. {passage(1)}"
    copies = [(f"copy {number}.md", f"{leave} {number}") for number in range(7)]
    searched = await system(*copies, ("other.md", f"Leave is asked for a month before. {passage(2)}"))
    found = await searched.search(Question("parents leave", top_k=2), strategy=strategy)
    kept, other = sorted(found, key=lambda each: each.source)
    assert other.source == "other.md"
    assert {kept.source, *(each.source for each in kept.also_in)} == {source for source, _ in copies}
    assert len(kept.also_in) == 6
    assert other.also_in == ()


@pytest.mark.asyncio
async def test_of_equal_ones_the_newest_is_kept() -> None:
    searched = await system(("old.md", passage(1)), ("new.md", passage(1)))
    [kept] = await searched.search(Question(WORDS[0], top_k=1), strategy="naive")
    assert (kept.source, [each.source for each in kept.also_in]) == ("new.md", ["old.md"])


@pytest.mark.asyncio
async def test_what_a_document_says_twice_is_found_once_and_names_no_other() -> None:
    searched = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    about = {"source": "a.md", "document": 1}
    await searched.index_documents([passage(1), passage(1)], [about, about | {"chunk_id": 1}])
    [kept] = await searched.search(Question(WORDS[0]), strategy="naive")
    assert kept.also_in == ()
