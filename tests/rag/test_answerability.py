from __future__ import annotations

import pytest

from documents.rag.answerability import doubt
from documents.rag.types import Passage, Span

TEXT = "Rollo began to arrive in Normandy in 911. He was not crowned."
PASSAGE = Passage(1, TEXT, (Span(1, 0, len(TEXT)),), 10, 1.0, {"source": "a.md", "title": "The Normans"})


@pytest.mark.parametrize(
    ("question", "much"),
    [
        ("When did Rollo arrive in Normandy?", 0.0),
        ("Where did the Normans come from?", 0.0),
        ("When did Rollo arrive in Sicily?", 0.15),
        ("Did Rollo arrive in Sicily with Robert Guiscard in 1050?", 0.3),
        ("Who didn't arrive in Normandy?", 0.25),
    ],
)
def test_names_and_denials_that_no_passage_has_speak_against_it(question: str, much: float) -> None:
    assert doubt(question, [PASSAGE], "Rollo began to arrive in Normandy in 911.") == pytest.approx(much)


def test_what_is_denied_in_both_speaks_not_against_it() -> None:
    assert doubt("Who wasn't crowned?", [PASSAGE], "He was not crowned.") == 0
