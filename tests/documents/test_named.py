"""The page of a name: the passages that name it and what is named with it, as far as one may read them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from documents.indexing import index
from documents.models import Document, User
from documents.named import is_named, named
from documents.threads import in_thread
from documents.wiring import Wiring
from tests.documents.conftest import Give

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

WEBER = "# Anna Weber\n\nShe is head of Human Resources in Oslo.\n"
OFFICE = "# Offices\n\nThe Oslo office was opened by Anna Weber, Ida Berg and others.\n"


async def written(give: Give, *files: tuple[str, str]) -> None:
    for name, text in files:
        await index((await in_thread(give, name, text)).version.pk)


async def test_it_shows_where_it_is_named_and_what_is_named_with_it(
    system: Wiring, give: Give, owner: User, client: Client
) -> None:
    await written(give, ("weber.md", WEBER), ("offices.md", OFFICE))
    await in_thread(client.force_login, owner)
    page = (await in_thread(client.get, reverse("name"), {"name": "anna weber"})).text
    assert "Named in 2 passages" in page
    assert "bears the name" in page
    assert "<mark>Anna</mark> <mark>Weber</mark>" in page
    assert "name=Ida+Berg" in page
    found = await in_thread(named, owner, "Oslo")
    assert found is not None
    assert len(found.places) == 2
    assert all("start=" in place.address for _, place in found.places)


async def test_nobody_is_told_of_what_they_may_not_read(
    system: Wiring, give: Give, owner: User, stranger: User, client: Client
) -> None:
    await written(give, ("weber.md", WEBER))
    await in_thread(client.force_login, stranger)
    assert (await in_thread(client.get, reverse("name"), {"name": "Anna Weber"})).status_code == 404
    await in_thread(client.force_login, owner)
    assert (await in_thread(client.get, reverse("name"), {"name": "Nobody At All"})).status_code == 404
    await Document.objects.aupdate(deleted_at="2026-01-01T00:00Z")
    assert (await in_thread(client.get, reverse("name"), {"name": "Anna Weber"})).status_code == 404


async def test_a_name_is_known_in_any_case(system: Wiring, give: Give, owner: User) -> None:
    await written(give, ("weber.md", WEBER))
    assert await in_thread(is_named, owner, "HUMAN resources")
    assert not await in_thread(is_named, owner, "head")
    assert not await in_thread(is_named, owner, " ")
