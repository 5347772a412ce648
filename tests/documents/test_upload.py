"""Files that come in by the browser's form."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import IO, Any

import pytest
from celery import current_app
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from documents.models import Document, Library, User, Version
from tests.rag.pdfs import pdf, text

pytestmark = pytest.mark.django_db

LEAVE = b"# Leave\n\nEveryone has 25 days of leave a year.\n"


def upload(client: Client, library: Library, *files: tuple[str, bytes], **fields: str) -> list[dict[str, Any]]:
    response = client.post(
        reverse("upload", args=[library.pk]),
        {"files": [SimpleUploadedFile(name, content) for name, content in files], **fields},
        headers={"Accept": "application/json"},
    )
    assert response.status_code == 200
    results: list[dict[str, Any]] = response.json()["files"]
    return results


@pytest.fixture
def signed_in(client: Client, owner: User) -> Client:
    client.force_login(owner)
    return client


def test_it_works(signed_in: Client, library: Library, owner: User) -> None:
    results = upload(signed_in, library, ("leave.md", LEAVE), ("plan.pdf", pdf(text((50, 700, "The plan")))))
    assert [result["outcome"] for result in results] == ["added", "added"]
    leave = Document.objects.get(name="leave.md")
    assert leave.pk == results[0]["document"]
    assert leave.created_by == owner
    assert leave.latest is not None
    assert leave.current is None
    assert leave.latest.status == Version.Status.QUEUED
    assert leave.latest.media_type == "text/markdown"
    with leave.latest.file.open() as kept:
        assert kept.read() == LEAVE


def test_without_a_script_the_page_says_what_became_of_each_file(signed_in: Client, library: Library) -> None:
    files = [SimpleUploadedFile("leave.md", LEAVE), SimpleUploadedFile("empty.txt", b"")]
    response = signed_in.post(
        reverse("upload", args=[library.pk]), {"files": files}, headers={"Accept": "text/html"}, follow=True
    )
    assert "leave.md was added." in response.text
    assert "empty.txt is empty." in response.text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.txt", b"", "empty.txt is empty. Upload a file with text in it."),
        ("all.rar", b"Rar!", "all.rar is a RAR archive."),
        ("picture.pdf", b"\x89PNG\r\n\x1a\n\0\0", "picture.pdf is a PNG picture, not a PDF."),
        ("letter.pdf", b"Dear all", "letter.pdf has the name of another type (PDF) than its content."),
        ("table.xlsx", b"Dear all", "table.xlsx has the name of another type (Excel) than its content."),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    signed_in: Client, library: Library, name: str, content: bytes, sentence: str
) -> None:
    [result] = upload(signed_in, library, (name, content))
    assert result["outcome"] == "refused"
    assert result["sentence"].startswith(sentence)
    assert not Document.objects.exists()


def test_a_file_that_is_too_large_is_refused_with_both_sizes(
    signed_in: Client, library: Library, settings: Settings
) -> None:
    settings.MAX_UPLOAD_MB = 1
    [result] = upload(signed_in, library, ("large.txt", b"x" * 3 * 2**19))
    assert result["sentence"].startswith("large.txt has 1.5 MB; Footnote takes files of up to 1 MB.")
    assert not Document.objects.exists()


@pytest.mark.parametrize(
    ("sent", "shown"), [("../../leave.md", "leave.md"), ("..\\leave.md", "leave.md"), ("le🏖️ave.md", "le🏖️ave.md")]
)
def test_a_name_is_shown_without_its_path_and_never_used_as_one(
    signed_in: Client, library: Library, sent: str, shown: str
) -> None:
    file = SimpleUploadedFile("x.md", LEAVE)
    file._name = sent  # type: ignore[attr-defined]
    signed_in.post(reverse("upload", args=[library.pk]), {"files": [file]})
    version = Version.objects.get()
    assert version.document.name == shown
    kept = str(version.file)
    assert kept.startswith("documents/")
    assert "leave" not in kept


def test_the_same_file_twice_is_kept_once(signed_in: Client, library: Library) -> None:
    [first] = upload(signed_in, library, ("leave.md", LEAVE))
    [again] = upload(signed_in, library, ("leave.md", LEAVE))
    assert again["outcome"] == "unchanged"
    assert again["document"] == first["document"]
    assert again["sentence"] == "leave.md is here already, with the same content. Nothing was changed."
    assert Version.objects.count() == 1


def test_a_file_that_is_refused_takes_no_other_with_it(signed_in: Client, library: Library) -> None:
    results = upload(signed_in, library, ("leave.md", LEAVE), ("empty.txt", b""), ("travel.md", LEAVE))
    assert [(result["name"], result["outcome"]) for result in results] == [
        ("leave.md", "added"),
        ("empty.txt", "refused"),
        ("travel.md", "added"),
    ]


def test_the_same_file_twice_in_one_upload_is_kept_once(signed_in: Client, library: Library) -> None:
    first, again = upload(signed_in, library, ("leave.md", LEAVE), ("leave.md", LEAVE))
    assert (first["outcome"], again["outcome"]) == ("added", "unchanged")
    assert again["document"] == first["document"]


def test_a_name_that_comes_twice_in_one_upload_is_a_new_version_where_that_is_wanted(
    signed_in: Client, library: Library
) -> None:
    first, again = upload(signed_in, library, ("leave.md", LEAVE), ("leave.md", LEAVE + b"More."), keep="version")
    assert (first["outcome"], again["outcome"]) == ("added", "new version")
    assert Document.objects.get().latest == Version.objects.get(number=2)


def test_many_new_files_cost_no_more_visits_to_the_database_than_one(
    signed_in: Client, library: Library, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    files = [(f"note {number}.md", LEAVE) for number in range(40)]
    with CaptureQueriesContext(connection) as of_one:
        upload(signed_in, library, ("leave.md", LEAVE))
    with django_assert_max_num_queries(len(of_one)):
        upload(signed_in, library, *files)
    assert Version.objects.filter(document__latest=F("pk")).count() == 41


def test_where_one_file_cannot_be_kept_none_is(
    signed_in: Client, library: Library, settings: Settings, tmp_path: Path
) -> None:
    options = {"location": tmp_path}
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.FullDisk", "OPTIONS": options}}
    with pytest.raises(OSError, match="No space"):
        upload(signed_in, library, ("leave.md", LEAVE), ("travel.md", LEAVE))
    assert not Document.objects.exists()
    assert not list((tmp_path / "documents").iterdir())


class FullDisk(FileSystemStorage):
    """Room for one file."""

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        if any(Path(self.location, "documents").glob("*")):
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().save(name, content, max_length)


def test_a_name_that_exists_makes_a_document_of_its_own(signed_in: Client, library: Library) -> None:
    upload(signed_in, library, ("leave.md", LEAVE))
    [result] = upload(signed_in, library, ("leave.md", LEAVE + b"More."))
    assert result["outcome"] == "added"
    assert Document.objects.filter(name="leave.md").count() == 2


def test_a_name_that_exists_makes_a_new_version_where_that_is_wanted(signed_in: Client, library: Library) -> None:
    upload(signed_in, library, ("leave.md", LEAVE))
    [result] = upload(signed_in, library, ("leave.md", LEAVE + b"More."), keep="version")
    assert result["sentence"] == "leave.md was added as version 2."
    document = Document.objects.get()
    assert document.latest == document.versions.get(number=2)


def test_the_bytes_of_an_earlier_version_make_it_the_latest_again(signed_in: Client, library: Library) -> None:
    for content in (LEAVE, LEAVE + b"More.", LEAVE):
        [result] = upload(signed_in, library, ("leave.md", content), keep="version")
    assert result["outcome"] == "restored"
    document = Document.objects.get()
    assert document.versions.count() == 2
    assert document.latest == document.versions.get(number=1)


def test_the_page_can_ask_which_names_exist(signed_in: Client, library: Library) -> None:
    upload(signed_in, library, ("leave.md", LEAVE), folder="rules")
    paths = ["new.md", "leave.md", "rules/leave.md", "other/leave.md"]
    response = signed_in.post(reverse("library-names", args=[library.pk]), {"paths": "\n".join(paths)})
    assert response.json() == {"paths": ["rules/leave.md"]}


def test_thousands_of_names_can_be_asked_about(signed_in: Client, library: Library) -> None:
    upload(signed_in, library, ("leave.md", LEAVE))
    paths = [*(f"folder/{number}.md" for number in range(10_000)), "leave.md"]
    response = signed_in.post(reverse("library-names", args=[library.pk]), {"paths": "\n".join(paths)})
    assert response.json() == {"paths": ["leave.md"]}


def test_each_file_keeps_its_folder(signed_in: Client, library: Library) -> None:
    files = [SimpleUploadedFile("leave.md", LEAVE), SimpleUploadedFile("leave.md", LEAVE)]
    folders = ["rules", "rules\\old/../.."]
    signed_in.post(reverse("upload", args=[library.pk]), {"files": files, "folder": folders})
    assert [document.path for document in Document.objects.order_by("pk")] == ["rules/leave.md", "rules/old/leave.md"]


def test_the_same_file_in_its_folder_is_kept_once(signed_in: Client, library: Library) -> None:
    outcomes = [upload(signed_in, library, ("leave.md", LEAVE), folder=folder)[0]["outcome"] for folder in "aab"]
    assert outcomes == ["added", "unchanged", "added"]


def test_folders_that_fit_no_files_are_refused(signed_in: Client, library: Library) -> None:
    fields = {"files": [SimpleUploadedFile("leave.md", LEAVE)], "folder": ["a", "b"]}
    response = signed_in.post(reverse("upload", args=[library.pk]), fields)
    assert response.status_code == 400
    assert response.text == "Send a folder with each file, or none at all."
    assert not Document.objects.exists()


@pytest.mark.parametrize("name", ["upload", "library-names"])
def test_only_who_may_edit_the_library_may_add_to_it(
    client: Client, library: Library, teammate: User, stranger: User, name: str
) -> None:
    for user in (teammate, stranger):
        client.force_login(user)
        file = SimpleUploadedFile("leave.md", LEAVE)
        response = client.post(reverse(name, args=[library.pk]), {"files": [file], "paths": "leave.md"})
        assert response.status_code == 404
    assert not Document.objects.exists()


def test_who_is_not_signed_in_is_sent_to_the_door(client: Client, library: Library) -> None:
    response = client.post(reverse("upload", args=[library.pk]))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.django_db(transaction=True)
def test_what_comes_in_while_redis_is_away_is_kept(
    signed_in: Client, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1")
    current_app.pool.force_close_all()  # type: ignore[attr-defined]
    results = upload(signed_in, library, ("leave.md", LEAVE), ("travel.md", b"Book early."))
    assert [result["outcome"] for result in results] == ["added", "added"]
    assert Version.objects.filter(status=Version.Status.QUEUED).count() == 2
    monkeypatch.undo()
    current_app.pool.force_close_all()  # type: ignore[attr-defined]
