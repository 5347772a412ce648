"""A document's page links those that are nearly the same, of those that the viewer may read."""

from __future__ import annotations

import re

import pytest
from django.core.files.base import ContentFile
from django.test import AsyncClient

from documents.indexing import index
from documents.ingest import Received, delete, receive
from documents.models import Chunk, Document, Library, Membership, User
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
