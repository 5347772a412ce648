"""Archives and e-mails in a library: what they hold are documents of their own, kept in step."""

from __future__ import annotations

import io
from email.message import EmailMessage
from zipfile import ZipFile

import pytest

from documents.indexing import index
from documents.ingest import Keep, Received, delete
from documents.models import Document, Library, User, Version
from documents.rag.types import Question
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give
from tests.rag.test_parsing_office import DOCX as WORD

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


def zipped(files: dict[str, str | bytes]) -> bytes:
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


async def index_all(received: Received) -> Version:
    """Index a container, then all that it brought, as the workers would."""
    await index(received.version.pk)
    while waiting := [version.pk async for version in Version.objects.filter(status=Version.Status.QUEUED)]:
        for version in waiting:
            await index(version)
    return await Version.objects.aget(pk=received.version.pk)


async def paths() -> list[str]:
    return [document.path async for document in Document.objects.filter(deleted_at=None).order_by("pk")]


async def found(system: Wiring, library: Library, text: str) -> list[str]:
    passages = await (await system.system([library.pk])).search(Question(text), strategy="hybrid")
    return [passage.text for passage in passages]


@pytest.mark.parametrize("name", ["minutes.doc", "minutes.zip", "minutes.pdf", "minutes"])
async def test_a_word_document_under_another_name_is_one_document(system: Wiring, give: Give, name: str) -> None:
    version = await index_all(await in_thread(give, name, zipped(dict(WORD))))
    assert version.status == Version.Status.READY
    assert await paths() == [name]
    assert "Thirty days a year." in (await version.pages.aget()).text


async def test_what_an_archive_holds_can_be_found(system: Wiring, library: Library, give: Give) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Parking"
    mail.set_content("The garage opens at six.")
    mail.add_attachment("Gate code on request.", filename="gate.txt")
    inner = zipped({"deep.txt": "Umbrellas hang behind the door."})
    received = await in_thread(
        give, "all.zip", zipped({"rules/leave.md": "# Leave\n\n25 days.", "a.eml": bytes(mail), "in.zip": inner})
    )
    version = await index_all(received)
    assert version.status == Version.Status.READY
    assert await paths() == ["all.zip", "rules/leave.md", "a.eml", "in.zip", "gate.txt", "deep.txt"]
    assert not await Version.objects.exclude(status=Version.Status.READY).aexists()
    for words in ("25 days", "garage opens", "Gate code", "Umbrellas hang"):
        assert any(words in text for text in await found(system, library, words))


async def test_what_is_not_read_is_said(system: Wiring, give: Give) -> None:
    version = await index_all(await in_thread(give, "all.zip", zipped({"a.txt": "Hello", "b.rar": b"Rar!"})))
    assert version.status == Version.Status.READY
    [sentence] = version.left_out
    assert sentence.startswith("b.rar is a RAR archive.")
    nothing = await index_all(await in_thread(give, "none.zip", zipped({"b.rar": b"Rar!"})))
    assert nothing.status == Version.Status.FAILED
    assert nothing.error.startswith("There is nothing in none.zip that Footnote reads.")


async def test_a_new_version_changes_what_changed(system: Wiring, library: Library, give: Give) -> None:
    await index_all(await in_thread(give, "all.zip", zipped({"a.txt": "First", "b.txt": "Second", "c.txt": "Third"})))
    newer = zipped({"a.txt": "First", "b.txt": "Fourth", "d.txt": "Fifth"})
    await index_all(await in_thread(give, "all.zip", newer, keep=Keep.VERSION))
    assert await paths() == ["all.zip", "a.txt", "b.txt", "d.txt"]
    numbers = {each.name: each.latest.number async for each in Document.objects.select_related("latest") if each.latest}
    assert (numbers["a.txt"], numbers["b.txt"]) == (1, 2)
    texts = await found(system, library, "Fourth")
    assert "Fourth" in texts
    assert not {"Second", "Third"} & set(texts)


async def test_what_an_archive_holds_goes_with_it(system: Wiring, library: Library, owner: User, give: Give) -> None:
    received = await in_thread(give, "all.zip", zipped({"a.txt": "First", "in.zip": zipped({"b.txt": "Second"})}))
    await index_all(received)
    await in_thread(delete, received.version.document)
    assert await paths() == []
    assert await found(system, library, "First Second") == []
