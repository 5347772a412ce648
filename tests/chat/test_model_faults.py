"""What an endpoint can do wrong, and what its reader is told."""

from __future__ import annotations

import pytest

from tests.chat.test_socket import QUESTION
from tests.chat.visitor import Visitor
from tests.openai_server import OpenAIServer, Reply

TEXT = "Employees have 25 days of paid leave [1]. More is not known."


@pytest.mark.parametrize(
    "replies",
    [
        [Reply(status=401)],
        [Reply(status=404)],
        [Reply(status=429, retry_after=0.01)] * 5,
        [Reply(status=500)] * 5,
        [Reply("")],
        [Reply(raw="<html>not an endpoint</html>")],
        [Reply(TEXT, cut_at=0)] * 5,
        [Reply(TEXT, error_at=0)] * 5,
    ],
    ids=["401", "404", "429", "500", "empty", "html", "cut", "error"],
)
def test_a_model_that_can_not_answer_is_replaced_by_quotations(
    olive: Visitor, model: OpenAIServer, replies: list[Reply]
) -> None:
    model.queue(*replies)
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    assert answer.ending == "done"
    assert "quoted instead" in answer.of_type("notice")[0]["text"]
    html = olive.message(answer)
    assert "Closest passages" in html
    assert "quoted instead" in html


@pytest.mark.parametrize("reply", [Reply(TEXT, cut_at=8), Reply(TEXT, garbage_at=8), Reply(TEXT, error_at=8)])
def test_text_is_kept_when_the_model_breaks_off(olive: Visitor, model: OpenAIServer, reply: Reply) -> None:
    model.queue(reply)
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    assert answer.ending == "failed"
    html = olive.message(answer)
    assert "25 days of paid leave" in html
    assert 'role="alert"' in html
