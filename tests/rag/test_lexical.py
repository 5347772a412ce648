"""Words become terms, and BM25 ranks by them."""

from __future__ import annotations

from math import log

import bm25s  # type: ignore[import-untyped]
import numpy as np
import pytest
from numpy.typing import NDArray

from documents.rag.lexical import BM25, BY_DEFAULT, EVERY_CHUNK, K1, B, indexed_terms, pack, score
from documents.rag.terms import telling_terms, terms
from documents.rag.types import Hit


def search(question: str, *texts: str, limit: int = 10, bm25: BM25 = BY_DEFAULT) -> list[Hit]:
    packed = pack({number: terms(text) for number, text in enumerate(texts)})
    average = float(packed[EVERY_CHUNK]["length"].mean())
    found = telling_terms(question)
    return score(found, packed, chunks=len(texts), average_length=average, limit=limit, bm25=bm25)


def test_it_works() -> None:
    assert [hit.chunk for hit in search("booking trains", "Lunch is at noon.", "A train is booked.")] == [1]


def test_the_score_is_that_of_the_books() -> None:
    (hit,) = search("apple", "apple apple pear", "pear", "pear fig", bm25=BM25(1.2, 0.75))
    rarity = log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert hit.score == pytest.approx(rarity * 2 * 2.2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / 2)))


def test_the_rare_word_the_frequent_word_and_the_short_text_win() -> None:
    rare = search("apple pear", "pear fig", "apple fig", "pear kale")
    assert rare[0].chunk == 1
    frequent = search("apple", "apple fig fig", "apple apple fig")
    assert frequent[0].chunk == 1
    short = search("apple", "apple fig fig fig fig", "apple fig")
    assert short[0].chunk == 1


def test_no_more_than_the_limit_are_found_and_they_are_the_best() -> None:
    texts = ["apple " * times + "fig" for times in range(1, 30)]
    assert search("apple", *texts, limit=3) == search("apple", *texts, limit=30)[:3]


def test_every_chunk_is_listed_even_without_a_word() -> None:
    packed = pack({7: terms("apple"), 3: []})
    assert packed[EVERY_CHUNK].tolist() == [(3, 0, 0), (7, 0, 1)]
    assert packed["appl"].tolist() == [(7, 1, 1)]


def test_a_heading_counts_for_more_than_the_text() -> None:
    packed = pack({1: indexed_terms("", "apple pear pear", "en"), 2: indexed_terms("apple", "pear pear", "en")})
    assert packed["appl"].tolist() == [(1, 1, 3), (2, 2, 4)]


def test_how_much_repetition_and_length_count_can_be_set() -> None:
    texts = ["apple " * 9 + "fig", "apple " + "fig " * 40, "apple"]
    once = search("apple", *texts, bm25=BM25(k1=0, b=0))
    assert len({hit.score for hit in once}) == 1
    by_repetition = search("apple", *texts, bm25=BM25(k1=2, b=0))
    assert [hit.chunk for hit in by_repetition] == [0, 1, 2]
    assert by_repetition[1].score == by_repetition[2].score


def test_chunks_that_are_far_apart_are_ranked_as_ones_that_are_close() -> None:
    texts = ["apple pear", "apple", "pear fig", "apple apple fig"]
    close = pack({number: terms(text) for number, text in enumerate(texts)})
    far = pack({1_000_000_000 * number: terms(text) for number, text in enumerate(texts)})
    ranked = [score(["appl", "pear"], each, chunks=4, average_length=2, limit=4) for each in (close, far)]
    assert [(1_000_000_000 * hit.chunk, hit.score) for hit in ranked[0]] == [
        (hit.chunk, hit.score) for hit in ranked[1]
    ]


def test_the_ranking_is_that_of_bm25s() -> None:
    random = np.random.default_rng(3)
    vocabulary = [f"w{number}" for number in range(400)]
    texts = [list(random.choice(vocabulary, size=random.integers(5, 200), p=_zipf(400))) for _ in range(600)]
    theirs = bm25s.BM25(method="lucene", k1=K1, b=B)
    theirs.index(texts, show_progress=False)
    packed = pack(dict(enumerate(texts)))
    average = float(packed[EVERY_CHUNK]["length"].mean())
    for _ in range(20):
        question = [str(word) for word in random.choice(vocabulary, size=6, replace=False)]
        hits = score(question, packed, chunks=600, average_length=average, limit=100)
        scores = theirs.get_scores(question)
        assert [hit.score for hit in hits] == pytest.approx([(K1 + 1) * scores[hit.chunk] for hit in hits], rel=1e-4)
        assert [hit.score for hit in hits] == pytest.approx((K1 + 1) * np.sort(scores)[::-1][:100], rel=1e-4)


def _zipf(count: int) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = 1 / np.arange(1, count + 1)
    shares /= shares.sum()
    return shares
