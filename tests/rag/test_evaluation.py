"""The measures agree with the books."""

from __future__ import annotations

from math import log2

import pytest

from documents.rag.evaluation import documents, ndcg, recall, reciprocal_rank

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
    assert documents(["a", "b", "a", "c", "b"]) == ["a", "b", "c"]
