"""Passages grow by what stands around them, and every character keeps its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.rag.hydration import hydrate
from documents.rag.types import PAGE_BREAK, Chunk, Hit, Passage, Span
from tests.rag.memory import MemoryVectorDB

PAGE = "".join(chr(ord("a") + at % 26) for at in range(1_000))

pytestmark = pytest.mark.asyncio


async def shelf(*spans: tuple[int, int], sections: str = "", source: str = "book") -> MemoryVectorDB:
    """A document of one page, with a chunk for each span, a token a character."""
    database = MemoryVectorDB()
    chunks = [
        Chunk(
            PAGE[start:end],
            (Span(1, start, end),),
            end - start,
            {"source": source, "chunk_id": at},
            tuple(sections[at : at + 1]),
        )
        for at, (start, end) in enumerate(spans)
    ]
    await database.add(chunks, [np.ones((1, 2), np.float32)] * len(chunks))
    return database


async def hydrated(database: MemoryVectorDB, chunks: Sequence[int], budget: int) -> tuple[Passage, ...]:
    found = await database.passages([Hit(chunk, 1.0) for chunk in chunks])
    return await hydrate(found, database, budget)


def assert_in_place(passages: Sequence[Passage]) -> None:
    for passage in passages:
        assert passage.text == PAGE_BREAK.join(PAGE[span.start : span.end] for span in passage.spans)


async def test_a_passage_grows_by_its_neighbours_without_repeating_the_overlap() -> None:
    database = await shelf((0, 100), (90, 200), (190, 300))
    (passage,) = await hydrated(database, [1], 1_000)
    assert passage.text == PAGE[:300]
    assert passage.spans == (Span(1, 0, 300),)
    assert passage.tokens == 300


async def test_what_is_not_joined_stands_as_spans_of_its_own() -> None:
    (passage,) = await hydrated(await shelf((0, 100), (102, 200)), [0], 1_000)
    assert passage.spans == (Span(1, 0, 100), Span(1, 102, 200))
    assert_in_place([passage])


async def test_the_same_section_is_read_first() -> None:
    database = await shelf((0, 100), (100, 200), (200, 300), sections="ABB")
    (passage,) = await hydrated(database, [1], 200)
    assert passage.spans == (Span(1, 100, 300),)


async def test_the_best_passage_grows_first() -> None:
    database = await shelf(*((at, at + 100) for at in range(0, 1_000, 100)))
    best, other = await hydrated(database, [7, 1], 300)
    assert (best.tokens, other.tokens) == (200, 100)


async def scored(database: MemoryVectorDB, budget: int, **scores: float) -> dict[str, int]:
    """Chunk ("c4") → the tokens of its passage after hydration."""
    found = await database.passages([Hit(int(name[1:]), score) for name, score in scores.items()])
    return {f"c{passage.chunk}": passage.tokens for passage in await hydrate(found, database, budget)}


async def two_documents() -> MemoryVectorDB:
    """Chunks 0 to 5 and 6 to 11, of a hundred tokens, each in a section of its own."""
    hundreds = [(at, at + 100) for at in range(0, 600, 100)]
    database, other = await shelf(*hundreds, sections="ABCDEF"), await shelf(*hundreds, sections="ABCDEF", source="b")
    await database.add(other.chunks, other.vectors)
    return database


async def test_a_document_that_has_most_of_the_score_is_read_whole() -> None:
    assert await scored(await two_documents(), 700, c0=2, c8=1) == {"c0": 600, "c8": 100}


async def test_two_passages_share_what_lies_between_them_in_a_document_that_is_read_whole() -> None:
    assert await scored(await two_documents(), 700, c8=1, c0=1, c5=1) == {"c8": 100, "c0": 300, "c5": 300}


async def test_a_document_with_little_of_the_score_is_not_read_whole() -> None:
    database = await two_documents()
    more = await shelf(*((at, at + 100) for at in range(0, 600, 100)), sections="ABCDEF", source="c")
    await database.add(more.chunks, more.vectors)
    assert await scored(database, 800, c0=1.2, c8=1, c14=1) == {"c0": 200, "c8": 300, "c14": 300}


async def test_a_document_that_is_too_long_is_not_read_whole() -> None:
    assert await scored(await two_documents(), 600, c0=2, c8=1) == {"c0": 300, "c8": 300}


async def test_a_section_is_read_before_what_is_nearer() -> None:
    database = await shelf(*((at, at + 100) for at in range(0, 1_000, 100)), sections="XAAAABBBBB")
    (passage,) = await hydrated(database, [4], 400)
    assert passage.spans == (Span(1, 100, 500),)


async def test_passages_that_meet_do_not_share_text() -> None:
    database = await shelf((0, 100), (90, 200), (190, 300), (290, 400), (390, 500))
    best, other = await hydrated(database, [1, 4], 1_000)
    assert best.spans == (Span(1, 0, 300),)
    assert other.spans == (Span(1, 300, 500),)


async def test_no_passage_is_added_and_too_many_are_cut_off() -> None:
    database = await shelf(*((at, at + 100) for at in range(0, 1_000, 100)))
    assert [passage.chunk for passage in await hydrated(database, [0, 3, 6, 9], 250)] == [0, 3]
    assert [passage.chunk for passage in await hydrated(database, [5], 10)] == [5]
    assert await hydrated(database, [], 1_000) == ()


async def test_another_document_is_not_read_on() -> None:
    database = await shelf((0, 100))
    await database.add((await shelf((0, 100), source="other")).chunks, [np.ones((1, 2), np.float32)])
    (passage,) = await hydrated(database, [0], 1_000)
    assert passage.spans == (Span(1, 0, 100),)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 100)), min_size=1, max_size=12),
    st.lists(st.integers(0, 11), max_size=5, unique=True),
    st.integers(0, 1_500),
)
async def test_every_character_keeps_its_place(steps: list[tuple[int, int]], found: list[int], budget: int) -> None:
    starts = np.cumsum([step for step, _ in steps]).tolist()
    spans = [(start, start + length) for start, (_, length) in zip(starts, steps, strict=True)]
    passages = await hydrated(await shelf(*spans), [chunk for chunk in found if chunk < len(spans)], budget)
    assert_in_place(passages)
    assert len(passages) < 2 or sum(passage.tokens for passage in passages) <= budget
