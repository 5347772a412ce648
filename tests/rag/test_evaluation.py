"""The measures agree with the books."""

from __future__ import annotations

from math import log2

import pytest

from documents.rag.evaluation import Place, Stage, documents, ndcg, places, recall, reciprocal_rank, stages
from documents.rag.types import Hit, Passage, Passages, Span

RELEVANT = {"a": 2, "b": 1, "c": 0}


def test_the_best_ranking_is_worth_one() -> None:
    assert ndcg(["a", "b", "x"], RELEVANT) == 1
    assert recall(["a", "b", "x"], RELEVANT, 10) == 1
    assert reciprocal_rank(["a", "b"], RELEVANT) == 1


def test_gain_is_linear_and_discounted_by_rank() -> None:
    assert ndcg(["x", "b", "a"], RELEVANT) == pytest.approx((1 / log2(3) + 2 / log2(4)) / (2 + 1 / log2(3)))


def test_what_lies_deeper_does_not_count() -> None:
    assert ndcg(["x", "y", "a"], RELEVANT, 2) == 0
    assert recall(["b", "x", "a"], RELEVANT, 2) == 0.5
    assert reciprocal_rank(["x", "c", "b"], RELEVANT) == pytest.approx(1 / 3)


def test_where_nothing_is_relevant_nothing_is_gained() -> None:
    assert (ndcg(["c"], {"c": 0}), recall(["c"], {"c": 0}, 10), reciprocal_rank(["c"], {"c": 0})) == (0, 0, 0)


def test_a_document_stands_where_its_best_chunk_does() -> None:
    assert documents([passage(number, of) for number, of in enumerate("abacb")]) == ["a", "b", "c"]


# --- Places -----------------------------------------------------------------------------------


def passage(chunk: int, document: str = "a", *spans: Span, also_in: tuple[Passage, ...] = ()) -> Passage:
    metadata = {"source": document, "document": document}
    return Passage(chunk, "", spans or (Span(1, 0, 100),), 10, 1.0, metadata, also_in=also_in)


def test_a_place_is_in_a_passage_that_holds_half_of_it() -> None:
    place = Place("p", "a", {1}, Span(2, 100, 200))
    assert place.is_in(passage(1, "a", Span(2, 0, 150)))
    assert not place.is_in(passage(1, "a", Span(2, 0, 149)))
    assert not place.is_in(passage(1, "a", Span(3, 0, 300)))
    assert not place.is_in(passage(1, "b", Span(2, 0, 300)))


def test_a_page_is_found_by_any_passage_that_lies_on_it() -> None:
    assert Place("p", "a", {1}, Span(2, 0, 3000)).is_in(passage(1, "a", Span(2, 700, 900)))


def test_a_place_is_in_a_passage_that_stands_for_the_one_that_holds_it() -> None:
    assert Place("p", "b", {2}).is_in(passage(1, "a", also_in=(passage(2, "b"),)))


def test_each_place_counts_once_where_it_is_found_first() -> None:
    wanted = [Place("one", "a", {1}, Span(1, 0, 100)), Place("two", "b", {3})]
    found = [passage(9, "c"), passage(1), passage(2), passage(3, "b")]
    assert places(found, wanted) == ["chunk 9", "one", "two"]


def test_every_stage_tells_where_it_has_a_place() -> None:
    wanted = [Place("one", "a", {1}), Place("two", "b", {3})]
    lists = {"lexical": [Hit(3, 2.0), Hit(4, 1.0)], "dense": [Hit(1, 0.9)]}
    found = Passages((passage(9, "c"), passage(3, "b")), lists)
    assert stages(found, found.found[:1], wanted) == {
        "lexical": Stage(2, (None, 1)),
        "dense": Stage(1, (1, None)),
        "found": Stage(2, (None, 2)),
        "hydrated": Stage(1, (None, None)),
    }
