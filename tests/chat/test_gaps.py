"""Questions that the documents have no answer to: who might know, and what owners are told."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.models import Conversation, Gap, Message
from chat.records import Outcome, finish
from documents.models import Library, Membership, User
from documents.rag.prompts import NOT_FOUND
from tests.chat.cited import QUESTION, answer

pytestmark = pytest.mark.django_db


def refused(asker: User, *searched: Library, text: str = NOT_FOUND, abstained: bool = True) -> Message:
    """An answer as it is stored when it has been written."""
    message = answer(asker, text="…", status="streaming")
    fields = {"text": text, "abstained": abstained}
    finish(message.pk, Outcome(Message.Status.COMPLETE, fields, searched=[library.pk for library in searched]))
    return message


def page(client: Client, reader: User, conversation: Conversation) -> str:
    client.force_login(reader)
    return client.get(conversation.get_absolute_url()).text


def gaps(client: Client, reader: User, library: Library) -> tuple[int, str]:
    client.force_login(reader)
    response = client.get(reverse("gaps", args=[library.pk]))
    return response.status_code, response.text


def test_an_owner_is_told_what_was_asked_and_how_often_but_not_by_whom(
    client: Client, owner: User, teammate: User, library: Library
) -> None:
    refused(teammate, library)
    refused(teammate, library)
    status, shown = gaps(client, owner, library)
    assert status == 200
    assert QUESTION in shown
    assert '<td class="number" data-label="Times">2</td>' in shown
    assert teammate.email not in shown


def test_who_asked_is_told_who_might_know(client: Client, owner: User, teammate: User, library: Library) -> None:
    message = refused(teammate, library)
    shown = page(client, teammate, message.conversation)
    assert f'Who might know: <a href="mailto:{owner.email}">' in shown
    assert "noted as a knowledge gap, without your name" in shown


def test_who_owns_the_library_is_not_told_that_they_might_know(client: Client, owner: User, library: Library) -> None:
    shown = page(client, owner, refused(owner, library).conversation)
    assert "Who might know" not in shown
    assert "noted as a knowledge gap" in shown


def test_of_a_library_that_one_may_not_read_any_more_nobody_is_named(
    client: Client, owner: User, teammate: User, library: Library
) -> None:
    message = refused(teammate, library)
    Membership.objects.filter(user=teammate).delete()
    assert owner.email not in page(client, teammate, message.conversation)


@pytest.mark.parametrize("reader", ["teammate", "stranger"])
def test_nobody_but_an_owner_may_read_the_list(
    client: Client, library: Library, reader: str, request: pytest.FixtureRequest
) -> None:
    refused(request.getfixturevalue("owner"), library)
    assert gaps(client, request.getfixturevalue(reader), library)[0] == 404


def test_an_answer_that_was_found_is_no_gap(client: Client, owner: User, teammate: User, library: Library) -> None:
    refused(teammate, library, text="25 days.", abstained=False)
    assert not Gap.objects.exists()
    assert "No knowledge gaps." in gaps(client, owner, library)[1]


def test_where_nothing_was_searched_there_is_no_gap(teammate: User) -> None:
    refused(teammate)
    assert not Gap.objects.exists()


def test_a_gap_goes_with_its_conversation_and_a_librarys_with_it(teammate: User, library: Library) -> None:
    message = refused(teammate, library)
    message.conversation.delete()
    assert not Gap.objects.exists()
    refused(teammate, library)
    library.delete()
    assert not Gap.libraries.through.objects.exists()


def test_a_long_conversation_asks_no_more_often_who_might_know(
    client: Client, teammate: User, library: Library
) -> None:
    message = refused(teammate, library)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, teammate, message.conversation)
        return len(queries)

    page(client, teammate, message.conversation)
    before = asked()
    for _ in range(3):
        refused(teammate, library)
    Message.objects.update(conversation=message.conversation)
    assert asked() == before
