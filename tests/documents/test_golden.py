"""Golden questions by hand and from a table, for who may edit their library."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from documents.models import Document, GoldenQuestion, Library, Page, User, Version

pytestmark = pytest.mark.django_db

LEAVE = {"question": "How long is leave?", "document": "hr/leave.md", "page": "2", "quote": "25  DAYS"}


@pytest.fixture
def document(library: Library) -> Document:
    """hr/leave.md, with two pages."""
    made = Document.objects.create(library=library, name="leave.md", folder="hr", title="Time off")
    made.current = made.latest = Version.objects.create(document=made, media_type="text/markdown", bytes=1)
    made.save()
    for number, text in enumerate(("Everyone has leave.", "It is 25 days a year."), 1):
        Page.objects.create(version=made.current, number=number, text=text, how_read="text")
    return made


def add(client: Client, library: Library, **fields: str) -> str:
    return client.post(reverse("golden-add", args=[library.pk]), LEAVE | fields, follow=True).content.decode()


def bring(client: Client, library: Library, table: str | bytes) -> str:
    content = table.encode() if isinstance(table, str) else table
    file = SimpleUploadedFile("questions.csv", content)
    return client.post(reverse("golden-bring", args=[library.pk]), {"table": file}, follow=True).content.decode()


def places() -> set[tuple[str, str, int | None, str, str]]:
    return {
        (question.text, place.document.name, place.page, place.quote, question.origin)
        for question in GoldenQuestion.objects.all()
        for place in question.places.all()
    }


def test_a_question_is_added_by_hand_with_its_places(
    client: Client, owner: User, library: Library, document: Document
) -> None:
    client.force_login(owner)
    assert "The golden question was added." in add(client, library)
    add(client, library, document="Time off", page="", quote="")
    add(client, library)
    assert places() == {
        ("How long is leave?", "leave.md", 2, "25  DAYS", "hand"),
        ("How long is leave?", "leave.md", None, "", "hand"),
    }


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"question": " "}, "The question is empty"),
        ({"question": "type:pdf"}, "says only where to look"),
        ({"document": ""}, "Name the document in which the answer stands."),
        ({"document": "travel.md"}, "There is no document “travel.md” in"),
        ({"page": "two"}, "“two” is no page."),
        ({"page": "3", "quote": ""}, "There is nothing on page 3 of leave.md."),
        ({"quote": "26 days"}, "“26 days” doesn&#x27;t stand in leave.md."),
        ({"quote": "x" * 2_001}, "Shorten it."),
    ],
)
def test_what_is_wrong_with_a_question_is_said(
    client: Client, owner: User, library: Library, document: Document, fields: dict[str, str], sentence: str
) -> None:
    client.force_login(owner)
    assert sentence in add(client, library, **fields)
    assert not GoldenQuestion.objects.exists()


def test_of_several_documents_of_a_name_the_folder_decides(
    client: Client, owner: User, library: Library, document: Document
) -> None:
    Document.objects.create(library=library, name="leave.md", folder="old", current=document.current)
    client.force_login(owner)
    assert "Several documents are called “leave.md”." in add(client, library, document="leave.md")
    add(client, library)
    assert GoldenQuestion.objects.get().places.get().document == document


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_table_is_taken_in_and_given_out(
    client: Client, owner: User, library: Library, document: Document, sign: str
) -> None:
    client.force_login(owner)
    lines = [
        ("Question", "document", "page", "quote"),
        ("How long?", "hr/leave.md", "2", "25 days"),
        ("Who?", "leave.md", "", ""),
    ]
    assert "2 lines of the table are in." in bring(client, library, "\ufeff" + "\n".join(map(sign.join, lines)))
    assert places() == {
        ("How long?", "leave.md", 2, "25 days", "csv"),
        ("Who?", "leave.md", None, "", "csv"),
    }
    table = client.get(reverse("golden-table", args=[library.pk])).content.decode()
    GoldenQuestion.objects.all().delete()
    bring(client, library, table)
    assert len(places()) == 2


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("question,document\nHow?,hr/leave.md\nWho?,travel.md\n", "Line 3: There is no document “travel.md”"),
        ("q,d\nHow?,leave.md", "The first line must name the columns"),
        ("", "The first line must name the columns"),
        (b"question,document\n\xff,leave.md", "UTF-8"),
        ('question,document\n"How?,leave.md', "Save it as CSV."),
    ],
)
def test_of_a_bad_table_nothing_is_taken_in(
    client: Client, owner: User, library: Library, document: Document, table: str | bytes, sentence: str
) -> None:
    client.force_login(owner)
    assert sentence in bring(client, library, table)
    assert not GoldenQuestion.objects.exists()


def test_a_question_is_changed_and_keeps_the_places_that_stay_ticked(
    client: Client, owner: User, library: Library, document: Document
) -> None:
    client.force_login(owner)
    add(client, library)
    add(client, library, page="", quote="")
    question = GoldenQuestion.objects.get()
    stays, goes = question.places.all()
    address = reverse("golden-question", args=[library.pk, question.pk])
    assert f'value="{goes.pk}"' in client.get(address).content.decode()
    changed = {"text": "How long?", "expected": [stays.pk], "document": "leave.md", "page": "1"}
    assert client.post(address, changed).status_code == 302
    assert stays in question.places.all()
    assert places() == {("How long?", "leave.md", 2, "25  DAYS", "hand"), ("How long?", "leave.md", 1, "", "hand")}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Say where the answer stands: at least in which document."),
        ({"quote": "25 days"}, "Write in which document this stands."),
        ({"document": "travel.md"}, "There is no document “travel.md”"),
        ({"document": "leave.md", "text": "x" * 8_001}, "Shorten it."),
    ],
)
def test_a_change_that_is_wrong_changes_nothing(
    client: Client, owner: User, library: Library, document: Document, fields: dict[str, str], sentence: str
) -> None:
    client.force_login(owner)
    add(client, library)
    address = reverse("golden-question", args=[library.pk, GoldenQuestion.objects.get().pk])
    answer = client.post(address, {"text": "How long?"} | fields)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert places() == {("How long is leave?", "leave.md", 2, "25  DAYS", "hand")}


def test_a_place_in_a_document_that_one_may_no_longer_read_is_not_told(
    client: Client, owner: User, library: Library, document: Document
) -> None:
    client.force_login(owner)
    add(client, library)
    Document.objects.update(library=Library.objects.create(name="Drawer"))
    for name, more in (("golden", []), ("golden-table", []), ("golden-question", [GoldenQuestion.objects.get().pk])):
        page = client.get(reverse(name, args=[library.pk, *more])).content.decode()
        assert "25  DAYS" not in page
        assert "leave.md" not in page


def test_a_question_is_removed(client: Client, owner: User, library: Library, document: Document) -> None:
    client.force_login(owner)
    add(client, library)
    question = GoldenQuestion.objects.get()
    client.post(reverse("golden-remove", args=[library.pk, question.pk]))
    assert not GoldenQuestion.objects.exists()


def test_they_are_for_editors_alone(
    client: Client, owner: User, teammate: User, stranger: User, library: Library, document: Document
) -> None:
    client.force_login(owner)
    add(client, library)
    question = GoldenQuestion.objects.get()
    for user in (teammate, stranger):
        client.force_login(user)
        for name in ("golden", "golden-table"):
            assert client.get(reverse(name, args=[library.pk])).status_code == 404
        for name, more in (
            ("golden-add", []),
            ("golden-bring", []),
            ("golden-question", [question.pk]),
            ("golden-remove", [question.pk]),
        ):
            assert client.post(reverse(name, args=[library.pk, *more])).status_code == 404
    assert GoldenQuestion.objects.exists()
