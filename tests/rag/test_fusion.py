"""Several rankings become one."""

from __future__ import annotations

import pytest

from documents.rag.fusion import fuse
from documents.rag.types import Hit


def ranking(**scores: float) -> list[Hit]:
    return [Hit(int(chunk[1:]), score) for chunk, score in scores.items()]


def test_what_both_find_comes_first() -> None:
    fused = fuse({"lexical": ranking(c1=30, c2=20, c3=10), "dense": ranking(c2=0.9, c4=0.8, c5=0.1)})
    assert [hit.chunk for hit in fused][:3] == [2, 1, 4]
    assert fused[0].score == pytest.approx(0.75)


def test_scores_of_any_scale_weigh_the_same() -> None:
    small, large = ranking(c1=0.3, c2=0.2, c3=0.1), ranking(c3=3000, c2=2000, c1=1000)
    assert [hit.score for hit in fuse({"lexical": small, "dense": large})] == pytest.approx([0.5] * 3)


def test_a_ranking_that_found_nothing_has_no_say() -> None:
    alone = ranking(c1=3, c2=2, c3=1)
    assert [(hit.chunk, hit.score) for hit in fuse({"lexical": alone, "dense": []})] == [(1, 1.0), (2, 0.5), (3, 0.0)]


def test_a_single_hit_counts_in_full() -> None:
    assert fuse({"lexical": ranking(c1=0.2)}) == [Hit(1, 1.0)]


def test_nothing_found_stays_nothing() -> None:
    assert fuse({"lexical": [], "dense": []}) == []
