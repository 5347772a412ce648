"""PDFs that need a password: an editor enters it once, and it is kept nowhere."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.urls import reverse

from documents import indexing, leases
from documents.ingest import Keep, delete, retry
from documents.management.commands.doctor import files
from documents.models import Document, Library, User, Version
from documents.purging import erase, work_off
from documents.strays import stored
from documents.wiring import open_system
from tests.documents.conftest import Give
from tests.documents.test_members import zipped
from tests.openai_server import OpenAIServer
from tests.rag.pdfs import locked, pdf, text

pytestmark = pytest.mark.django_db(transaction=True)

PLAN = locked("sesame", text((50, 700, "The hidden plan")))
SENTENCE = "plan.pdf needs a password. Enter it on the document&#x27;s page, or upload an unlocked copy."
FORM = "This PDF needs a password"


def index_all() -> None:
    """As the workers would, until nothing waits."""

    async def work() -> None:
        async with open_system():
            while waiting := [version.pk async for version in leases.free()]:
                await indexing.index(*waiting)

    async_to_sync(work)()


@pytest.fixture
def plan(model: OpenAIServer, give: Give) -> Document:
    """A PDF that needs a password, and was looked at."""
    document = give("plan.pdf", PLAN).version.document
    index_all()
    return Document.objects.get(pk=document.pk)


def latest(document: Document) -> Version:
    version = Document.objects.select_related("latest").get(pk=document.pk).latest
    assert version is not None
    return version


def unlock(client: Client, document: Document, password: str) -> str:
    return client.post(reverse("document-unlock", args=[document.pk]), {"password": password}, follow=True).text


def test_it_works(client: Client, owner: User, plan: Document) -> None:
    client.force_login(owner)
    row = client.get(reverse("document-row", args=[plan.pk])).text
    assert FORM in row
    assert FORM in client.get(plan.get_absolute_url()).text
    unlock(client, plan, "sesame")
    index_all()
    version = latest(plan)
    assert (version.status, version.needs_password) == (Version.Status.READY, False)
    page = client.get(plan.get_absolute_url()).text
    assert "The hidden plan" in page
    assert FORM not in page
    picture = client.get(reverse("page-image", args=[plan.pk, 1, 1]), {"width": "600"})
    assert picture.content.startswith(b"\x89PNG")
    assert files() == "2 files, each of a document."


def test_a_reader_sees_the_sentence_and_no_form(client: Client, teammate: User, plan: Document) -> None:
    client.force_login(teammate)
    for address in (plan.get_absolute_url(), reverse("document-row", args=[plan.pk])):
        shown = client.get(address).text
        assert SENTENCE in shown
        assert FORM not in shown


def test_only_who_may_edit_can_unlock(client: Client, teammate: User, stranger: User, plan: Document) -> None:
    for user in (teammate, stranger):
        client.force_login(user)
        assert client.post(reverse("document-unlock", args=[plan.pk]), {"password": "sesame"}).status_code == 404
    assert not latest(plan).unlocked


def test_a_wrong_password_is_told_and_asked_for_again(client: Client, owner: User, plan: Document) -> None:
    client.force_login(owner)
    page = unlock(client, plan, "open")
    assert "This password does not open plan.pdf. Try another one." in page
    assert FORM in page
    assert latest(plan).status == Version.Status.FAILED


async def test_what_is_downloaded_is_the_original(async_client: AsyncClient, owner: User, plan: Document) -> None:
    await async_client.aforce_login(owner)
    await async_client.post(reverse("document-unlock", args=[plan.pk]), {"password": "sesame"})
    response: Any = await async_client.get(reverse("file", args=[plan.pk]))
    assert b"".join([piece async for piece in response.streaming_content]) == PLAN


def test_trying_again_asks_again(plan: Document) -> None:
    retry(latest(plan))
    assert not latest(plan).needs_password
    index_all()
    assert latest(plan).needs_password


def test_the_old_version_answers_until_the_new_one_is_unlocked(
    client: Client, owner: User, model: OpenAIServer, give: Give
) -> None:
    document = give("plan.pdf", pdf(text((50, 700, "The open plan")))).version.document
    index_all()
    give("plan.pdf", PLAN, keep=Keep.VERSION)
    index_all()
    client.force_login(owner)
    page = client.get(document.get_absolute_url()).text
    assert "The open plan" in page
    assert FORM in page
    unlock(client, document, "sesame")
    index_all()
    assert "The hidden plan" in client.get(document.get_absolute_url()).text


def test_an_unlocked_version_that_comes_back_needs_no_password(
    client: Client, owner: User, plan: Document, give: Give
) -> None:
    client.force_login(owner)
    unlock(client, plan, "sesame")
    give("plan.pdf", pdf(text((50, 700, "The open plan"))), keep=Keep.VERSION)
    index_all()
    give("plan.pdf", PLAN, keep=Keep.VERSION)
    index_all()
    version = latest(plan)
    assert (version.number, version.status) == (1, Version.Status.READY)


def test_one_in_an_archive_is_unlocked_like_any_other(
    client: Client, owner: User, model: OpenAIServer, give: Give
) -> None:
    give("all.zip", zipped({"papers/plan.pdf": PLAN, "a.txt": "Hello"}))
    index_all()
    member = Document.objects.get(name="plan.pdf")
    assert latest(member).needs_password
    client.force_login(owner)
    unlock(client, member, "sesame")
    index_all()
    assert latest(member).status == Version.Status.READY


def test_the_unlocked_copy_is_erased_with_the_document(
    client: Client, owner: User, library: Library, plan: Document
) -> None:
    client.force_login(owner)
    unlock(client, plan, "sesame")
    delete(plan)
    receipt = erase(library, Document.objects.removed_from(library))
    work_off()
    receipt.refresh_from_db()
    assert receipt.erased["files"] == 2
    assert stored() == set()


def ingest(folder: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    out = io.StringIO()
    call_command("ingest", str(folder), "--library", "Plans", "--wait", "--json", *arguments, stdout=out)
    return {line["document"]: line for line in map(json.loads, out.getvalue().splitlines())}


@pytest.fixture
def folder(tmp_path: Path, model: OpenAIServer) -> Path:
    User.objects.create_superuser("admin@example.com", "a long password")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "plan.pdf").write_bytes(PLAN)
    (tmp_path / "papers" / "open.pdf").write_bytes(pdf(text((50, 700, "Everyone sees"))))
    (tmp_path / "papers" / "all.zip").write_bytes(zipped({"member.pdf": PLAN}))
    return tmp_path / "papers"


def test_the_command_tries_a_password_on_what_needs_one(folder: Path) -> None:
    assert ingest(folder)["plan.pdf"]["error"].startswith("plan.pdf needs a password.")
    said = ingest(folder, "--password", "sesame")
    assert {name: line["status"] for name, line in said.items()} == {
        "plan.pdf": "ready",
        "open.pdf": "ready",
        "all.zip": "ready",
        "member.pdf": "ready",
    }
    assert not Version.objects.exclude(unlocked="").filter(document__name="open.pdf").exists()


def test_the_command_reads_the_password_where_no_list_of_processes_shows_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("sesame\n"))
    assert ingest(folder, "--password", "-")["plan.pdf"]["status"] == "ready"


WRONG = "This password does not open {}. Try another one."


def test_the_command_names_each_file_that_a_wrong_password_does_not_open(folder: Path) -> None:
    said = ingest(folder, "--password", "open")
    assert {name: line["error"] for name, line in said.items()} == {
        "plan.pdf": WRONG.format("plan.pdf"),
        "member.pdf": WRONG.format("member.pdf"),
        "open.pdf": "",
        "all.zip": "",
    }
    assert said["open.pdf"]["status"] == "ready"
    assert Version.objects.filter(needs_password=True).count() == 2


def test_the_command_says_so_without_waiting_as_well(folder: Path) -> None:
    out = io.StringIO()
    call_command("ingest", str(folder), "--library", "Plans", "--password", "open", stdout=out, stderr=io.StringIO())
    assert f"plan.pdf: {WRONG.format('plan.pdf')}" in out.getvalue().splitlines()
    assert "open.pdf: queued" in out.getvalue().splitlines()


def test_what_was_unlocked_before_stays_so_whatever_the_password(folder: Path) -> None:
    ingest(folder, "--password", "sesame")
    said = ingest(folder, "--password", "open")
    assert {line["status"] for line in said.values()} == {"ready"}
    assert not any(line["error"] for line in said.values())
