"""Documents in Django's admin."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from documents.models import Document, EmbeddingSpace, GoldenQuestion, Library, Membership, User
from tests.documents.conftest import Give

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(owner: User, client: Client) -> Client:
    owner.is_staff = owner.is_superuser = True
    owner.save()
    client.force_login(owner)
    return client


def test_several_files_are_added_at_once(admin: Client, library: Library) -> None:
    files = [SimpleUploadedFile("a.md", b"# A"), SimpleUploadedFile("b.md", b"# B")]
    response = admin.post(reverse("admin:documents_document_add"), {"library": library.pk, "files": files}, follow=True)
    assert "a.md was added." in response.text
    assert f'data-library="{library.pk}"' in response.text
    assert Document.objects.count() == 2


def test_a_waiting_document_says_that_no_worker_is_running(admin: Client, give: Give) -> None:
    give("leave.md", "# Leave")
    page = admin.get(reverse("admin:documents_document_changelist")).text
    assert "queued; no worker is running" in page


def test_a_file_that_cannot_be_read_is_told(admin: Client, library: Library) -> None:
    files = [SimpleUploadedFile("c.rar", b"Rar!")]
    response = admin.post(reverse("admin:documents_document_add"), {"library": library.pk, "files": files}, follow=True)
    assert "c.rar is a RAR archive." in response.text


def test_an_empty_file_is_refused_by_its_name_and_the_others_are_added(admin: Client, library: Library) -> None:
    files = [SimpleUploadedFile("a.md", b"# A"), SimpleUploadedFile("empty.txt", b"")]
    response = admin.post(reverse("admin:documents_document_add"), {"library": library.pk, "files": files}, follow=True)
    assert "a.md was added." in response.text
    assert "empty.txt is empty." in response.text


def test_an_administrator_adds_only_where_they_may(admin: Client, stranger: User) -> None:
    private = Library.objects.create(name="Diary")
    Membership.objects.create(library=private, user=stranger, role=Membership.Role.OWNER)
    response = admin.post(
        reverse("admin:documents_document_add"),
        {"library": private.pk, "files": [SimpleUploadedFile("a.md", b"# A")]},
    )
    assert "Select a valid choice" in response.text
    assert not Document.objects.exists()


def test_an_administrator_sees_only_what_they_may_read(
    admin: Client, give: Give, library: Library, stranger: User, owner: User
) -> None:
    document = give("leave.md", "# Leave").version.document
    assert "leave.md" in admin.get(reverse("admin:documents_document_changelist")).text
    library.memberships.filter(user=owner).delete()
    assert "leave.md" not in admin.get(reverse("admin:documents_document_changelist")).text
    address = reverse("admin:documents_document_change", args=[document.pk])
    assert admin.get(address).status_code == 302


@pytest.mark.parametrize("name", ["user", "library", "document", "endpoint", "embeddingspace"])
def test_every_list_opens(admin: Client, name: str) -> None:
    assert admin.get(reverse(f"admin:documents_{name}_changelist")).status_code == 200


def test_embedding_spaces_are_listed_with_how_far_they_are_and_what_to_do(admin: Client, settings: Settings) -> None:
    EmbeddingSpace.objects.create(model="old", dimensions=384, state="live")
    EmbeddingSpace.objects.create(model="new", dimensions=64, error="The key was refused.")
    settings.EMBEDDING_MODEL = "new"
    page = admin.get(reverse("admin:documents_embeddingspace_changelist")).text
    assert "Run `manage.py reembed --model new`, or set EMBEDDING_MODEL=old." in page
    assert "The key was refused." in page


@pytest.mark.parametrize("name", ["user", "library", "document"])
def test_every_form_opens_without_inline_scripts(admin: Client, name: str) -> None:
    page = admin.get(reverse(f"admin:documents_{name}_add")).text
    assert "<script>" not in page
    assert "style=" not in page


def test_a_document_shows_its_versions(admin: Client, give: Give) -> None:
    document = give("leave.md", "# Leave").version.document
    page = admin.get(reverse("admin:documents_document_change", args=[document.pk])).text
    assert "text/markdown" in page


def test_a_document_is_renamed_by_the_rules_of_its_page(admin: Client, give: Give) -> None:
    document = give("leave.md", "# Leave").version.document
    address = reverse("admin:documents_document_change", args=[document.pk])
    inline = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}
    assert "something invisible" in admin.post(address, {"name": "a\u202eb.md", "title": "", **inline}).text
    assert admin.post(address, {"name": "holidays.md", "title": "Holidays", **inline}).status_code == 302
    document.refresh_from_db()
    assert (document.name, document.title) == ("holidays.md", "Holidays")


def test_golden_questions_are_shown_of_libraries_that_one_may_edit(admin: Client, library: Library, give: Give) -> None:
    for where, text in ((library, "How long is leave?"), (Library.objects.create(name="Drawer"), "Who knows?")):
        GoldenQuestion.objects.create(library=where, text=text)
    question = GoldenQuestion.objects.get(library=library)
    question.places.create(document=give("leave.md", "# Leave").version.document)
    page = admin.get(reverse("admin:documents_goldenquestion_changelist")).text
    assert "How long is leave?" in page
    assert "Who knows?" not in page
    assert "leave.md" in admin.get(reverse("admin:documents_goldenquestion_change", args=[question.pk])).text
    assert admin.get(reverse("admin:documents_goldenquestion_add")).status_code == 403
