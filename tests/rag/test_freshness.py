"""Newer documents come first where that is asked for, and only among those that fit about as well."""

from __future__ import annotations

from datetime import date

import pytest

from documents.rag.freshness import asks_for_newest, newest_first
from documents.rag.types import Passage, Span
from tests.rag.test_gathering import answer_from

THIS_YEAR = date.today().year


def passage(name: str, score: float, version: int, *also_in: Passage) -> Passage:
    return Passage(version, name, (Span(1, 0, 1),), 1, score, {"source": name, "version": version}, also_in=also_in)


@pytest.mark.parametrize(
    "text",
    [
        "What is the latest travel policy?",
        "Which rates hold as of March?",
        "Wie hoch ist das aktuelle Kilometergeld?",
        "Die neuesten Regeln?",
        "Quelle est la dernière version ?",
        "¿Cuál es la última tarifa?",
        f"Holidays in {THIS_YEAR}",
        f"Holidays in {THIS_YEAR - 1}",
    ],
)
def test_what_holds_now_is_asked_for(text: str) -> None:
    assert asks_for_newest(text)


@pytest.mark.parametrize(
    "text", ["How many days of leave?", "Leave in 1998", "What became of it later?", "concurrently"]
)
def test_other_questions_ask_for_nothing_newer(text: str) -> None:
    assert not asks_for_newest(text)


def test_of_those_that_score_nearly_alike_the_newer_comes_first() -> None:
    found = [passage("2023", 10, 1), passage("2025", 9.5, 3), passage("2024", 9.2, 2), passage("2026", 5, 4)]
    assert [each.source for each in newest_first(found)] == ["2025", "2024", "2023", "2026"]


def test_scores_below_zero_are_compared_as_well() -> None:
    assert [each.source for each in newest_first([passage("a", -1, 1), passage("b", -1.05, 2)])] == ["b", "a"]


def test_the_newest_of_near_duplicates_stands_for_all() -> None:
    (only,) = newest_first([passage("2023", 10, 1, passage("2025", 9, 3), passage("2024", 8, 2))])
    assert (only.source, only.score) == ("2025", 10)
    assert [other.source for other in only.also_in] == ["2023", "2024"]


@pytest.mark.asyncio
async def test_a_question_for_the_latest_is_answered_from_the_newest() -> None:
    texts = ["The travel allowance of a day is 20 euros.", "The travel allowance of a day is 24 euros now."]
    whole = await answer_from(texts, "What is the latest travel allowance of a day?")
    assert [each.source for each in whole.passages] == ["1", "0"]
    assert "Preferring newer documents" in [step.text for step in whole.steps]
    whole = await answer_from(texts, "What is the travel allowance of a day?")
    assert [each.source for each in whole.passages] == ["0", "1"]
