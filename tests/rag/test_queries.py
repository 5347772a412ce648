"""What a question says of where to look is understood, and what only seems to say so is left alone."""

from __future__ import annotations

from datetime import date

import pytest

from documents.rag.queries import MOST_PHRASES, understand, where, without_operators
from documents.rag.types import Narrowing, Question, Turn


def test_it_works() -> None:
    query = understand('What changed in "annual leave"? library:HR type:pdf after:2025 before:2026-03')
    assert query.text == 'What changed in "annual leave"?'
    assert query.narrowing == Narrowing(("HR",), ("pdf",), date(2025, 1, 1), date(2026, 3, 1), ("annual leave",))
    assert query.problems == ()


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ('the "annual leave" of parents', "annual leave"),
        ("the “annual leave,” he said", "annual leave"),
        ("der „Urlaub nehmen“ Satz", "Urlaub nehmen"),
        ("le « congé annuel » payé", "congé annuel"),
        ('which ("annual leave") one', "annual leave"),
        ('"annual leave"', "annual leave"),
        ('does "v1.2-rc" run?', "v1.2-rc"),
        ('what is "type:pdf" for', "type:pdf"),
    ],
)
def test_a_quoted_phrase_is_to_be_held_literally(text: str, phrase: str) -> None:
    assert understand(text).narrowing == Narrowing(phrases=(phrase,))
    assert understand(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "the employees' and the manager's leave",
        "rock 'n' roll and ‘single’ quotes",
        'a 5" disk and a 3.5" one',
        'a 24" screen, 17" or 19" wide',
        'what does print("hello") do',
        'does {"type": 1} work',
        "see https://library:8080/type:pdf and mailto:hr@example.com",
        "note: after: all, type: pdf",
        r"open C:\type:pdf or C:\after\2025",
        "std::type::after::x and library::load",
        'what is `type:pdf` or `after:2025 "so"`',
        "the time is 12:30",
        'a lonely " mark',
        'empty "" and " spaced " marks',
        "a 'library:HR' in apostrophes",
    ],
)
def test_what_only_seems_to_say_where_to_look_is_left_alone(text: str) -> None:
    query = understand(text)
    assert (query.text, query.narrowing, query.problems) == (text, Narrowing(), ())


@pytest.mark.parametrize(
    ("operator", "narrowing"),
    [
        ('library:"Human Resources"', Narrowing(libraries=("Human Resources",))),
        ("LIBRARY:“Human Resources”", Narrowing(libraries=("Human Resources",))),
        ("library:HR library:IT", Narrowing(libraries=("HR", "IT"))),
        ("type:.docx", Narrowing(types=(".docx",))),
        ("type:PDFs,", Narrowing(types=("PDFs",))),
        ("after:2025-03", Narrowing(after=date(2025, 3, 1))),
        ("after:2025-3-9", Narrowing(after=date(2025, 3, 9))),
        ("after:2024 after:2025", Narrowing(after=date(2025, 1, 1))),
        ("before:2025-03-01?", Narrowing(before=date(2025, 3, 1))),
    ],
)
def test_an_operator_narrows_and_leaves_the_text(operator: str, narrowing: Narrowing) -> None:
    for text in (f"{operator} leave", f"leave {operator}"):
        assert understand(text).narrowing == narrowing
        assert understand(text).text == "leave"


@pytest.mark.parametrize("value", ["spring", "2025-13", "2025-02-30", "01.03.2025", "0001", "20255"])
def test_what_is_no_date_is_told_and_narrows_nothing(value: str) -> None:
    query = understand(f"leave after:{value}")
    assert query.narrowing == Narrowing()
    assert query.text == f"leave after:{value}"
    assert f"“{value}” is no date" in query.problems[0]
    assert "after:2025-03-01" in query.problems[0]


def test_an_unknown_type_is_told_with_those_that_are_known() -> None:
    (problem,) = understand("leave type:hologram").problems
    assert "“hologram”" in problem
    assert "pdf, word, excel" in problem


def test_operators_alone_ask_nothing() -> None:
    assert understand("type:pdf library:HR ?").text == ""
    assert understand("???").text == "???"


def test_a_pasted_text_with_many_quotations_narrows_nothing() -> None:
    assert understand('"so" ' * MOST_PHRASES).narrowing.phrases == ("so",) * MOST_PHRASES
    assert understand('"so" ' * (MOST_PHRASES + 1)).narrowing == Narrowing()
    assert understand(f'"{"so " * 100}no"').narrowing == Narrowing()


def test_what_was_said_before_is_read_without_operators_as_well() -> None:
    question = Question("and type:pdf those?", (Turn("user", "leave library:HR"), Turn("assistant", "Use type:pdf.")))
    plain = without_operators(question)
    assert plain.text == "and those?"
    assert [turn.text for turn in plain.history] == ["leave", "Use type:pdf."]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x library:HR type:pdf after:2025", "in HR, PDF, since 2025"),
        ('x "annual leave" type:docx', "in DOCX, for “annual leave”"),
        ("x after:2025-03 before:2025-03-09", "in documents, since 2025-03, before 2025-03-09"),
        ('x "annual leave" and "sick leave"', "for “annual leave” and “sick leave”"),
    ],
)
def test_where_is_looked_is_told_as_one_would_type_it(text: str, told: str) -> None:
    assert where(understand(text).narrowing) == told
