"""The list of answers that rest on words which changed or went."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat import stale
from chat.models import Message
from documents.ingest import delete
from documents.models import Document, Library, User, Version
from tests.chat.cited import QUESTION, answer, answer_in, cites, put

pytestmark = pytest.mark.django_db

LEAVE, TRAINS = "Everyone has 25 days of paid leave.", "Trains are paid for in full by us."


@pytest.fixture
def version(library: Library) -> Version:
    return put(library, "leave.md", f"{LEAVE} {TRAINS}")


@pytest.fixture
def asked(teammate: User, version: Version) -> Message:
    """An answer to a reader of the library."""
    return answer(teammate, cites(version, LEAVE), cites(version, TRAINS))


def listed(client: Client, reader: User, library: Library) -> str:
    client.force_login(reader)
    return client.get(reverse("stale", args=[library.pk])).text


def test_an_answer_whose_words_changed_is_listed_with_what_became_of_them(
    client: Client, teammate: User, library: Library, asked: Message
) -> None:
    assert "No stale answers." in listed(client, teammate, library)
    put(library, "leave.md", f"Everyone has 28 days of paid leave. {TRAINS}")
    shown = listed(client, teammate, library)
    assert QUESTION in shown
    assert f"{asked.conversation.get_absolute_url()}#note-{asked.pk}-1" in shown
    assert f"#note-{asked.pk}-2" not in shown
    assert "its newest version doesn’t say this." in shown
    assert f'action="{reverse("again", args=[asked.conversation_id, asked.pk])}"' in shown


def test_an_answer_whose_words_are_still_said_is_not_listed(
    client: Client, teammate: User, library: Library, asked: Message
) -> None:
    put(library, "leave.md", f"New.\n{TRAINS}\n{LEAVE}")
    assert "No stale answers." in listed(client, teammate, library)


def test_an_answer_whose_document_was_removed_is_listed_until_that_is_back(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    delete(version.document)
    assert "This document was removed since this answer." in listed(client, teammate, library)
    Document.objects.update(deleted_at=None)
    assert "No stale answers." in listed(client, teammate, library)


def test_an_answer_whose_document_went_out_of_reach_is_listed(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    Document.objects.update(library=Library.objects.create(name="Archive"))
    assert "moved since this answer, to where you can’t read it" in listed(client, teammate, library)


def test_what_was_asked_again_is_listed_no_more(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    delete(version.document)
    answer_in(asked.conversation, text="Another question’s", question="And trains?")
    assert QUESTION in listed(client, teammate, library)
    answer_in(asked.conversation, text="There is nothing about it.")
    assert "No stale answers." in listed(client, teammate, library)


def test_an_owner_is_told_how_many_answers_to_others_are_stale_and_nothing_of_them(
    client: Client, owner: User, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    delete(version.document)
    shown = listed(client, owner, library)
    assert "1 answer to others rests on words of this library that changed or went." in shown
    assert QUESTION not in shown
    assert str(asked.conversation_id) not in shown
    assert "to others" not in listed(client, teammate, library)


def test_a_stranger_sees_no_list(client: Client, stranger: User, library: Library, asked: Message) -> None:
    client.force_login(stranger)
    assert client.get(reverse("stale", args=[library.pk])).status_code == 404


def test_who_may_not_read_where_a_document_is_now_is_not_told_that_it_changed(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    archive = Library.objects.create(name="Archive")
    put(library, "leave.md", "Other")
    Document.objects.update(library=archive)
    shown = listed(client, teammate, library)
    assert "moved since this answer" in shown
    assert "newest version" not in shown


def test_many_answers_cost_as_many_queries_as_one(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    client.force_login(teammate)
    counts = []
    for more in (0, 12):
        for _ in range(more):
            answer(teammate, cites(version, LEAVE), cites(version, TRAINS))
        put(library, "leave.md", f"Other {more}")
        with CaptureQueriesContext(connection) as captured:
            shown = client.get(reverse("stale", args=[library.pk])).text
        assert shown.count("Ask again") == more + 1
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_what_is_left_to_be_looked_for_is_told(
    client: Client, teammate: User, library: Library, asked: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stale, "AT_A_TIME", 1)
    put(library, "leave.md", "Other")
    assert "1 more footnote is still to be looked for" in listed(client, teammate, library)
    assert "still to be looked for" not in listed(client, teammate, library)


def test_only_ones_own_question_is_asked_again(client: Client, owner: User, asked: Message) -> None:
    client.force_login(owner)
    address = reverse("again", args=[asked.conversation_id, asked.pk])
    assert client.post(address).status_code == 404
    assert client.get(address).status_code == 405
