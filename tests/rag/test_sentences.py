from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.rag.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3.50 euros, e.g. for Dr. Who. Done.", ["It costs 3.50 euros, e.g. for Dr. Who.", "Done."]),
        (
            "The U.S. Digital Service cites 31 U.S.C. 1353 and 5 C.F.R. 2635. Done.",
            ["The U.S. Digital Service cites 31 U.S.C. 1353 and 5 C.F.R. 2635.", "Done."],
        ),
        (
            "Es gilt bis zum 31. März des Jahres. Danach nicht.",
            ["Es gilt bis zum 31. März des Jahres.", "Danach nicht."],
        ),
        ("She said “Stop.” Then he left.", ["She said “Stop.”", "Then he left."]),
        ("A heading\n\nA paragraph that\ngoes on.", ["A heading", "A paragraph that\ngoes on."]),
        ("Bring:\n• a badge\n• a form", ["Bring:", "• a badge", "• a form"]),
        ("Use version 3.11.7 of it. 12 people came.", ["Use version 3.11.7 of it.", "12 people came."]),
        ("这是一句。这是另一句。", ["这是一句。", "这是另一句。"]),
        ("  \n ", []),
    ],
)
def test_sentences_are_found(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


@given(st.text(max_size=500))
def test_no_letter_is_lost_and_none_counted_twice(text: str) -> None:
    found = sentences(text)
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(found))
