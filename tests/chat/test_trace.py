"""The trace of an answer: for its asker alone, and with no word of what may not be read any more."""

from __future__ import annotations

import json

from tests.chat.conftest import Visit, manage
from tests.chat.test_socket import QUESTION
from tests.chat.visitor import Answer, Visitor
from tests.installation import Installation
from tests.openai_server import OpenAIServer, Reply


def path(answer: Answer, name: str = "trace/") -> str:
    return f"c/{answer.conversation}/messages/{answer.id}/{name}"


def asked(visitor: Visitor) -> Answer:
    with visitor.socket() as socket:
        return socket.read(socket.ask(QUESTION))


def test_it_tells_steps_passages_and_what_went_where(olive: Visitor) -> None:
    answer = asked(olive)
    assert f'href="#trace-{answer.id}" data-do="trace"' in olive.message(answer)
    status, html = olive.get(path(answer))
    assert status == 200
    assert "Searching by words" in html
    assert ">House rules</a>" in html
    assert "lexical 1" in html
    assert "Chat, scripted-chat at 127.0.0.1:" in html
    assert "our own" in html
    prompt = html.partition("What the answer was written from")[2]
    assert "25 days" in prompt
    assert "Always cite your sources" in prompt


def test_it_is_exported_as_json(olive: Visitor) -> None:
    answer = asked(olive)
    trace = json.loads(olive.get(path(answer, "trace.json"))[1])
    assert (trace["question"], trace["strategy"], trace["model"]) == (QUESTION, "hybrid", "scripted-chat")
    assert trace["passages"][0]["title"] == "House rules"
    assert trace["passages"][0]["ranks"]["fused"] == 1
    (call,) = trace["calls"]
    assert call["usage"]["prompt_tokens"] == trace["usage"]["prompt_tokens"] > 0
    assert trace["milliseconds"]["total"] >= trace["milliseconds"]["retrieval"]
    assert trace["cited"][0]["number"] == 1


def test_a_question_that_another_strategy_took_tells_both_and_goes_no_deeper_than_agentic(olive: Visitor) -> None:
    with olive.socket() as socket:
        chosen = socket.read(socket.ask(QUESTION, strategy="auto"))
        agentic = socket.read(socket.ask(QUESTION, strategy="agentic"))
    assert "Auto: hybrid" in olive.get(path(chosen))[1]
    assert 'data-do="deeper"' in olive.message(chosen)
    assert "Agentic: iterative" in olive.get(path(agentic))[1]
    assert 'data-do="deeper"' not in olive.message(agentic)


def test_nobody_else_sees_it(olive: Visitor, visit: Visit) -> None:
    answer = asked(olive)
    for name in ("teammate", "stranger"):
        assert visit(name).get(path(answer))[0] == 404
        assert visit(name).get(path(answer, "trace.json"))[0] == 404


MEMBERSHIP = """
from documents.models import *
library, user = Library.objects.get(name="Leave"), User.objects.get(email="teammate@example.com")
Membership.objects.filter(library=library, user=user).delete()
if {member}: Membership.objects.create(library=library, user=user, role="reader")
"""


def test_what_may_not_be_read_any_more_has_no_title(footnote: Installation, visit: Visit) -> None:
    def may_read(*, member: bool) -> None:
        manage(footnote, "shell", "--verbosity", "0", "--command", MEMBERSHIP.format(member=member))

    may_read(member=True)
    reader = visit("teammate")
    answer = asked(reader)
    assert "House rules" in reader.get(path(answer))[1]
    assert "25 days" in json.loads(reader.get(path(answer, "trace.json"))[1])["prompt"]
    may_read(member=False)
    try:
        html = reader.get(path(answer))[1]
    finally:
        may_read(member=True)
    assert "Removed, or not yours to read" in html
    assert "House rules" not in html
    assert "25 days" not in html


def test_a_model_that_failed_is_named(olive: Visitor, model: OpenAIServer) -> None:
    model.queue(*(Reply(status=500) for _ in range(3)))
    html = olive.get(path(asked(olive)))[1]
    assert "failed while running scripted-chat" in html
