"""What a reader thinks of an answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation, Feedback, Message
from documents.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(owner: User) -> Message:
    return Message.objects.create(conversation=Conversation.objects.create(owner=owner), role="assistant", text="Yes.")


@pytest.fixture
def olive(client: Client, owner: User) -> Client:
    """The owner's browser."""
    client.force_login(owner)
    return client


def give(client: Client, answer: Message, verdict: str, reason: str = "", **headers: str) -> Any:
    address = reverse("feedback", args=[answer.conversation_id, answer.pk])
    return client.post(address, {"verdict": verdict, "reason": reason}, headers=headers)


def given() -> list[tuple[str, str]]:
    return list(Feedback.objects.values_list("verdict", "reason"))


def page(client: Client, answer: Message) -> str:
    return client.get(answer.conversation.get_absolute_url()).text


def test_it_is_kept_and_shown_after_a_reload(olive: Client, owner: User, answer: Message) -> None:
    done = give(olive, answer, "bad", "<b>Too short</b>")
    assert done.url == f"{answer.conversation.get_absolute_url()}#message-{answer.pk}"
    assert Feedback.objects.get().user == owner
    shown = page(olive, answer)
    assert 'value="" aria-pressed="true">Not helpful' in shown
    assert 'value="good" aria-pressed="false">Helpful' in shown
    assert "&lt;b&gt;Too short&lt;/b&gt;</textarea>" in shown


def test_it_is_changed_and_taken_back(olive: Client, answer: Message) -> None:
    give(olive, answer, "bad", "Too short")
    give(olive, answer, "good", "On second thoughts")
    assert given() == [("good", "On second thoughts")]
    give(olive, answer, "", "On second thoughts")
    assert given() == []


def test_the_pages_script_gets_no_page(olive: Client, answer: Message) -> None:
    assert give(olive, answer, "good", accept="application/json").status_code == 204
    assert give(olive, answer, "so-so", accept="application/json").status_code == 400
    assert given() == [("good", "")]


def test_a_reason_that_is_too_long_is_refused_with_a_sentence(olive: Client, answer: Message) -> None:
    sentence = "The reason has 2001 characters. Shorten it to 2000."
    assert give(olive, answer, "bad", "x" * 2001, accept="application/json").text == sentence
    give(olive, answer, "bad", "x" * 2001)
    assert sentence in page(olive, answer)
    assert given() == []


@pytest.mark.parametrize("status", ["streaming", "failed", "interrupted"])
def test_what_is_no_answer_yet_is_not_judged(olive: Client, answer: Message, status: str) -> None:
    Message.objects.update(status=status)
    assert give(olive, answer, "good").status_code == 404
    assert "Was this helpful?" not in page(olive, answer)


def test_a_question_is_not_judged(olive: Client, answer: Message) -> None:
    Message.objects.update(role="user")
    assert give(olive, answer, "good").status_code == 404


def test_only_who_may_see_the_conversation_judges_it(
    client: Client, teammate: User, stranger: User, answer: Message
) -> None:
    for user in (teammate, stranger):
        client.force_login(user)
        assert give(client, answer, "bad").status_code == 404
    client.logout()
    assert give(client, answer, "bad").status_code == 302
    assert given() == []


def test_an_answer_of_another_conversation_is_not_there(olive: Client, owner: User, answer: Message) -> None:
    other = Conversation.objects.create(owner=owner)
    address = reverse("feedback", args=[other.pk, answer.pk])
    assert olive.post(address, {"verdict": "good"}).status_code == 404


def test_it_goes_with_the_conversation(olive: Client, answer: Message) -> None:
    give(olive, answer, "bad", "Too short")
    olive.post(reverse("conversation-delete", args=[answer.conversation_id]))
    assert given() == []
