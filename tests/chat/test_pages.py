"""Pages and commands of the chat, on a running Footnote."""

from __future__ import annotations

import json
import re

import pytest

from chat.management.commands.ask import without_escapes
from tests.chat.conftest import Visit, manage
from tests.chat.test_socket import QUESTION
from tests.chat.visitor import Visitor
from tests.installation import Installation
from tests.openai_server import OpenAIServer, Reply


@pytest.fixture(scope="module")
def admin(footnote: Installation) -> Visitor:
    return Visitor(footnote.address, footnote.email, footnote.password)


def test_ask_prints_an_answer_whose_citations_can_be_found_in_the_text(
    footnote: Installation, model: OpenAIServer
) -> None:
    said = json.loads(manage(footnote, "ask", QUESTION, "--library", "Leave", "--user", "owner@example.com", "--json"))
    assert set(said) == {
        *("answer", "strategy", "steps", "notices", "citations", "claims", "abstained", "usage", "milliseconds"),
        *("thinking", "calls"),
    }
    citation = said["citations"][0]
    assert set(citation) == {"number", "document", "page", "quote", "start", "end", "verdict"}
    assert citation["document"] == "rules.md"
    assert citation["page"] is None
    assert "25 days" in citation["quote"]
    assert citation["end"] - citation["start"] == len(citation["quote"])


def test_search_finds_passages_for_their_readers_alone(footnote: Installation) -> None:
    found = json.loads(manage(footnote, "search", QUESTION, "--user", "owner@example.com", "--json"))
    assert set(found[0]) == {"document", "page", "chunk", "score", "text", "ranks"}
    assert any("25 days" in passage["text"] for passage in found)
    for_stranger = manage(footnote, "search", QUESTION, "--user", "stranger@example.com", "--json")
    assert "25 days" not in for_stranger


def test_a_library_that_may_not_be_read_is_not_there(footnote: Installation) -> None:
    with pytest.raises(AssertionError, match="There is no library “Leave” that stranger"):
        manage(footnote, "ask", QUESTION, "--library", "Leave", "--user", "stranger@example.com")


def test_an_agent_searches_by_calls_of_tools(footnote: Installation, model: OpenAIServer) -> None:
    model.queue(
        Reply(calls=[("search", '{"queries": ["paid leave", "days"]}'), ("search", '{"queries": ["trains"]}')]),
        Reply(calls=[("open", '{"passage": 1}')]),
        Reply(calls=[("cite", '{"passages": [1]}')]),
    )
    said = json.loads(
        manage(footnote, "ask", QUESTION, "--user", "owner@example.com", "--strategy", "agentic", "--json")
    )
    rounds = [step["text"] for step in said["steps"] if step["name"] == "round"]
    assert rounds == [
        "Round 1: searching for “paid leave” and “days”; searching for “trains”",
        "Round 2: reading House rules",
        "Round 3: citing 1 passage",
    ]
    assert said["strategy"] == "agentic"
    assert said["citations"][0]["document"] == "rules.md"


def test_a_model_can_be_tried_by_each_strategy(footnote: Installation, model: OpenAIServer) -> None:
    table = manage(footnote, "try_llm", "--strategy", "hybrid", "--strategy", "graph", "--questions", "2")
    heading, *rows = [line.split() for line in table.splitlines() if line.strip()]
    assert heading[0] == "strategy"
    assert [row[0] for row in rows] == ["hybrid", "graph"]
    assert [row[1:5] for row in rows] == [["2", "2", "0", "0"]] * 2


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize(
    ("question", "sentence"), [(" ", "The question is empty."), ("x" * 9000, "The question has 9,000 characters")]
)
def test_a_question_that_can_not_be_asked_is_refused(
    footnote: Installation, command: str, question: str, sentence: str
) -> None:
    with pytest.raises(AssertionError, match=f"CommandError: {sentence}"):
        manage(footnote, command, question, "--user", "owner@example.com")


def test_search_looks_for_one_to_a_hundred_passages(footnote: Installation) -> None:
    for number in ("-3", "0", "101"):
        with pytest.raises(AssertionError, match="give a number from 1 to 100"):
            manage(footnote, "search", QUESTION, "--top-k", number)


def test_who_was_deactivated_may_not_ask(footnote: Installation) -> None:
    gone = "from documents.models import User; User.objects.create_user('gone@example.com', 'x', is_active=False)"
    manage(footnote, "shell", "--verbosity", "0", "--command", gone)
    with pytest.raises(AssertionError, match=r"The user gone@example\.com is deactivated"):
        manage(footnote, "ask", QUESTION, "--user", "gone@example.com")


def test_a_terminal_sees_no_escapes_but_codes_own() -> None:
    assert without_escapes(r"Set CHAT\_MODEL\. `a\_b`") == r"Set CHAT_MODEL. `a\_b`"


def test_a_conversation_is_renamed_and_deleted(olive: Visitor) -> None:
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    page = f"c/{answer.conversation}/"
    assert f"<h1>{QUESTION}</h1>" in olive.get(page)[1]
    olive.post(page + "rename", title="Leave & <travel>")
    assert "<h1>Leave &amp; &lt;travel&gt;</h1>" in olive.get(page)[1]
    olive.post(page + "delete")
    assert olive.get(page)[0] == 404


def test_a_stranger_may_not_delete_a_conversation(olive: Visitor, visit: Visit) -> None:
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION))
    stranger = visit("stranger")
    assert stranger.post(f"c/{answer.conversation}/delete")[0] == 404
    assert olive.get(f"c/{answer.conversation}/")[0] == 200


def test_an_administrator_lists_the_endpoints_models_and_tests_one(admin: Visitor, model: OpenAIServer) -> None:
    fields = {"base_url": model.url, "api_key": "secret-key", "chat_model": "scripted-chat"}
    assert "scripted-chat" in admin.post("model/", do="list", **(fields | {"chat_model": ""}))[1]
    tested = admin.post("model/", do="test", **fields)[1]
    assert "scripted-chat answers" in tested
    assert "secret-key" not in tested


def test_a_model_is_kept_with_what_is_known_of_it_changed_and_removed(
    admin: Visitor, olive: Visitor, model: OpenAIServer
) -> None:
    fields = {
        "base_url": model.url,
        "api_key": "secret-key",
        "chat_model": "scripted-other",
        "own": "on",
        "active": "on",
    }
    page = admin.post("model/", do="save", **fields, context_tokens="8192", prompt_price="0.5", tools="true")[1]
    assert "8,192" in page
    assert "our own" in page
    assert "secret-key" not in page
    number = re.search(r'href="/model/(\d+)/">scripted-other', page)
    assert number
    assert 'name="model" value="scripted-other"' in olive.get("")[1]
    assert "not less than 0" in admin.post(f"model/{number[1]}/", do="save", **fields, prompt_price="-1")[1]
    assert "is connected already" in admin.post("model/", do="save", **fields)[1]
    assert olive.post(f"model/{number[1]}/remove/")[0] == 403
    assert "no longer connected" in admin.post(f"model/{number[1]}/remove/")[1]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"base_url": "http://user:word@127.0.0.1:9/v1"}, "Leave name and password out of the address"),
        ({"api_key": "kéy"}, "A key has no accents"),
        ({"prompt_price": "1e308"}, "A price is for a million tokens"),
    ],
)
def test_an_endpoint_that_could_not_be_asked_is_refused(admin: Visitor, wrong: dict[str, str], sentence: str) -> None:
    fields = {"base_url": "http://127.0.0.1:9/v1", "api_key": "k", "chat_model": "never"} | wrong
    status, page = admin.post("model/", do="save", **fields)
    assert (status, sentence in page) == (400, True)


def test_a_models_key_is_not_shown_in_the_administration_either(admin: Visitor, model: OpenAIServer) -> None:
    fields = {"base_url": model.url, "api_key": "secret-key", "chat_model": "scripted-third"}
    page = admin.post("model/", do="save", **fields)[1]
    number = re.search(r'href="/model/(\d+)/">scripted-third', page)
    assert number
    shown = admin.get(f"admin/documents/endpoint/{number[1]}/change/")[1]
    assert "scripted-third" in shown
    assert "secret-key" not in shown
    admin.post(f"model/{number[1]}/remove/")


def test_models_can_be_listed_before_one_is_chosen(admin: Visitor) -> None:
    assert re.search(r'<button[^>]*value="list" formnovalidate>', admin.get("model/")[1])


def test_an_endpoint_that_is_not_there_gets_a_sentence(admin: Visitor) -> None:
    fields = {"base_url": "http://127.0.0.1:9/v1", "api_key": "", "chat_model": "x"}
    assert "can’t be reached" in admin.post("model/", do="test", **fields)[1].replace("&#x27;", "’").replace("'", "’")


def test_only_an_administrator_connects_a_model(olive: Visitor) -> None:
    assert olive.get("model/")[0] == 403
