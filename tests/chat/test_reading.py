"""A conversation as its owner sees it when the rights to its sources, or these, have changed."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat import records
from chat.models import Citation, Claim, Message
from chat.records import Asked
from documents.ingest import delete
from documents.models import Library, Membership, User, Version
from tests.chat.cited import answer, answer_in, cites, put

pytestmark = pytest.mark.django_db

LEAVE = "Everyone has 25 days of paid leave."


@pytest.fixture
def version(library: Library) -> Version:
    return put(library, "leave.md", LEAVE)


@pytest.fixture
def asked(teammate: User, version: Version) -> Message:
    """An answer of quotations to a reader of the library."""
    return answer(teammate, cites(version, LEAVE, heading="Holidays"), quoted=True)


def conversation(client: Client, reader: User, message: Message) -> str:
    """The answer, on the page and by itself."""
    client.force_login(reader)
    page = client.get(message.conversation.get_absolute_url()).text
    partial = client.get(reverse("message", args=[message.conversation_id, message.pk])).text
    shown = partial.partition("<form")[0]
    assert shown in page
    return shown


def test_a_footnote_says_that_its_document_changed_or_went(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    assert "since" not in conversation(client, teammate, asked)
    put(library, "leave.md", f"New. {LEAVE}")
    assert "since" not in conversation(client, teammate, asked)
    put(library, "leave.md", "Other")
    assert "changed since" in conversation(client, teammate, asked)
    delete(version.document)
    assert "removed since" in conversation(client, teammate, asked)


def test_of_a_source_that_may_not_be_read_any_more_neither_name_nor_words_are_shown(
    client: Client, teammate: User, asked: Message
) -> None:
    said = {"verdict": "contradicted", "reason": "the source says 25", "numbers": [1]}
    Claim.objects.create(message=asked, start=0, end=len(LEAVE), **said)
    assert "the source says 25" in conversation(client, teammate, asked)
    Membership.objects.filter(user=teammate).delete()
    shown = conversation(client, teammate, asked)
    assert "A source you can’t open" in shown
    for hidden in (LEAVE, "leave.md", "Holidays", "the source says"):
        assert hidden not in shown
    trace = client.get(reverse("trace-export", args=[asked.conversation_id, asked.pk])).text
    assert LEAVE not in trace
    assert Citation.objects.get().quote == LEAVE
    asked.refresh_from_db()
    assert LEAVE in asked.text


def test_no_model_is_told_what_its_asker_may_not_read_any_more(client: Client, teammate: User, asked: Message) -> None:
    client.force_login(teammate)
    question = Asked("And trains?", "hybrid", conversation=asked.conversation_id)
    session = str(client.session.session_key)
    assert LEAVE in str(records.look_up(session, question).history)
    Membership.objects.filter(user=teammate).delete()
    assert LEAVE not in str(records.look_up(session, question).history)


def test_a_long_conversation_costs_as_many_queries_as_a_short_one(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    client.force_login(teammate)
    counts = []
    for more in (0, 9):
        for _ in range(more):
            answer_in(asked.conversation, cites(version, LEAVE), cites(version, LEAVE))
        put(library, "leave.md", f"Other {more}")
        with CaptureQueriesContext(connection) as captured:
            assert client.get(asked.conversation.get_absolute_url()).text.count("changed since") == 1 + 2 * more
        counts.append(len(captured))
    assert counts[0] == counts[1]
