"""A golden question made of an answer."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from chat.models import Citation, Conversation, Feedback, Message
from documents.ingest import receive
from documents.models import Document, GoldenQuestion, Library, Membership, User

pytestmark = pytest.mark.django_db

ASKED = "And how much is paid?"
QUOTE = "Everyone has 25 days."


@pytest.fixture
def document(owner: User, library: Library) -> Document:
    return receive(owner, library, ContentFile(QUOTE.encode(), "leave.md")).version.document


@pytest.fixture
def answer(owner: User, library: Library, document: Document) -> Message:
    return answered(owner, library, document)


def answered(user: User, library: Library, document: Document) -> Message:
    """The second of a conversation, which cites the document and didn't help."""
    conversation = Conversation.objects.create(owner=user)
    for role, text in (("user", "Is there leave?"), ("assistant", "Yes.")):
        Message.objects.create(conversation=conversation, role=role, text=text)
    question = Message.objects.create(conversation=conversation, role="user", text=ASKED)
    message = Message.objects.create(conversation=conversation, role="assistant", text="All of it.", parent=question)
    Citation.objects.create(
        message=message,
        number=1,
        library=library,
        document=document,
        title="leave",
        page=1,
        start=0,
        end=21,
        quote=QUOTE,
    )
    Feedback.objects.create(message=message, user=user, verdict="bad", reason="It is half.")
    return message


def address(answer: Message) -> str:
    return reverse("golden-answer", args=[answer.conversation_id, answer.pk])


def test_the_form_holds_the_question_what_was_cited_and_the_reason(
    client: Client, owner: User, answer: Message
) -> None:
    client.force_login(owner)
    assert address(answer) in client.get(answer.conversation.get_absolute_url()).text
    page = client.get(address(answer)).text
    for text in (ASKED, "Is there leave?", f"leave.md: “{QUOTE}”", "It is half."):
        assert text in page


def test_it_is_kept_with_its_history_and_the_passage_that_was_ticked(
    client: Client, owner: User, library: Library, answer: Message
) -> None:
    client.force_login(owner)
    done = client.post(address(answer), {"text": ASKED, "expected": ["1"], "note": "Half of it."})
    assert done.headers["Location"] == reverse("golden", args=[library.pk])
    golden = GoldenQuestion.objects.get()
    assert (golden.origin, golden.message, golden.created_by) == ("feedback", str(answer.pk), owner)
    assert golden.history == [{"role": "user", "text": "Is there leave?"}, {"role": "assistant", "text": "Yes."}]
    assert golden.places.get().quote == QUOTE


def test_another_document_can_be_named(client: Client, owner: User, library: Library, answer: Message) -> None:
    version = receive(owner, library, ContentFile(b"Half of it.", "pay.md")).version
    Document.objects.filter(pk=version.document_id).update(current=version)
    client.force_login(owner)
    client.post(address(answer), {"text": ASKED, "document": "pay.md"})
    assert GoldenQuestion.objects.get().places.get().document.name == "pay.md"


def test_another_library_can_be_chosen_that_one_may_edit(
    client: Client, owner: User, stranger: User, answer: Message
) -> None:
    mine, other = Library.objects.create(name="Mine"), Library.objects.create(name="Other")
    Membership.objects.create(library=mine, user=owner, role=Membership.Role.EDITOR)
    client.force_login(owner)
    page = client.get(address(answer), {"library": mine.pk}).text
    assert "Mine</option>" in page
    assert "Other</option>" not in page
    assert QUOTE not in page
    assert client.get(address(answer), {"library": other.pk}).status_code == 404


def test_a_reader_makes_none(client: Client, teammate: User, library: Library, document: Document) -> None:
    answer = answered(teammate, library, document)
    client.force_login(teammate)
    assert "golden" not in client.get(answer.conversation.get_absolute_url()).text
    assert client.get(address(answer)).status_code == 404
    assert client.post(address(answer), {"text": ASKED, "expected": ["1"]}).status_code == 404
    assert not GoldenQuestion.objects.exists()


def test_an_editor_makes_none_of_anothers_answer(client: Client, teammate: User, answer: Message) -> None:
    Membership.objects.filter(user=teammate).update(role=Membership.Role.EDITOR)
    client.force_login(teammate)
    assert client.get(address(answer)).status_code == 404


def test_what_one_may_no_longer_read_is_not_offered(client: Client, owner: User, answer: Message) -> None:
    Document.objects.update(library=Library.objects.create(name="Other"))
    client.force_login(owner)
    assert QUOTE not in client.get(address(answer)).text
