"""What becomes of footnotes when their document is removed, moved or erased for good."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from chat import records
from chat.live import logged
from chat.models import Citation, Conversation, Message, Prompt
from chat.records import Outcome
from documents import strays
from documents.ingest import delete, receive
from documents.models import Document, Library, Page, Receipt, User, Version
from documents.moving import move
from documents.purging import erase, work_off
from documents.removing import remove_library

pytestmark = pytest.mark.django_db

TEXT = "Everyone has 25 days."
QUOTED = f"“{TEXT}”[1]\n\n“Trains are paid for.”[2]"


@pytest.fixture
def version(owner: User, library: Library) -> Version:
    version = receive(owner, library, ContentFile(TEXT.encode(), "leave.md")).version
    Page.objects.create(version=version, number=1, text=TEXT, how_read="text", blocks=[["paragraph", 0, 21, 0, []]])
    Document.objects.update(current=version, title="Leave")
    return version


@pytest.fixture
def asked(teammate: User) -> Message:
    """An answer to a reader of the library, which is being written."""
    conversation = Conversation.objects.create(owner=teammate)
    return Message.objects.create(conversation=conversation, role="assistant", status="streaming")


def footnote(version: Version, **fields: Any) -> dict[str, Any]:
    place = {"number": 1, "version": version.pk, "title": "Leave", "page": 1, "paged": False, "start": 0, "end": 21}
    return place | {"quote": TEXT} | fields


def finish(answer: Message, *citations: dict[str, Any], text: str = "25 days.[1]", quoted: bool = False) -> None:
    records.finish(answer.pk, Outcome(Message.Status.COMPLETE, {"text": text, "quoted": quoted}, citations))


def erase_all(library: Library) -> Receipt:
    receipt = erase(library, Document.objects.removed_from(library))
    work_off()
    receipt.refresh_from_db()
    return receipt


def source(client: Client, answer: Message, number: int = 1) -> Any:
    return client.get(reverse("source", args=[answer.conversation_id, answer.pk, number]))


def test_a_removed_documents_quotation_is_kept_for_the_librarys_readers(
    client: Client, teammate: User, version: Version, asked: Message
) -> None:
    finish(asked, footnote(version))
    delete(version.document)
    client.force_login(teammate)
    shown = source(client, asked).text
    assert "This document was removed since this answer." in shown
    assert TEXT in shown


def test_an_answer_that_ends_after_the_removal_shows_its_source_as_removed(
    client: Client, teammate: User, version: Version, asked: Message
) -> None:
    delete(version.document)
    finish(asked, footnote(version))
    client.force_login(teammate)
    assert "This document was removed since this answer." in source(client, asked).text


def test_of_an_erased_document_number_place_and_hash_are_kept(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    finish(asked, footnote(version, heading="Holidays"))
    delete(version.document)
    receipt = erase_all(library)
    assert (receipt.erased["quotations"], receipt.left["quotations"]) == (1, 0)
    citation = Citation.objects.get()
    assert (citation.title, citation.heading, citation.quote, citation.document_id) == ("", "", "", None)
    assert (citation.number, citation.page, citation.start, citation.end) == (1, 1, 0, 21)
    client.force_login(teammate)
    shown = source(client, asked).text
    assert "Removed on" in shown
    assert version.sha256 in shown
    assert TEXT not in shown
    page = client.get(asked.conversation.get_absolute_url()).text
    assert "Removed on" in page
    assert "Leave" not in page


def test_steps_and_thinking_of_what_rested_on_an_erased_document_are_erased_too(
    library: Library, version: Version, asked: Message
) -> None:
    told: dict[str, Any] = {"steps": [["round", "Round 2: following “Everyone”", 3]], "thinking": "Everyone has 25."}
    other = Message.objects.create(conversation=asked.conversation, role="assistant", **told)
    fields = told | {"text": "I don't know.", "trace": {"passages": [{"chunk": 7}]}, "documents": [version.document_id]}
    records.finish(asked.pk, Outcome(Message.Status.COMPLETE, fields, prompt=TEXT))
    assert Prompt.objects.get().text == TEXT
    delete(version.document)
    assert erase_all(library).left["quotations"] == 0
    assert not Prompt.objects.exists()
    asked.refresh_from_db()
    other.refresh_from_db()
    assert (asked.steps, asked.thinking, asked.found) == ([], "", [])
    assert (other.steps, other.thinking) == (told["steps"], told["thinking"])


def test_an_answer_of_quotations_loses_those_and_keeps_the_others(
    library: Library, owner: User, version: Version, asked: Message
) -> None:
    other = receive(owner, library, ContentFile(b"Trains are paid for.", "travel.md")).version
    finish(asked, footnote(version), footnote(other, number=2), text=QUOTED, quoted=True)
    delete(version.document)
    erase_all(library)
    asked.refresh_from_db()
    assert asked.text == "“…” [1]\n\n“Trains are paid for.”[2]"


def test_an_answer_that_ends_after_the_erasing_stores_no_word_of_it(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    delete(version.document)
    erase_all(library)
    finish(asked, footnote(version), text=QUOTED, quoted=True)
    citation = Citation.objects.get()
    assert (citation.title, citation.quote, citation.library_id) == ("", "", None)
    assert citation.erased_at
    asked.refresh_from_db()
    assert TEXT not in asked.text
    client.force_login(teammate)
    assert source(client, asked).status_code == 404


def test_erasing_waits_for_an_answer_that_may_still_quote(library: Library, version: Version, asked: Message) -> None:
    asked.lease_until = timezone.now() + records.LEASE
    asked.save()
    delete(version.document)
    receipt = erase_all(library)
    assert not receipt.finished
    assert Document.objects.exists()
    finish(asked, footnote(version))
    work_off()
    receipt.refresh_from_db()
    assert (receipt.finished is not None, receipt.erased["quotations"]) == (True, 1)


def test_erasing_waits_for_no_answer_that_began_after_the_removal(
    library: Library, version: Version, asked: Message
) -> None:
    asked.lease_until = timezone.now() + records.LEASE
    asked.save()
    delete(version.document)
    Document.objects.update(deleted_at=asked.created - timedelta(minutes=1))
    assert erase_all(library).finished


@pytest.mark.parametrize("is_stored", [True, False])
def test_the_events_of_an_answer_go_with_the_document(
    library: Library, version: Version, asked: Message, is_stored: bool
) -> None:
    """Those of one that ended, and those of one whose writer is gone."""
    with Redis.from_url(settings.REDIS_URL) as client:
        client.xadd(f"footnote:answer:{asked.pk}", {"e": json.dumps({"n": 1, "type": "text", "text": TEXT})})
    if is_stored:
        finish(asked, footnote(version))
    delete(version.document)
    receipt = erase_all(library)
    assert (receipt.erased["event logs"], receipt.left["event logs"]) == (1, 0)
    assert logged(asked.pk) == []


def test_an_event_log_that_is_left_is_told(library: Library, version: Version, asked: Message) -> None:
    finish(asked, footnote(version))
    delete(version.document)
    erase_all(library)
    key = f"footnote:answer:{asked.pk}"
    with Redis.from_url(settings.REDIS_URL) as client:
        client.xadd(key, {"e": "{}"})
        assert strays.rows() == {"event logs of what was erased": 1}
        client.delete(key)


def test_a_removed_library_shows_no_source_to_anybody(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    finish(asked, footnote(version))
    remove_library(library)
    client.force_login(teammate)
    assert source(client, asked).status_code == 404


def test_a_moved_documents_page_is_shown_to_those_alone_who_may_read_it_where_it_is(
    client: Client, owner: User, teammate: User, version: Version, asked: Message
) -> None:
    finish(asked, footnote(version))
    target = Library.objects.create(name="Archive")
    move(version.document, target)
    client.force_login(teammate)
    shown = source(client, asked).text
    assert "This document was moved since this answer" in shown
    assert TEXT in shown
    assert "Open document" not in shown
    target.visibility = Library.Visibility.TEAM
    target.save()
    assert "Open document" in source(client, asked).text
