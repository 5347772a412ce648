"""An answer taken away as a file: what is in it, and for whom."""

from __future__ import annotations

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chat.exporting import pdf
from chat.models import Claim, Message
from documents.ingest import delete
from documents.models import Document, Library, Membership, User, Version
from documents.purging import erase, work_off
from tests.chat.cited import QUESTION, answer, answer_in, cites, put

pytestmark = pytest.mark.django_db

LEAVE, TRAINS = "Everyone has 25 days of leave.", "Trains are paid for in full."


@pytest.fixture
def version(library: Library) -> Version:
    return put(library, "leave.pdf", LEAVE, TRAINS)


@pytest.fixture
def asked(teammate: User, version: Version) -> Message:
    """An answer to a reader of the library."""
    notes = cites(version, LEAVE, verdict="supported"), cites(version, TRAINS, page=2)
    return answer(teammate, *notes, text="There are **25 days**.[1]\n\n- Trains too[2]\n\n```\nx[1]\n```\n")


def path(message: Message, form: str) -> str:
    return reverse("export", args=[message.conversation_id, message.pk, form])


def export(client: Client, reader: User, message: Message, form: str = "md") -> str:
    client.force_login(reader)
    response = client.get(path(message, form))
    assert response.status_code == 200, response.status_code
    assert response["Content-Disposition"].startswith(f'attachment; filename="How_many_days_of_leave_are_there.{form}"')
    if form != "pdf":
        return response.text
    with pypdfium2.PdfDocument(response.content) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document).replace("\r", "")


def test_markdown_has_footnotes_with_place_quotation_and_verdict(
    client: Client, teammate: User, asked: Message
) -> None:
    text = export(client, teammate, asked)
    assert text.startswith(f"# {QUESTION}\n\nThere are **25 days**.[^1]\n\n- Trains too[^2]\n")
    assert f"[^1]: **leave.pdf, page 1, version 1** (supported). “{LEAVE}”\n" in text
    assert f"[^2]: **leave.pdf, page 2, version 1**. “{TRAINS}”\n" in text


def test_what_stands_in_code_is_no_footnote(client: Client, teammate: User, version: Version) -> None:
    message = answer(teammate, cites(version, LEAVE), text="Call `a[1]`.[1]\n\n~~~\nb[1]\n~~~\n\n    c[1]\n")
    text = export(client, teammate, message)
    assert "Call `a[1]`.[^1]\n\n~~~\nb[1]\n~~~\n\n    c[1]\n" in text
    assert "[^1]" not in text.partition("~~~")[2].partition("[^1]:")[0]


def test_markdown_fetches_and_runs_nothing_where_it_is_opened(client: Client, teammate: User, version: Version) -> None:
    text = "<script>x</script> 1 < 2 ![x[1]](https://evil.example/x.png) [a](https://b.example) \\[1] ``[1]`[1]"
    exported = export(client, teammate, answer(teammate, cites(version, LEAVE, title="<b>![y](z)"), text=text))
    said = r"\<script>x\</script> 1 < 2 \![x[1]](https://evil.example/x.png) [a](https://b.example) \[1] ``[^1]`[^1]"
    assert f"\n\n{said}\n\n" in exported
    assert r"[^1]: **\<b\>\!\[y\](z), page 1, version 1**" in exported


def test_the_web_page_stands_alone_and_runs_nothing(client: Client, teammate: User, version: Version) -> None:
    text = "<script>alert(1)</script> ![x](https://evil.example/x.png) [y](javascript:alert(1))[1]"
    message = answer(teammate, cites(version, LEAVE, title="<script>alert(2)</script>"), text=text)
    page = export(client, teammate, message, "html")
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "src=" not in page
    assert '<a class="cite" href="#note-1"' in page
    assert '<li id="note-1">' in page
    assert f'<q dir="auto">{LEAVE}</q>' in page


def test_a_pdf_has_footnotes_in_whatever_script(client: Client, teammate: User, version: Version) -> None:
    text = "There are 25 days,[1] Ελλάδα, Москва, 日本語, 中文, 한국어.[2] And again.[1] #panic() $x$"
    said = export(
        client, teammate, answer(teammate, cites(version, LEAVE), cites(version, TRAINS, page=2), text=text), "pdf"
    )
    for words in (QUESTION, "Ελλάδα, Москва", "日本語", "한국어", "#panic() $x$", LEAVE, "leave.pdf, page 2"):
        assert words in said
    assert said.count("“Everyone has") == 1
    assert "fonts lack" not in said


def test_a_pdf_says_where_its_fonts_lack_characters(client: Client, teammate: User, version: Version) -> None:
    message = answer(teammate, cites(version, LEAVE), text="ภาษาไทย[1]")
    assert "fonts lack some characters" in export(client, teammate, message, "pdf")


def test_what_is_too_long_for_a_pdf_is_refused_with_a_sentence(
    client: Client, teammate: User, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "LONGEST", 1000)
    client.force_login(teammate)
    shown = client.get(path(answer(teammate, text="Long. " * 500), "pdf"), follow=True)
    assert "This answer is too long for a PDF. Export it as HTML" in shown.text


def test_of_a_source_that_may_not_be_read_any_more_not_a_word_is_exported(
    client: Client, teammate: User, library: Library, version: Version
) -> None:
    message = answer(teammate, cites(version, LEAVE), quoted=True)
    Membership.objects.filter(user=teammate).delete()
    for form in ("md", "html", "pdf"):
        text = export(client, teammate, message, form)
        assert "A source you can’t open" in text
        assert LEAVE not in text
        assert "leave.pdf" not in text


def test_of_an_erased_source_the_day_and_the_hash_are_exported(
    client: Client, teammate: User, library: Library, version: Version, asked: Message
) -> None:
    delete(version.document)
    erase(library, Document.objects.removed_from(library))
    work_off()
    for form in ("md", "html"):
        text = export(client, teammate, asked, form)
        assert "Removed on" in text
        assert version.sha256 in text
        assert LEAVE not in text


def test_a_removed_source_says_so(client: Client, teammate: User, version: Version, asked: Message) -> None:
    delete(version.document)
    text = export(client, teammate, asked)
    assert "This document was removed since this answer" in text
    assert LEAVE in text


def test_nobody_else_exports_an_answer(client: Client, owner: User, stranger: User, asked: Message) -> None:
    for reader in (owner, stranger):
        client.force_login(reader)
        for form in ("md", "html", "pdf"):
            assert client.get(path(asked, form)).status_code == 404
    client.logout()
    assert client.get(path(asked, "md")).status_code == 302


def test_neither_what_is_being_written_nor_another_form_is_exported(
    client: Client, teammate: User, asked: Message
) -> None:
    client.force_login(teammate)
    assert client.get(path(asked, "exe")).status_code == 404
    message = answer_in(asked.conversation, text="So far", status="streaming")
    assert client.get(path(message, "md")).status_code == 404


def test_exporting_costs_as_many_queries_with_many_footnotes_as_with_one(
    client: Client, teammate: User, version: Version
) -> None:
    client.force_login(teammate)
    counts = []
    for number in (1, 9):
        message = answer(teammate, *(cites(version, LEAVE) for _ in range(number)))
        put(version.document.library, "leave.pdf", f"{LEAVE} {number}")
        with CaptureQueriesContext(connection) as captured:
            assert "It still says this, on page 1." in client.get(path(message, "md")).text
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_what_is_doubted_is_told_with_its_footnote(client: Client, teammate: User, version: Version) -> None:
    text = "Everyone has 28 days.[1] Nobody counts them."
    message = answer(teammate, cites(version, LEAVE, verdict="contradicted"), text=text)
    said = {"doubt": "28", "reason": "the source says 25"}
    Claim.objects.create(message=message, start=0, end=21, numbers=[1], verdict="contradicted", **said)
    Claim.objects.create(message=message, start=25, end=44, verdict="uncited")
    for form in ("md", "html", "pdf"):
        exported = export(client, teammate, message, form)
        assert "contradicted" in exported
        assert "“28”: the source says 25" in exported
        assert "1 statement without a source" in exported
    assert '<span class="doubt" data-verdict="contradicted"' in export(client, teammate, message, "html")
    Membership.objects.filter(user=teammate).delete()
    assert "the source says" not in export(client, teammate, message, "html")
