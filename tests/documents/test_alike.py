"""A document's page, and a footnote's source, link what is nearly the same, of what the viewer may read."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.core.files.base import ContentFile
from django.test import AsyncClient
from django.urls import reverse

from chat.models import Citation, Conversation, Message
from documents.indexing import index
from documents.ingest import Received, delete, receive
from documents.models import Chunk, Document, Library, Membership, Page, User
from documents.rag.types import Question
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

LEAVE = "\n\n".join(
    f"# Rule {rule}\n\n" + " ".join(f"In case {rule * line} the clerk of floor {line} decides." for line in range(40))
    for rule in range(1, 6)
)
EDITED = LEAVE.replace("In case 7 ", "In the case of seven ")
OTHER = LEAVE.replace("the clerk of floor", "an engineer who repairs lift")


@pytest.fixture
async def drawer(stranger: User, teammate: User) -> Library:
    """A library of the stranger's alone."""
    library = await Library.objects.acreate(name="Drawer")
    await Membership.objects.acreate(library=library, user=stranger, role=Membership.Role.OWNER)
    return library


async def indexed(received: Received) -> Document:
    await index(received.version.pk)
    return await Document.objects.aget(pk=received.version.document_id)


async def alike(client: AsyncClient, user: User, document: Document) -> list[str]:
    """The documents that the page says it is nearly the same as."""
    await client.aforce_login(user)
    page = (await client.get(document.get_absolute_url())).content.decode()
    section = re.search(r'<section aria-labelledby="alike">.*?</section>', page, re.DOTALL)
    return re.findall(r'<span class="quiet">(\S+) in', section[0]) if section else []


async def test_it_works(system: Wiring, async_client: AsyncClient, owner: User, teammate: User, give: Give) -> None:
    first = await indexed(await in_thread(give, "leave.md", LEAVE))
    second = await indexed(await in_thread(give, "copy.md", f"# A copy\n\n{EDITED}"))
    await indexed(await in_thread(give, "lifts.md", OTHER))
    for user in (owner, teammate):
        assert await alike(async_client, user, first) == ["copy.md"]
        assert await alike(async_client, user, second) == ["leave.md"]


async def test_what_the_viewer_may_not_read_is_not_named(
    system: Wiring, async_client: AsyncClient, owner: User, stranger: User, drawer: Library, give: Give
) -> None:
    first = await indexed(await in_thread(give, "leave.md", LEAVE))
    hidden = await indexed(await in_thread(receive, stranger, drawer, ContentFile(LEAVE.encode(), "hidden.md")))
    assert await alike(async_client, owner, first) == []
    assert await alike(async_client, stranger, hidden) == []


async def test_what_was_removed_is_not_named(
    system: Wiring, async_client: AsyncClient, owner: User, give: Give
) -> None:
    first = await indexed(await in_thread(give, "leave.md", LEAVE))
    second = await indexed(await in_thread(give, "copy.md", LEAVE))
    await in_thread(delete, second)
    assert await alike(async_client, owner, first) == []


async def test_a_part_is_not_nearly_the_whole(
    system: Wiring, async_client: AsyncClient, owner: User, give: Give
) -> None:
    whole = await indexed(await in_thread(give, "leave.md", LEAVE))
    part = await indexed(await in_thread(give, "rule.md", LEAVE.partition("# Rule 2")[0]))
    assert await alike(async_client, owner, whole) == []
    assert await alike(async_client, owner, part) == []


QUOTE = "In case 7 the clerk of floor 7 decides."


async def also_in(client: AsyncClient, reader: User, document: Document) -> str:
    """What the source of a footnote says of other documents, in an answer that cites the quote."""
    page = await Page.objects.aget(version=document.current_id, text__contains=QUOTE)
    conversation = await Conversation.objects.acreate(owner=reader)
    message = await Message.objects.acreate(conversation=conversation, role=Message.Role.ASSISTANT)
    start = page.text.index(QUOTE)
    place = {"page": page.number, "start": start, "end": start + len(QUOTE), "quote": QUOTE, "title": "Rules"}
    cited = {"library_id": document.library_id, "document": document, "version_id": document.current_id}
    await Citation.objects.acreate(message=message, number=1, **place, **cited)
    await client.aforce_login(reader)
    panel = (await client.get(reverse("source", args=[conversation.pk, message.pk, 1]))).content.decode()
    section = re.search(r'<section class="copies".*?</section>', panel, re.DOTALL)
    return section[0] if section else ""


async def test_a_footnotes_source_names_the_copies_and_leads_to_the_words(
    system: Wiring, async_client: AsyncClient, owner: User, teammate: User, give: Give
) -> None:
    first = await indexed(await in_thread(give, "leave.md", LEAVE))
    copy = await indexed(await in_thread(give, "copy.md", LEAVE.replace("# Rule 1\n", "# A copy\n")))
    await indexed(await in_thread(give, "lifts.md", OTHER))
    for reader in (owner, teammate):
        said = await also_in(async_client, reader, first)
        assert said.count("<li>") == 1
        [address] = re.findall(rf'href="({copy.get_absolute_url()}[^"]*)"', said)
        assert f"<mark>{QUOTE}</mark>" in (await async_client.get(unescape(address))).content.decode()


async def test_a_footnotes_source_tells_where_the_words_of_a_copy_are_others(
    system: Wiring, async_client: AsyncClient, owner: User, give: Give
) -> None:
    first = await indexed(await in_thread(give, "leave.md", LEAVE))
    await indexed(await in_thread(give, "copy.md", EDITED))
    assert "</a>, in nearly the same words" in await also_in(async_client, owner, first)


async def test_a_footnotes_source_names_no_copy_that_its_reader_may_not_see(
    system: Wiring, async_client: AsyncClient, owner: User, stranger: User, drawer: Library, give: Give
) -> None:
    first = await indexed(await in_thread(give, "leave.md", LEAVE))
    await indexed(await in_thread(receive, stranger, drawer, ContentFile(LEAVE.encode(), "hidden.md")))
    removed = await indexed(await in_thread(give, "removed.md", LEAVE))
    await in_thread(delete, removed)
    assert await also_in(async_client, owner, first) == ""


async def test_a_search_finds_one_of_the_copies_and_names_the_other(
    system: Wiring, library: Library, give: Give
) -> None:
    await indexed(await in_thread(give, "leave.md", LEAVE))
    await indexed(await in_thread(give, "copy.md", LEAVE))
    searched = await system.system([library.pk])
    found = await searched.search(Question("Who decides in case 7?", top_k=100))
    assert len(found) == await Chunk.objects.acount() / 2
    assert {passage.metadata["name"] for passage in found} == {"copy.md"}
    assert {other.metadata["name"] for passage in found for other in passage.also_in} == {"leave.md"}


async def test_each_chunk_and_its_document_have_a_language(system: Wiring, library: Library, give: Give) -> None:
    german = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. " * 40
    document = await indexed(await in_thread(give, "rechte.md", f"{german}\n\n# Zahlen\n\n{'12 13 14 ' * 400}"))
    [passage] = await (await system.system([library.pk])).search(Question("Würde", top_k=1), strategy="lexical")
    assert passage.metadata["language"] == "de"
    assert {language async for language in Chunk.objects.values_list("language", flat=True)} == {"de", ""}
    version = await document.versions.aget()
    assert await in_thread(lambda: version.language) == "de"
