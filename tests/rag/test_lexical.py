"""Words become terms, and BM25 ranks by them."""

from __future__ import annotations

from math import log

import pytest

from documents.rag.lexical import EVERY_CHUNK, pack, score, terms
from documents.rag.types import Hit


def search(question: str, *texts: str, limit: int = 10) -> list[Hit]:
    packed = pack(dict(enumerate(texts)))
    average = float(packed[EVERY_CHUNK]["length"].mean())
    return score(terms(question), packed, chunks=len(texts), average_length=average, limit=limit)


def test_it_works() -> None:
    assert [hit.chunk for hit in search("booking trains", "Lunch is at noon.", "A train is booked.")] == [1]


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("The certificates expired.", "expiring certificate"),
        ("The company's policy", "companies' policies"),
        ("résumé", "resume"),
        ("ＦＵＬＬ width", "full"),
        ("GRÖSSE", "größe"),
        ("東京都に住んでいます", "東京"),
        ("ภาษาไทย", "ไทย"),
        ("हिन्दी भाषा", "हिन्दी"),
        ("l'assurance", "assurance"),
    ],
)
def test_what_means_the_same_is_found(written: str, asked: str) -> None:
    assert search(asked, "something else", written), terms(written)


@pytest.mark.parametrize(
    "identifier", ["foo_bar", "3.11.7", "E1234", "--dry-run", "settings.yaml", "std::vector", "covid-19"]
)
def test_an_identifier_is_found_whole_before_its_parts(identifier: str) -> None:
    assert identifier.casefold() in terms(f"Use {identifier}, please.")
    scattered = " ".join(terms(identifier)[1:]) or "1234"
    best, *_ = search(identifier, f"{scattered} {scattered}", f"About {identifier}.")
    assert best.chunk == 1


def test_a_part_of_an_identifier_finds_it() -> None:
    assert search("yaml settings", "settings.yaml")
    assert search("dry run", "--dry-run")


def test_stop_words_are_no_terms() -> None:
    assert terms("What is it to be, and why?") == []
    assert search("what is it", "what is it") == []


def test_a_term_is_never_longer_than_its_column() -> None:
    assert max(len(term) for term in terms("x" * 5_000 + " " + "9.9" * 500)) <= 64


def test_the_score_is_that_of_the_books() -> None:
    (hit,) = search("apple", "apple apple pear", "pear", "pear fig")
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
    packed = pack({7: "apple", 3: "…"})
    assert packed[EVERY_CHUNK].tolist() == [(3, 0, 0), (7, 0, 1)]
    assert packed["appl"].tolist() == [(7, 1, 1)]
