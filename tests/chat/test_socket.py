"""The chat through a real socket, against a real server."""

from __future__ import annotations

import json
import re
import uuid
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from config.embedded import valkey
from tests.chat.conftest import Visit, another_process, manage
from tests.chat.visitor import Answer, Socket, Visitor
from tests.installation import Installation
from tests.openai_server import OpenAIServer, Reply

QUESTION = "How many days of paid leave do employees have?"
LONG = "Employees have **25 days** of paid leave [1].\n\nAnd trains are paid for, too."


@pytest.fixture
def held(model: OpenAIServer) -> str:
    """The gate at which the next answer waits, after its first paragraph."""
    gate = str(uuid.uuid4())
    model.queue(Reply(LONG, hold_at=9, gate=gate))
    return gate


def begun(socket: Socket) -> Answer:
    """An answer of which the first paragraph has come."""
    return socket.read(socket.ask(QUESTION), until="[1]")


def prose(html: str) -> str:
    found = re.search(r'<div class="prose"[^>]*>(.*?)</div>', html, re.DOTALL)
    assert found
    return found[1]


def test_it_works(olive: Visitor) -> None:
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    assert answer.ending == "done"
    assert "25 days" in answer.text
    assert answer.numbers == list(range(1, len(answer.events) + 1))
    assert answer.of_type("citation")[0]["title"] == "House rules"


def test_what_was_shown_live_is_what_a_reload_shows(olive: Visitor, model: OpenAIServer) -> None:
    model.queue(Reply(LONG + "\n\n- one [1]\n- two\n\n| a | b |\n|--|--|\n| 1 | 2 |"))
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    assert prose(olive.message(answer)) == answer.html
    assert "<strong>25 days</strong>" in answer.html


def test_a_source_opens_with_its_passage_marked(olive: Visitor) -> None:
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    status, html = olive.get(f"c/{answer.conversation}/messages/{answer.id}/sources/1/")
    assert status == 200
    assert "<mark>Employees have 25 days of paid leave a year.</mark>" in html
    link = re.search(r'href="([^"]+)">Open document', html)
    assert link
    assert "<mark>Employees have 25 days of paid leave a year.</mark>" in olive.get(unescape(link[1]))[1]


def test_a_source_opens_while_its_answer_is_still_being_written(olive: Visitor, model: OpenAIServer, held: str) -> None:
    with olive.socket() as socket:
        answer = begun(socket)
        status, html = olive.get(f"c/{answer.conversation}/messages/{answer.id}/sources/1/")
        model.release(held)
        socket.read(answer)
    assert status == 200
    assert "<mark>" in html


def test_a_reload_in_the_middle_goes_on_where_it_was(olive: Visitor, model: OpenAIServer, held: str) -> None:
    with olive.socket() as socket:
        answer = begun(socket)
    with olive.socket() as reloaded:
        rest = reloaded.follow(answer, have=answer.numbers[-1])
        model.release(held)
        reloaded.read(rest)
    assert (answer.numbers + rest.numbers) == list(range(1, rest.numbers[-1] + 1))
    assert answer.text + rest.text == LONG.replace(" [1]", "[1]")


def test_stop_from_another_tab_keeps_the_text(olive: Visitor, held: str) -> None:
    with olive.socket() as socket, olive.socket() as other:
        answer = begun(socket)
        other.send(type="stop", message=answer.id)
        assert socket.read(answer).ending == "stopped"
    html = olive.message(answer)
    assert "25 days" in prose(html)
    assert 'data-status="stopped"' in html


def test_a_tab_sees_what_is_asked_in_another(olive: Visitor) -> None:
    with olive.socket() as socket, olive.socket() as other:
        first = socket.read(socket.ask(QUESTION))
        other.send(type="watch", conversation=first.conversation, have=first.id)
        second = socket.read(socket.ask("And trains?", first.conversation))
        announced = other.receive()
    assert announced["conversation"] == first.conversation
    assert announced["events"][0]["answer"] == second.id


def test_two_processes_follow_one_answer(
    olive: Visitor, footnote: Installation, model: OpenAIServer, held: str
) -> None:
    with another_process(footnote) as (address, _), olive.socket() as here, olive.at(address).socket() as there:
        answer = begun(here)
        followed = there.read(there.follow(answer), until="[1]")
        model.release(held)
        assert there.read(followed).events == here.read(answer).events


def test_stop_reaches_an_answer_that_another_process_writes(olive: Visitor, footnote: Installation, held: str) -> None:
    with another_process(footnote) as (address, _), olive.socket() as here, olive.at(address).socket() as there:
        answer = begun(here)
        there.send(type="stop", message=answer.id)
        assert here.read(answer).ending == "stopped"


def test_an_answer_whose_process_was_killed_is_interrupted(olive: Visitor, footnote: Installation, held: str) -> None:
    with another_process(footnote) as (address, process), olive.socket() as here:
        with olive.at(address).socket() as there:
            answer = begun(there)
        followed = here.read(here.follow(answer), until="[1]")
        process.kill()
        assert here.read(followed).ending == "interrupted"
        assert "25 days" in prose(olive.message(answer))
        assert here.read(here.ask(QUESTION, answer.conversation)).ending == "done"


def test_redis_may_be_restarted_in_the_middle(
    olive: Visitor, footnote: Installation, model: OpenAIServer, held: str
) -> None:
    with olive.socket() as here:
        answer = begun(here)
        valkey.stop(footnote.data)
        model.release(held)
        assert here.read(answer).ending == "done"
        valkey.start(footnote.data)
    assert "trains are paid for" in prose(olive.message(answer))


SETTS = "# Setts\n\nBadgers dig setts of 300 metres.\n"

MAKE = """
from documents.models import Library, Membership, User
library = Library.objects.create(name="Setts")
Membership.objects.create(library=library, user=User.objects.get(email="owner@example.com"), role="owner")
print(library.pk)
"""

ERASE = """
from documents.models import Receipt
from documents.ingest import delete
from documents.models import Document, Library
from documents.purging import erase, work_off
library = Library.objects.get(name="Setts")
for document in library.documents.filter(deleted_at=None):
    delete(document)
if not Receipt.objects.exists():
    erase(library, Document.objects.removed_from(library))
work_off()
print(Receipt.objects.get().finished is not None)
"""


def run(footnote: Installation, code: str) -> str:
    return manage(footnote, "shell", "--verbosity", "0", "--command", code).strip()


def test_erasing_waits_for_an_answer_and_then_leaves_no_event_of_it(
    olive: Visitor, footnote: Installation, model: OpenAIServer, held: str, tmp_path: Path
) -> None:
    library = int(run(footnote, MAKE))
    (tmp_path / "setts.md").write_text(SETTS)
    manage(
        footnote, "ingest", str(tmp_path / "setts.md"), "--library", "Setts", "--user", "owner@example.com", "--wait"
    )
    events = "from chat.live import logged; print([event['type'] for event in logged({})])"
    with olive.socket() as socket:
        answer = socket.read(socket.ask("How long are the setts of badgers?", libraries=[library]), until="[1]")
        assert "Badgers dig setts" in answer.of_type("citation")[0]["quote"]
        assert run(footnote, ERASE) == "False"
        assert "citation" in run(footnote, events.format(answer.id))
        model.release(held)
        assert socket.read(answer).ending == "done"
    assert run(footnote, ERASE) == "True"
    assert run(footnote, events.format(answer.id)) == "[]"
    with olive.socket() as socket:
        assert socket.read(socket.follow(answer)).events == [{"type": "done"}]
    assert "300 metres" not in olive.message(answer)


def test_a_second_question_waits_for_the_first_answer(olive: Visitor, held: str) -> None:
    with olive.socket() as socket:
        answer = begun(socket)
        sentence = socket.refusal(type="ask", text="And?", strategy="hybrid", conversation=answer.conversation)
        assert sentence == "An answer is still being written here. Wait for its end, or stop it."
        socket.send(type="stop", message=answer.id)
        socket.read(answer)


def test_a_follow_up_has_the_history(olive: Visitor, model: OpenAIServer) -> None:
    with olive.socket() as socket:
        first = socket.read(socket.ask(QUESTION))
        socket.read(socket.ask("And trains?", first.conversation))
    said = [message["content"] for message in model.history[-1].body["messages"]]
    assert any(QUESTION in text for text in said[:-1])


def test_what_a_long_conversation_began_with_is_told_in_short(olive: Visitor, model: OpenAIServer) -> None:
    with olive.socket() as socket:
        first = socket.read(socket.ask(QUESTION))
        for number in range(4):
            socket.read(socket.ask(f"Are trains of kind {number} paid for in full by us?", first.conversation))
        last = socket.read(socket.ask("Who pays for trains of the last kind?", first.conversation))
    said = [message["content"] for message in model.history[-1].body["messages"]]
    assert said[1].splitlines()[1].startswith(f"- {QUESTION} (House rules")
    assert "Telling 1 earlier question in short, with what the answers cite" in olive.message(last)


def test_going_deeper_asks_the_same_again_and_keeps_what_was_found(olive: Visitor, model: OpenAIServer) -> None:
    with olive.socket() as socket:
        first = socket.read(socket.ask(QUESTION))
        assert 'data-do="deeper" data-strategy="iterative"' in olive.message(first)
        model.queue(Reply("ENOUGH"))
        deeper = socket.read(socket.ask("", first.conversation, deeper=first.id, strategy="iterative"))
    said = [message["content"] for message in model.history[-1].body["messages"]]
    assert QUESTION in said[-1]
    assert len(said) == 2
    html = olive.message(deeper)
    assert "Ended after 1 round" in html
    assert 'data-do="deeper" data-strategy="agentic"' in html
    page = olive.get(f"c/{first.conversation}/")[1]
    assert page.count(f">{QUESTION}</article>") == 2
    assert '<input type="radio" name="strategy" value="hybrid" checked>' in page


def test_only_an_answer_of_ones_own_conversation_can_be_gone_deeper_than(olive: Visitor, visit: Visit) -> None:
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
        other = socket.read(socket.ask(QUESTION))
        again: dict[str, Any] = {"type": "ask", "strategy": "iterative", "deeper": answer.id}
        assert socket.refusal(**again, conversation=other.conversation) == "This answer is not there any more."
    with visit("teammate").socket() as socket:
        assert socket.refusal(**again, conversation=answer.conversation) == "This answer is not there any more."


def test_what_a_model_thinks_is_shown_apart_and_kept(olive: Visitor, model: OpenAIServer) -> None:
    model.queue(Reply("25 days [1].", reasoning="The rules say 25. <b>"))
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    assert [event["text"] for event in answer.events if event["type"] == "thought"] == ["The rules say 25. <b>"]
    html = olive.message(answer)
    assert "What the model thought" in html
    assert "The rules say 25. &lt;b&gt;" in html
    assert "The rules say" not in prose(html)
    assert re.search(r"Hybrid · [\d,]+ tokens · \d+\.\d s", html)


BUDGET = """
from documents.models import *
Endpoint.objects.create(base_url="{url}", chat_model="scripted-chat", own=True, prompt_price=0, completion_price=1e6)
Budget.objects.create(scope="each", amount={amount})
"""
NO_BUDGET = """
from documents.models import *
for model in (Endpoint, Budget, Usage): model.objects.all().delete()
"""


def test_a_budget_that_runs_out_in_the_middle_keeps_the_text_and_then_quotes(
    footnote: Installation, olive: Visitor, model: OpenAIServer
) -> None:
    run(footnote, NO_BUDGET)
    run(footnote, BUDGET.format(url=model.url, amount=6))
    try:
        model.queue(Reply("one two three four five six seven eight nine ten eleven twelve"))
        with olive.socket() as socket:
            answer = socket.read(socket.ask(QUESTION))
            assert answer.ending == "failed"
            assert answer.text.startswith("one two three")
            assert "twelve" not in answer.text
            assert "Your budget of 6 USD a month is spent." in olive.message(answer)
            asked = len(model.history)
            quoted = socket.read(socket.ask(QUESTION))
        assert quoted.ending == "done"
        assert len(model.history) == asked
        html = olive.message(quoted)
        assert "Your budget of 6 USD a month is spent." in html
        assert "25 days" in prose(html)
        assert "scripted-chat" in olive.get("usage/")[1]
    finally:
        run(footnote, NO_BUDGET)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"type": "ask", "text": " \n", "strategy": "hybrid"}, "The question is empty. Write one."),
        (
            {"type": "ask", "text": "type:pdf", "strategy": "hybrid"},
            "The question says only where to look. Add what you look for.",
        ),
        ({"type": "ask", "text": "x" * 9000, "strategy": "hybrid"}, "The question has 9,000 characters"),
        (
            {"type": "ask", "text": "x", "strategy": "naive", "model": "gone"},
            "The model “gone” is not connected any more. Choose another.",
        ),
        ({"type": "ask", "text": "x", "strategy": "guess"}, "There is no strategy “guess”."),
        ({"type": "ask", "text": "x", "strategy": "naive", "libraries": [999]}, "You may not read the libraries"),
        ({"type": "follow", "message": "x", "have": 0}, "This message was not understood."),
        ({"type": "follow", "message": 1, "have": float("inf")}, "This message was not understood."),
        ({"type": "ask", "text": "x", "strategy": "naive", "conversation": 5}, "This message was not understood."),
        ({"type": "whisper"}, "This message was not understood."),
        ({"kind": "ask"}, "This message was not understood."),
    ],
)
def test_a_message_that_makes_no_sense_gets_a_sentence(
    olive: Visitor, message: dict[str, object], sentence: str
) -> None:
    with olive.socket() as socket:
        assert socket.refusal(**message).startswith(sentence)


def test_brackets_without_end_get_a_sentence(olive: Visitor) -> None:
    with olive.socket() as socket:
        socket.connection.send("[" * 100_000)
        assert socket.receive()["text"].startswith("This message was not understood.")
        assert socket.read(socket.ask(QUESTION)).ending == "done"


def test_a_question_may_hold_what_postgres_can_not_store(olive: Visitor) -> None:
    with olive.socket() as socket:
        assert socket.read(socket.ask("paid\0 leave \ud800?")).ending == "done"


# --- What a stranger may not ------------------------------------------------------------------


def test_a_stranger_gets_nothing_of_an_answer(olive: Visitor, visit: Visit, held: str) -> None:
    stranger = visit("stranger")
    with olive.socket() as socket, stranger.socket() as other:
        answer = begun(socket)
        gone = "This answer is not there any more."
        assert other.refusal(type="follow", message=answer.id, have=0) == gone
        assert other.refusal(type="stop", message=answer.id) == gone
        assert "not there" in other.refusal(type="watch", conversation=answer.conversation, have=0)
        assert "not there" in other.refusal(
            type="ask", text="And?", strategy="hybrid", conversation=answer.conversation
        )
        socket.send(type="stop", message=answer.id)
        assert socket.read(answer).ending == "stopped"
    for path in ("", f"messages/{answer.id}/", f"messages/{answer.id}/sources/1/"):
        assert stranger.get(f"c/{answer.conversation}/{path}")[0] == 404


def test_a_stranger_finds_nothing_in_the_library(visit: Visit) -> None:
    with visit("stranger").socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    assert "25 days" not in json.dumps(answer.events)


def test_a_library_that_may_no_longer_be_read_shows_no_source(visit: Visit, footnote: Installation) -> None:
    teammate = visit("teammate")
    with teammate.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
        path = f"c/{answer.conversation}/messages/{answer.id}/sources/1/"
        assert teammate.get(path)[0] == 200
        manage(
            footnote, "shell", "--verbosity", "0", "--command",
            "from documents.models import Membership; Membership.objects.filter(role='reader').delete()",
        )  # fmt: skip
        assert teammate.get(path)[0] == 404
        assert "25 days" not in json.dumps(socket.read(socket.ask(QUESTION)).events)


def test_another_site_may_not_open_the_socket(olive: Visitor) -> None:
    with pytest.raises(InvalidStatus), olive.socket(origin="https://evil.example"):
        pass


def test_nobody_chats_without_signing_in(footnote: Installation) -> None:
    nobody = Visitor(footnote.address, "nobody@example.com", "nothing")
    with nobody.socket() as socket, pytest.raises(ConnectionClosed):
        socket.receive()


def test_signing_out_closes_the_open_tabs(visit: Visit) -> None:
    visitor = visit("stranger")
    with visitor.socket() as socket:
        visitor.post("account/logout/")
        socket.send(type="ask", text=QUESTION, strategy="hybrid")
        with pytest.raises(ConnectionClosed):
            socket.receive()
