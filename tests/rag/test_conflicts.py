from __future__ import annotations

from datetime import date

import pytest

from documents.rag.conflicts import conflicts, tells_of_conflict
from documents.rag.types import Citation, Passage, Span

OLD = "Each trip of more than 5,000 euros needs the approval of the finance director."


def passage(text: str, document: int, given: date | None = None) -> Passage:
    about = {"source": f"{document}.md", "title": f"Policy {document}", "document": document, "given": given}
    return Passage(document, text, (Span(1, 0, len(text)),), 10, 1.0, about)


def citation(of: Passage) -> Citation:
    return Citation(1, of, Span(1, 0, len(of.text)), of.text)


def test_two_documents_that_say_the_same_with_another_number_are_told_with_their_dates() -> None:
    old = passage(OLD, 1, date(2021, 3, 12))
    new = passage(OLD.replace("5,000", "6,500"), 2, date(2024, 1, 5))
    (conflict,) = conflicts([citation(new)], [new, old])
    assert conflict.sentence == (
        "The sources differ: “Policy 1” (12 Mar 2021) says “5,000”; “Policy 2” (5 Jan 2024) says “6,500”."
    )
    assert tells_of_conflict(conflict.sentence)


@pytest.mark.parametrize(
    "text",
    [
        OLD,
        "Hotel rooms of more than 140 euros need the approval of nobody.",
        OLD.replace("trip", "laptop").replace("finance director", "head of purchasing").replace("5,000", "900"),
        "Each trip needs a form.",
    ],
)
def test_what_agrees_or_is_about_something_else_is_no_conflict(text: str) -> None:
    first = passage(OLD, 1)
    assert conflicts([citation(first)], [first, passage(text, 2)]) == []


def test_what_is_said_of_others_by_name_is_no_conflict() -> None:
    first = passage("The tower of Rill is 40 metres high and made of stone.", 1)
    assert conflicts([citation(first)], [passage("The tower of Ostheim is 60 metres high and made of stone.", 2)]) == []


def test_a_document_does_not_conflict_with_itself() -> None:
    first = passage(OLD, 1)
    again = passage(OLD.replace("5,000", "6,500"), 1)
    assert conflicts([citation(first)], [first, again]) == []
