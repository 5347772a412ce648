"""What is thought of an answer's statements: told with its end, kept, and shown after a reload."""

from __future__ import annotations

import json

from tests.chat.conftest import manage
from tests.chat.visitor import Visitor
from tests.installation import Installation
from tests.openai_server import OpenAIServer, Reply

QUESTION = "How many days of paid leave do employees have?"


def answered(olive: Visitor, model: OpenAIServer, text: str) -> str:
    """The answer as its page shows it."""
    model.queue(Reply(text))
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    return olive.message(answer)


def test_a_number_that_the_source_has_otherwise_is_marked_and_its_note_says_why(
    olive: Visitor, model: OpenAIServer
) -> None:
    html = answered(olive, model, "Employees have 28 days of paid leave a year [1].")
    assert (
        '<span class="doubt" data-verdict="contradicted" title="Contradicted: the source says “25”">28</span>' in html
    )
    assert '<span class="verdict" data-verdict="contradicted">contradicted</span>' in html
    assert "“28”: the source says “25”" in html
    assert "Checked 1 statement: 1 contradicted" in html


def test_what_the_source_says_is_supported_and_not_marked(olive: Visitor, model: OpenAIServer) -> None:
    html = answered(olive, model, "Each year employees have 25 days of paid leave [1].")
    assert 'data-verdict="supported">supported</span>' in html
    assert 'class="claim"' not in html


def test_a_model_that_forgets_to_cite_is_cited_for_and_what_no_passage_says_has_no_source(
    olive: Visitor, model: OpenAIServer
) -> None:
    html = answered(olive, model, "Employees have 25 days of paid leave a year. The moon orbits our planet monthly.")
    assert 'paid leave a year.<a class="cite"' in html
    assert 'data-verdict="uncited" title="Uncited">The moon orbits our planet monthly.</span>' in html
    assert "1 statement without a source" in html


def test_claims_are_told_as_events_before_the_end(olive: Visitor, model: OpenAIServer) -> None:
    model.queue(Reply("Employees have 28 days of paid leave a year [1]."))
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    (claim,) = [event for event in answer.events if event["type"] == "claim"]
    assert (claim["verdict"], claim["numbers"]) == ("contradicted", [1])
    assert [event["type"] for event in answer.events][-1] == "done"


def test_what_a_stopped_answer_said_is_checked_as_well(olive: Visitor, model: OpenAIServer) -> None:
    model.queue(Reply("Employees have 28 days of paid leave a year [1].\n\nAnd more, which never comes.", hold_at=12))
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION), until="[1]")
        socket.send(type="stop", message=answer.id)
        assert socket.read(answer).ending == "stopped"
    assert "“28”: the source says “25”" in olive.message(answer)


def test_ask_tells_claims_and_the_verdict_of_each_citation(footnote: Installation, model: OpenAIServer) -> None:
    model.queue(Reply("Employees have 28 days of paid leave a year [1]."))
    said = json.loads(manage(footnote, "ask", QUESTION, "--user", "owner@example.com", "--json"))
    assert said["citations"][0]["verdict"] == "contradicted"
    (claim,) = said["claims"]
    assert said["answer"][claim["start"] : claim["end"]] == "Employees have 28 days of paid leave a year[1]."
    assert (claim["verdict"], claim["doubt"], claim["reason"]) == ("contradicted", "28", "the source says “25”")


def test_a_question_without_an_answer_is_a_gap_of_what_was_searched(olive: Visitor, model: OpenAIServer) -> None:
    html = answered(olive, model, "I could not find this in the documents. The house rules come closest [1].")
    assert "noted as a knowledge gap, without your name" in html
