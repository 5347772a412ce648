"""`manage.py ingest` and `manage.py doctor`, as they are scripted against."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from documents.indexing import index
from documents.models import Document, EmbeddingSpace, Library, Membership, Page, User, Version
from documents.progress import PULSE, beat
from documents.wiring import open_system
from tests.openai_server import OpenAIServer
from tests.rag.drawing import drawn
from tests.rag.pdfs import pdf, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_worker() -> Iterator[None]:
    yield
    cache.delete(PULSE)


@pytest.fixture
def administrator(model: OpenAIServer) -> User:
    return User.objects.create_superuser("admin@example.com", "a long password")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "files" / "below"
    (below / ".hidden").mkdir(parents=True)
    (below / ".hidden" / "secret.md").write_text("# Secret")
    (below / "leave.md").write_text("# Leave\n\nEveryone has 25 days.")
    (tmp_path / "files" / "plan.pdf").write_bytes(pdf(text((50, 700, "The plan"))))
    (tmp_path / "files" / "logo.rar").write_bytes(b"Rar!")
    return tmp_path / "files"


def ingest(*arguments: object) -> dict[str, dict[str, Any]]:
    """Document → what is said of it."""
    out = io.StringIO()
    call_command("ingest", *map(str, arguments), "--library", "Plans", "--json", stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return {line["document"]: line for line in lines}


def doctor() -> dict[str, Any]:
    """Check → what was found."""
    out = io.StringIO()
    with suppress(SystemExit):
        call_command("doctor", "--json", stdout=out)
    result = json.loads(out.getvalue())
    assert result["ok"] == all(check["ok"] for check in result["checks"])
    return {check["name"]: check for check in result["checks"]}


def doctors_lines() -> list[str]:
    out = io.StringIO()
    with suppress(SystemExit):
        call_command("doctor", stdout=out)
    return out.getvalue().splitlines()


def test_it_works_where_no_worker_runs(administrator: User, folder: Path) -> None:
    said = ingest(folder, "--wait")
    assert said["leave.md"] == {"document": "leave.md", "status": "ready", "pages": 1, "chunks": 1, "error": ""}
    assert said["plan.pdf"]["status"] == "ready"
    assert said["logo.rar"]["status"] == "failed"
    assert said["logo.rar"]["error"].startswith("logo.rar is a RAR archive.")
    assert set(said) == {"leave.md", "plan.pdf", "logo.rar"}
    library = Library.objects.get(name="Plans")
    assert library.visibility == Library.Visibility.PRIVATE
    assert library.memberships.get().user == administrator
    assert all(check["ok"] for check in doctor().values())


def test_without_waiting_it_queues(administrator: User, folder: Path) -> None:
    assert ingest(folder)["leave.md"]["status"] == "queued"


def test_without_waiting_it_says_that_no_worker_is_running(administrator: User, folder: Path) -> None:
    said = io.StringIO()
    call_command("ingest", str(folder), "--library", "Plans", stdout=io.StringIO(), stderr=said)
    assert said.getvalue().startswith("No worker is running, so the documents wait.")
    beat()
    call_command("ingest", str(folder), "--library", "Plans", stdout=io.StringIO(), stderr=(again := io.StringIO()))
    assert again.getvalue() == ""


def test_the_doctor_says_that_no_worker_is_running(administrator: User, folder: Path) -> None:
    ingest(folder)
    sentence = "No worker is running, and 2 documents wait for one. Start Footnote with `make run`."
    assert doctor()["worker"] == {"name": "worker", "ok": True, "detail": sentence}
    assert f"WARN  worker: {sentence}" in doctors_lines()
    Version.objects.update(created=timezone.now() - timedelta(hours=3))
    assert not doctor()["worker"]["ok"]
    assert f"WRONG worker: {sentence}" in doctors_lines()
    beat()
    assert doctor()["worker"]["detail"] == "A worker is running; 2 documents wait for it."


def test_the_doctor_says_that_one_document_waits(administrator: User, folder: Path) -> None:
    ingest(folder / "plan.pdf")
    assert "and 1 document waits for one." in str(doctor()["worker"]["detail"])
    beat()
    assert doctor()["worker"]["detail"] == "A worker is running; 1 document waits for it."


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A PDF of two pages, and a picture, without any text but what is drawn."""
    (tmp_path / "scans").mkdir()
    sheet = drawn("The lighthouse is white")
    sheet.save(tmp_path / "scans" / "minutes.pdf", save_all=True, append_images=[drawn("The mole is grey")])
    sheet.save(tmp_path / "scans" / "note.png")
    return tmp_path / "scans"


def test_the_text_in_pictures_is_recognised_where_no_worker_runs(administrator: User, scans: Path) -> None:
    said = ingest(scans, "--wait")
    assert [(said[name]["status"], said[name]["pages"]) for name in ("minutes.pdf", "note.png")] == [
        ("ready", 2),
        ("ready", 1),
    ]
    pages = Page.objects.order_by("version__document__name", "number")
    assert [(page.how_read, page.text) for page in pages] == [
        ("ocr", "The lighthouse is white"),
        ("ocr", "The mole is grey"),
        ("ocr", "The lighthouse is white"),
    ]
    assert all(check["ok"] for check in doctor().values())


def test_the_doctor_tells_how_many_pages_wait_for_text_recognition(
    administrator: User, scans: Path, client: Client
) -> None:
    ingest(scans)
    asyncio.run(index_them())
    sentence = "No worker is running, and 3 pages wait for text recognition. Start Footnote with `make run`."
    assert doctor()["text recognition"] == {"name": "text recognition", "ok": True, "detail": sentence}
    client.force_login(administrator)
    document = Document.objects.get(name="note.png")
    for address in (reverse("document-row", args=[document.pk]), document.get_absolute_url()):
        assert "waiting for text recognition; no worker is running" in client.get(address).text
    Version.objects.update(created=timezone.now() - timedelta(hours=3))
    assert not doctor()["text recognition"]["ok"]
    beat()
    assert doctor()["text recognition"]["detail"] == "3 pages wait for text recognition."
    assert "waiting for text recognition<" in client.get(document.get_absolute_url()).text


async def index_them() -> None:
    async with open_system():
        await index(*[version.pk async for version in Version.objects.all()])


def test_a_second_time_only_what_changed_is_read(administrator: User, folder: Path) -> None:
    ingest(folder, "--wait")
    (folder / "below" / "leave.md").write_text("# Leave\n\nEveryone has 30 days.")
    ingest(folder, "--wait")
    assert Document.objects.get(name="leave.md").versions.count() == 2
    assert Document.objects.get(name="plan.pdf").versions.count() == 1
    assert all(check["ok"] for check in doctor().values())


def test_a_user_can_be_named(administrator: User, folder: Path, stranger: User) -> None:
    ingest(folder, "--user", stranger.email)
    assert Library.objects.readable_by(stranger).get().name == "Plans"
    assert not Library.objects.readable_by(administrator).exists()


def test_a_library_that_may_only_be_read_is_refused(administrator: User, folder: Path, stranger: User) -> None:
    library = Library.objects.create(name="Plans", visibility=Library.Visibility.TEAM)
    Membership.objects.create(library=library, user=administrator, role=Membership.Role.READER)
    with pytest.raises(CommandError, match="may read the library “Plans”, but not add to it"):
        ingest(folder)


def test_a_path_that_is_not_there_is_told(administrator: User, folder: Path) -> None:
    with pytest.raises(CommandError, match="There is no file or folder"):
        ingest(folder / "nowhere")
    with pytest.raises(CommandError, match="no file or folder ftp://example"):
        ingest("ftp://example.com/")


def test_an_empty_path_is_not_the_folder_one_stands_in(administrator: User, folder: Path) -> None:
    with pytest.raises(CommandError, match="A path is empty"):
        ingest("", folder)
    assert not Library.objects.exists()


def test_a_command_that_takes_nothing_in_fails(administrator: User, folder: Path) -> None:
    with pytest.raises(CommandError, match="None of it was taken in"):
        ingest(folder / "logo.rar", "http://127.0.0.1/")


def test_a_link_that_leads_out_of_the_folder_is_passed_over(administrator: User, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "drawer").mkdir()
    (tmp_path / "drawer" / "key.md").write_text("# Key")
    (folder / "key.md").symlink_to(tmp_path / "drawer" / "key.md")
    (folder / "drawer").symlink_to(tmp_path / "drawer")
    (folder / "inside.md").symlink_to(folder / "below" / "leave.md")
    (folder / "nowhere.md").symlink_to(folder / "nowhere.md")
    said = ingest(folder)
    for link in ("key.md", "drawer"):
        assert (said[link]["status"], said[link]["error"]) == (
            "failed",
            f"{link} is a link that leads out of the folder, so it is passed over.",
        )
    assert set(Document.objects.values_list("name", flat=True)) == {"leave.md", "plan.pdf"}


def test_a_link_that_is_named_itself_is_followed(administrator: User, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert ingest(tmp_path / "link")["leave.md"]["status"] == "queued"


def test_the_doctor_finds_a_file_that_belongs_to_nothing(administrator: User) -> None:
    name = default_storage.save("documents/stray.md", ContentFile(b"# Stray"))
    long_ago = (timezone.now() - timedelta(days=2)).timestamp()
    os.utime(default_storage.path(name), (long_ago, long_ago))
    try:
        assert "belong to no document" in doctor()["files"]["detail"]
    finally:
        default_storage.delete(name)


def test_the_doctor_finds_what_is_missing_in_the_index(administrator: User, folder: Path) -> None:
    ingest(folder, "--wait")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM documents_embedding")
    found = doctor()["index"]
    assert not found["ok"]
    assert "2 chunks without an embedding" in found["detail"]


def test_the_doctor_says_that_the_setting_names_another_model(administrator: User, folder: Path, settings: Any) -> None:
    ingest(folder, "--wait")
    settings.EMBEDDING_MODEL = "another"
    detail = doctor()["embedding space"]["detail"]
    assert "Run `manage.py reembed --model another`, or set EMBEDDING_MODEL=scripted-embedding." in detail


def test_the_doctor_tells_of_a_space_that_is_being_built_and_what_stops_it(administrator: User, folder: Path) -> None:
    ingest(folder, "--wait")
    building = EmbeddingSpace.objects.create(model="another", dimensions=64)
    assert "another (64) is being built" in doctor()["embedding space"]["detail"]
    EmbeddingSpace.objects.filter(pk=building.pk).update(error="The key was refused.")
    check = doctor()["embedding space"]
    assert check["ok"]
    assert "is not being built just now: The key was refused." in check["detail"]


def test_a_library_needs_a_name(folder: Path, owner: User) -> None:
    with pytest.raises(CommandError, match="needs a name"):
        call_command("ingest", str(folder), "--library", " ", "--user", owner.email)


def test_without_postgres_a_sentence_says_what_became_of_it(
    folder: Path, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("documents.management.commands.ingest.take_in", gone)
    with pytest.raises(CommandError, match="What was taken in is kept"):
        call_command("ingest", str(folder), "--library", "Plans", "--user", owner.email)


def test_search_tells_what_it_could_not_understand(administrator: User, folder: Path) -> None:
    ingest(folder)
    found, said = io.StringIO(), io.StringIO()
    call_command("search", "plan type:nonsense", "--json", stdout=found, stderr=said)
    assert isinstance(json.loads(found.getvalue()), list)
    assert "“nonsense” is no type of files" in said.getvalue()
