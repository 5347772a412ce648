"""The language of a text, where it can be told."""

from __future__ import annotations

import pytest

from documents.rag.language import language


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "All human beings are born free and equal in dignity and rights."),
        ("de", "Alle Menschen sind frei und gleich an Würde und Rechten geboren."),
        ("es", "Todos los seres humanos nacen libres e iguales en dignidad y derechos."),
        ("fr", "Tous les êtres humains naissent libres et égaux\nen dignité et en droits."),
        ("ru", "Все люди рождаются свободными и равными в своём достоинстве и правах."),
        ("ar", "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق."),
        ("zh", "人人生而自由，在尊严和权利上一律平等。"),
        ("ja", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。"),
    ],
)
def test_a_sentence_is_enough(code: str, text: str) -> None:
    assert language(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "…",
        "4711 4712",
        "2023\t17.5\t18.1\n2024\t19.0\t22.4\nSum\t36.5\t40.5\nMean\t18.2\t20.3",
        "a{b:1;c:2}d>e{f:#00f}",
    ],
)
def test_what_is_short_or_of_numbers_and_signs_has_none(text: str) -> None:
    assert language(text) == ""
