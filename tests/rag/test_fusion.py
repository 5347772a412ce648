"""Several rankings become one."""

from __future__ import annotations

import pytest

from documents.rag.fusion import fuse
from documents.rag.types import Hit


def ranking(**scores: float) -> list[Hit]:
    return [Hit(int(chunk[1:]), score) for chunk, score in scores.items()]


def order(**lists: list[Hit]) -> list[int]:
    return [hit.chunk for hit in fuse(lists)]


def test_what_both_find_comes_first() -> None:
    assert order(lexical=ranking(c1=30, c2=20, c3=10), dense=ranking(c2=0.9, c4=0.8, c5=0.1))[:3] == [2, 1, 4]


def test_a_score_counts_in_standard_deviations_above_the_lowest() -> None:
    (best, middle, lowest) = fuse({"lexical": ranking(c1=5, c2=3, c3=1)})
    assert (best.score, middle.score, lowest.score) == pytest.approx((6**0.5, 1.5**0.5, 0))


def test_scores_of_any_scale_weigh_the_same() -> None:
    small, large = ranking(c1=0.3, c2=0.2, c3=0.1), ranking(c3=3000, c2=2000, c1=1000)
    assert [hit.score for hit in fuse({"lexical": small, "dense": large})] == pytest.approx([6**0.5] * 3)


def test_a_ranking_has_as_much_say_as_it_weighs() -> None:
    lists = {"lexical": ranking(c1=2, c2=1), "dense": ranking(c2=0.9, c1=0.8)}
    assert fuse(lists, {"dense": 0.5})[0].chunk == 1
    assert fuse(lists, {"lexical": 0.5})[0].chunk == 2


def test_the_one_chunk_that_holds_a_rare_word_comes_first() -> None:
    near = {f"c{number}": 0.9 - number / 100 for number in range(50)}
    assert order(lexical=ranking(c49=7), dense=ranking(**near))[0] == 49


def test_a_ranking_that_found_nothing_has_no_say() -> None:
    alone = ranking(c1=3, c2=2, c3=1)
    assert fuse({"lexical": alone, "dense": []}) == fuse({"lexical": alone})


def test_a_single_hit_is_found() -> None:
    assert order(lexical=ranking(c1=0.2), dense=[]) == [1]


def test_nothing_found_stays_nothing() -> None:
    assert fuse({"lexical": [], "dense": []}) == []
