"""What a footnote tells when its document was replaced, removed, moved or read anew since the answer."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.lasting import State, standings
from chat.models import Citation, Message
from documents.ingest import delete
from documents.models import Chunk, Document, Library, Membership, Page, User, Version
from documents.moving import move
from tests.chat.cited import answer, cites, put

pytestmark = pytest.mark.django_db

LEAVE = "Everyone has 25 days of paid leave a year."


@pytest.fixture
def version(library: Library) -> Version:
    return put(library, "leave.pdf", "About this handbook", f"{LEAVE} Ask early.")


@pytest.fixture
def asked(teammate: User, version: Version) -> Message:
    return answer(teammate, cites(version, LEAVE, page=2))


def state(message: Message, reader: User) -> str:
    [standing] = standings(list(message.citations.all()), reader)
    return standing.state


def panel(client: Client, reader: User, message: Message, number: int = 1) -> str:
    client.force_login(reader)
    return client.get(reverse("source", args=[message.conversation_id, message.pk, number])).text


def test_a_source_that_is_as_it_was_needs_no_word(client: Client, teammate: User, asked: Message) -> None:
    shown = panel(client, teammate, asked)
    assert "since this answer" not in shown
    assert f"<mark>{LEAVE}</mark>" in shown


def test_a_newer_version_that_still_says_it_is_told_with_the_place(
    client: Client, teammate: User, library: Library, asked: Message
) -> None:
    newer = put(library, "leave.pdf", "Foreword", "Contents", f"In short: {LEAVE.replace(' ', chr(10), 2)}")
    shown = panel(client, teammate, asked)
    assert "It still says this, on page 3." in shown
    assert f'href="{newer.place(3, 10, 10 + len(LEAVE))}"'.replace("&", "&amp;") in shown
    assert f"<mark>{LEAVE}</mark>" in shown
    assert "version 1" in shown


@pytest.mark.parametrize("now", ["Everyone has 125 days.", LEAVE.replace("25", "28"), f"x{LEAVE}"])
def test_a_newer_version_that_says_something_else_is_told(
    client: Client, teammate: User, library: Library, asked: Message, now: str
) -> None:
    put(library, "leave.pdf", "Foreword", now)
    shown = panel(client, teammate, asked)
    assert "its newest version doesn’t say this." in shown
    assert f"<mark>{LEAVE}</mark>" in shown


def test_a_newer_version_that_could_be_read_in_part_says_so(teammate: User, library: Library, asked: Message) -> None:
    newer = put(library, "leave.pdf", "Foreword", "")
    Page.objects.filter(version=newer, number=2).update(how_read="failed")
    [standing] = standings(list(asked.citations.all()), teammate)
    assert standing.state == State.CHANGED
    assert "doesn’t say this on the pages that could be read of it." in standing.sentence


def test_a_short_quotation_is_looked_for_with_its_whole_line(teammate: User, library: Library) -> None:
    version = put(library, "rates.md", "Berlin | 25\nParis | 30")
    message = answer(teammate, cites(version, "25"))
    put(library, "rates.md", "Berlin | 28\nParis | 25")
    assert state(message, teammate) == State.CHANGED
    put(library, "rates.md", "Rome | 27\nBerlin | 25\nParis | 30")
    assert state(message, teammate) == State.STILL
    assert Citation.objects.get().still == [1, 19, 21]


def test_of_several_places_the_nearest_page_is_told(teammate: User, library: Library, asked: Message) -> None:
    put(library, "leave.pdf", LEAVE, "Contents", LEAVE, "", LEAVE)
    assert standings(list(asked.citations.all()), teammate)[0].page == 1


def test_the_earlier_version_back_again_is_as_it_was(
    teammate: User, library: Library, version: Version, asked: Message
) -> None:
    put(library, "leave.pdf", "Other")
    assert state(asked, teammate) == State.CHANGED
    Document.objects.update(current=version)
    assert state(asked, teammate) == State.SAME


def test_a_removed_document_says_so_until_it_is_restored(teammate: User, version: Version, asked: Message) -> None:
    delete(version.document)
    assert state(asked, teammate) == State.REMOVED
    Document.objects.update(deleted_at=None)
    assert state(asked, teammate) == State.SAME


def test_where_it_was_moved_decides_who_reads_on(owner: User, teammate: User, version: Version, asked: Message) -> None:
    archive = Library.objects.create(name="Archive")
    Membership.objects.create(library=archive, user=owner)
    move(version.document, archive)
    assert (state(asked, owner), state(asked, teammate)) == (State.SAME, State.MOVED)
    put(archive, "leave.pdf", "Something else")
    Document.objects.filter(pk=version.document_id).update(current=Version.objects.latest("pk"))
    assert (state(asked, owner), state(asked, teammate)) == (State.CHANGED, State.MOVED)


def test_who_may_not_read_the_library_learns_nothing(teammate: User, version: Version, asked: Message) -> None:
    Membership.objects.filter(user=teammate).delete()
    assert state(asked, teammate) == State.CLOSED
    delete(version.document)
    assert state(asked, teammate) == State.CLOSED


def test_what_was_erased_says_when(teammate: User, asked: Message) -> None:
    Citation.objects.update(erased_at=timezone.now(), document=None, quote="", title="")
    assert state(asked, teammate) == State.ERASED


def test_chunks_made_anew_change_nothing(client: Client, teammate: User, version: Version, asked: Message) -> None:
    before = panel(client, teammate, asked)
    Chunk.objects.filter(version=version).delete()
    assert panel(client, teammate, asked) == before


def test_a_page_that_was_read_anew_is_marked_where_the_words_are_now(
    client: Client, teammate: User, version: Version, asked: Message
) -> None:
    page = version.pages.get(number=2)
    page.text, page.blocks = f"Recognised: {LEAVE}", [["paragraph", 0, len(LEAVE) + 12, 0, []]]
    page.save()
    assert f"Recognised: <mark>{LEAVE}</mark>" in panel(client, teammate, asked)
    Page.objects.filter(pk=page.pk).update(text="Every one has 2S days", blocks=[["paragraph", 0, 21, 0, []]])
    shown = panel(client, teammate, asked)
    assert "This page was read anew since this answer, and not in these words:" in shown
    assert f"<mark>{LEAVE}</mark>" in shown


def test_each_is_looked_for_once_each_time_a_version_is_read(teammate: User, library: Library, asked: Message) -> None:
    newer = put(library, "leave.pdf", "Foreword", LEAVE)
    assert state(asked, teammate) == State.STILL
    Page.objects.filter(version=newer).update(text="")
    assert state(asked, teammate) == State.STILL
    Version.objects.filter(pk=newer.pk).update(ready_at=timezone.now())
    assert state(asked, teammate) == State.CHANGED
