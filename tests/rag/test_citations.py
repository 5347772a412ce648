from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.rag.citations import CitationTracker
from documents.rag.types import Citation, Passage, Span, Text

LEAVE = "Parents take twelve weeks of paid leave. Contractors take none. Ask the office for the form."
TRAVEL = "Trains are booked in second class. Flights need the approval of a manager."


def passage(text: str, page: int = 1) -> Passage:
    return Passage(page, text, (Span(page, 0, len(text)),), 10, 1.0, {"source": f"{page}.md"})


def shown(tracker: CitationTracker, pieces: tuple[str, ...]) -> str:
    events = [event for piece in pieces for event in tracker.feed(piece)] + list(tracker.finish())
    return "".join(event.text for event in events if isinstance(event, Text))


def text_of(*pieces: str) -> str:
    return shown(CitationTracker((passage(LEAVE, 1), passage(TRAVEL, 2))), pieces)


def test_a_marker_becomes_a_footnote_at_the_sentence_that_carries_the_claim() -> None:
    tracker = CitationTracker((passage(LEAVE, 1), passage(TRAVEL, 2)))
    assert shown(tracker, ("A flight needs a manager's approval [2].",)) == "A flight needs a manager's approval[1]."
    (citation,) = tracker.citations
    assert citation.quote == "Flights need the approval of a manager."
    assert citation.span == Span(2, TRAVEL.index("Flights"), len(TRAVEL))


def test_numbers_rise_in_the_order_of_first_use_and_the_same_stretch_keeps_its_number() -> None:
    text = "Flights need approval [2]. Contractors take none [1]. Flights need a manager's approval [2]."
    assert text_of(text) == "Flights need approval[1]. Contractors take none[2]. Flights need a manager's approval[1]."


def test_another_stretch_of_the_same_passage_is_another_footnote() -> None:
    tracker = CitationTracker((passage(LEAVE),))
    shown(tracker, ("Parents take twelve weeks [1]. Contractors take none [1].",))
    assert [citation.number for citation in tracker.citations] == [1, 2]


@pytest.mark.parametrize(
    "marker", ["[1, 2]", "[1][2]", "【1】【2】", "[1; 2]", "[^1][^2]", "【1†source】[2]", "[1] [2]"]
)
def test_markers_of_every_shape_are_read(marker: str) -> None:
    assert text_of(f"Trains take paid leave {marker}.") == "Trains take paid leave[1][2]."


@pytest.mark.parametrize("marker", ["[3]", "[0]", "[999]", "[3, 4]"])
def test_a_marker_that_matches_no_passage_is_dropped(marker: str) -> None:
    assert text_of(f"Trains {marker}.") == "Trains."


@pytest.mark.parametrize("code", ["`a[1]`", "```\na[1]\n```", "``a ` b[1]``", "~~~\nx[1]\n~~~", "  ```py\na[1]\n  ```"])
def test_nothing_inside_code_is_a_marker(code: str) -> None:
    assert text_of(f"See\n{code}\nTrains [2]") == f"See\n{code}\nTrains[1]"


def test_what_is_no_marker_stays_as_it_is() -> None:
    text = "A [link](https://example.org), [x], [1990 - 2000], 3 < [4.5] and [ ] a box"
    assert text_of(text) == text


def test_a_marker_split_over_pieces_is_read_whole() -> None:
    assert text_of("Trains are booked", " ", "[", "2", "]", ".") == "Trains are booked[1]."


def test_a_footnote_is_announced_before_its_number_is_shown() -> None:
    events = list(CitationTracker((passage(LEAVE),)).feed("Contractors take none [1]. And"))
    assert [type(event) for event in events] == [Citation, Text]


@given(st.text(alphabet="ab .\n[]【】0123456789,†`~^*", max_size=300), st.data())
def test_however_a_text_is_split_the_result_is_the_same(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert text_of(*pieces) == text_of(text)


MARKERS = re.compile(r"[ \t]{0,3}[\[【]\s?\d{1,3}(?:\s?[,;]\s?\d{1,3}){0,8}\s?[\]】]")


@given(
    st.lists(
        st.sampled_from(
            [
                "Flights need a manager's approval",
                ". ",
                "!",
                "\n",
                "- ",
                "[1]",
                " [2, 1]",
                "[7]",
                "【2】",
                "[",
                "]",
                "1",
                "é🙂",
                "| ",
                "# ",
            ]
        ),
        max_size=20,
    ).map("".join)
)
def test_no_letter_is_lost_and_only_what_was_found_is_cited(text: str) -> None:
    tracker = CitationTracker((passage(LEAVE, 1), passage(TRAVEL, 2)))
    result = shown(tracker, (text,))
    assert MARKERS.sub("", result) == MARKERS.sub("", text)
    numbers = {int(number) for marker in MARKERS.findall(result) for number in re.findall(r"\d+", marker)}
    assert numbers <= {citation.number for citation in tracker.citations}
    assert all(citation.quote in citation.passage.text for citation in tracker.citations)


@given(st.text(alphabet="ab .\n[]0123456789`", max_size=200))
def test_without_passages_no_citation_is_invented_and_no_letter_lost(text: str) -> None:
    tracker = CitationTracker(())
    result = shown(tracker, (text,))
    assert not tracker.citations
    assert [letter for letter in result if letter in "ab."] == [letter for letter in text if letter in "ab."]


def quoted(sentence: str, text: str) -> str:
    """What a footnote for a sentence quotes of a text."""
    tracker = CitationTracker((passage(text),))
    shown(tracker, (f"{sentence} [1]",))
    return tracker.citations[0].quote


def test_a_claim_that_rests_on_two_sentences_is_aligned_to_both() -> None:
    sentence = "Parents take twelve weeks of leave but contractors take none"
    assert quoted(sentence, LEAVE) == "Parents take twelve weeks of paid leave. Contractors take none."


def test_a_quote_leaves_out_what_marks_a_list_item() -> None:
    text = "Members may be:\n• readers, who ask\n• editors, who add documents"
    assert quoted("Editors add documents", text) == "editors, who add documents"


def test_a_sentence_that_shares_nothing_points_at_the_whole_passage() -> None:
    assert quoted("Quarks have colour", LEAVE) == LEAVE


@pytest.mark.parametrize("rows", [3, 30])
def test_of_a_table_a_row_is_quoted(rows: int) -> None:
    table = [f"Room {number} | seats {number * 3} people | floor {number % 7}" for number in range(30, 30 + rows)]
    assert quoted("Room 31 seats 93 people", "\n".join(table)) == table[1]


# --- Where the model cites nothing ------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("Contractors take none of the leave. Ask.", "Contractors take none of the leave.[1] Ask."),
        ("Flights need a manager's approval.", "Flights need a manager's approval.[1]"),
        (
            "- Flights need a manager’s approval\n- Trains: second class",
            "- Flights need a manager’s approval[1]\n- Trains: second class[2]",
        ),
        (
            "Flights need approval [2] of a manager. Trains go second class.",
            "Flights need approval[1] of a manager. Trains go second class.[2]",
        ),
        ("**Flights need a manager’s approval.**  \nAsk.", "**Flights need a manager’s approval.**[1]  \nAsk."),
    ],
)
def test_a_sentence_without_a_marker_is_given_the_passage_that_carries_it(written: str, becomes: str) -> None:
    assert text_of(written) == becomes


@pytest.mark.parametrize(
    "text",
    [
        "The moon is made of green cheese entirely.",
        "Do flights need the approval of a manager?",
        "Flights need these approvals of a manager:",
        "# Flights need the approval of a manager.",
        "| Flights | need the approval of a manager. |",
        "```\nFlights need the approval of a manager.\n```",
        "Flights need the approval of a manager and",
        "`Flights need the approval. Of a manager`",
    ],
)
def test_what_no_passage_carries_or_nobody_states_is_given_none(text: str) -> None:
    assert text_of(text) == text


@given(
    st.lists(
        st.sampled_from(
            [
                "Flights need a manager's approval",
                "Trains are booked in second class",
                ".",
                " ",
                "  ",
                "\n",
                "- ",
                "[2]",
                "`",
                '"',
                "1. ",
                "**",
            ]
        ),
        max_size=14,
    ),
    st.data(),
)
def test_however_sentences_are_split_they_are_given_the_same(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert text_of(*pieces) == text_of(text)
