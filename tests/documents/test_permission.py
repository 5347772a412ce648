"""Whatever the libraries, memberships, documents and narrowings are, no way of searching finds what it may not."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.models import Document, Library, Membership, User, Version
from documents.rag.strategies import MEASURED
from documents.rag.system import RAGSystem
from documents.rag.types import Hit, Narrowing, Passage, Question
from documents.vector_db import PgVectorDB, live_space
from documents.wiring import Wiring
from tests.documents.shelf import Shelf

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]

WORDS = ("apple", "banana", "cherry", "DAMSON")
NAMES = {" ".join(["damson"] * times) for times in range(1, 5)}
"""By which what a sentence names is known."""
TYPES = {"pdf": "application/pdf", "md": "text/markdown"}
EVERYTHING = 200
"""More chunks than there ever are."""


@dataclass(frozen=True)
class Paper:
    """A document to be: what its versions say, and what became of it."""

    texts: list[str]
    old: list[str]
    coming: list[str]
    ready: bool
    deleted: bool
    type: str


@dataclass(frozen=True)
class Drawer:
    """A library to be: who may read it, and what is in it."""

    readers: set[str]
    deleted: bool
    papers: list[Paper]

    @property
    def open(self) -> bool:
        return bool(self.readers) and not self.deleted


@dataclass(frozen=True)
class Written:
    """A chunk that was stored: its version, which library's it is, what it says, and what became of its document."""

    version: int
    library: str
    text: str
    type: str
    counts: bool

    def fits(self, narrowing: Narrowing) -> bool:
        named = [name for name in narrowing.libraries if self.library.lower() == name.lower()]
        return (
            bool(named or not narrowing.libraries)
            and (self.type in narrowing.types or not narrowing.types)
            and all(phrase in self.text for phrase in narrowing.phrases)
        )


sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
papers = st.builds(
    Paper,
    texts=st.lists(sentences, min_size=1, max_size=3),
    old=st.lists(sentences, max_size=2),
    coming=st.lists(sentences, max_size=2),
    ready=st.booleans(),
    deleted=st.booleans(),
    type=st.sampled_from(sorted(TYPES)),
)
drawers = st.builds(
    Drawer,
    readers=st.sets(st.sampled_from(["team", "user", "group"]), max_size=2),
    deleted=st.booleans(),
    papers=st.lists(papers, max_size=3),
)
cabinets = st.lists(drawers, min_size=1, max_size=4)
narrowings = st.builds(
    Narrowing,
    libraries=st.lists(st.sampled_from(["library 0", "LIBRARY 1", "nowhere"]), max_size=2).map(tuple),
    types=st.lists(st.sampled_from(sorted(TYPES)), max_size=2).map(tuple),
    phrases=st.lists(st.sampled_from([*WORDS, "apple banana"]), max_size=1).map(tuple),
)


@dataclass
class Cabinet:
    """Drawers in the database, emptied for each example."""

    wiring: Wiring
    shelf: Shelf
    user: User
    group: Group

    async def fill(self, drawers: Iterable[Drawer]) -> list[Written]:
        await Library.objects.all().adelete()
        return [chunk for number, drawer in enumerate(drawers) for chunk in await self._drawer(number, drawer)]

    async def _drawer(self, number: int, drawer: Drawer) -> list[Written]:
        library = await Library.objects.acreate(
            name=f"Library {number}",
            visibility=Library.Visibility.TEAM if "team" in drawer.readers else Library.Visibility.PRIVATE,
            deleted_at=timezone.now() if drawer.deleted else None,
        )
        if "user" in drawer.readers:
            await Membership.objects.acreate(library=library, user=self.user)
        if "group" in drawer.readers:
            await Membership.objects.acreate(library=library, group=self.group)
        return [chunk for paper in drawer.papers for chunk in await self._paper(library, paper)]

    async def _paper(self, library: Library, paper: Paper) -> list[Written]:
        document = await Document.objects.acreate(
            library=library, name="notes", deleted_at=timezone.now() if paper.deleted else None
        )
        written = []
        for number, texts in enumerate((paper.old, paper.texts, paper.coming), 1):
            version = await Version.objects.acreate(
                document=document, number=number, media_type=TYPES[paper.type], bytes=1
            )
            await self.shelf.write(version, *texts)
            current = paper.ready and texts is paper.texts
            if current:
                document.current = version
                await document.asave()
            counts = current and not paper.deleted
            written += [Written(version.pk, library.name, text, paper.type, counts) for text in texts]
        return written

    async def database(self) -> PgVectorDB:
        """As a question of the user's makes it."""
        return await self.wiring.database(await self.readable())

    async def readable(self) -> list[int]:
        return [pk async for pk in Library.objects.readable_by(self.user).values_list("pk", flat=True)]

    async def every_chunk(self) -> dict[int, tuple[int, str]]:
        """Chunk → its version and text."""
        rows = await self.shelf.rows("SELECT id, version_id, text FROM documents_chunk")
        return {chunk: (version, text) for chunk, version, text in rows}

    async def commanded(self, text: str) -> list[str]:
        """The texts that the command `search` finds."""
        out = io.StringIO()
        search = sync_to_async(call_command)
        await search("search", text, user=self.user.email, top_k=100, json=True, stdout=out)
        return [passage["text"] for passage in json.loads(out.getvalue())]


@pytest_asyncio.fixture
async def cabinet(system: Wiring, stranger: User) -> AsyncIterator[Cabinet]:
    await system.system([])  # Makes the space.
    space = await live_space(system.pool)
    assert space is not None
    group = await Group.objects.acreate(name="Group")
    await stranger.groups.aadd(group)
    yield Cabinet(system, Shelf(system.pool, space), stranger, group)


def told(passages: Iterable[Passage]) -> list[tuple[int, str]]:
    """Version and text of passages, and of those that they stand for."""
    return sorted(
        (int(each.metadata["version"]), each.text) for passage in passages for each in (passage, *passage.also_in)
    )


async def check(cabinet: Cabinet, readable: list[Written], narrowing: Narrowing, question: str) -> None:
    """All that may be read is found, and nothing else, in every way; of a narrowed database, all that fits."""
    whole, every = await cabinet.database(), await cabinet.every_chunk()
    await check_database(cabinet, whole, [(chunk.version, chunk.text) for chunk in readable], question)
    fitting = [(chunk.version, chunk.text) for chunk in readable if chunk.fits(narrowing)]
    await check_database(cabinet, whole.narrowed(narrowing), fitting, question)
    around = await whole.neighbours(list(every), 2)
    near = {place for passages in around.values() for place in told(passages)}
    assert near == {(chunk.version, chunk.text) for chunk in readable}
    assert set(await cabinet.commanded(question)) <= {chunk.text for chunk in readable}


async def check_database(cabinet: Cabinet, database: PgVectorDB, due: list[tuple[int, str]], question: str) -> None:
    every = await cabinet.every_chunk()
    by_meaning = await database.dense(cabinet.shelf.vectors(1)[0], EVERYTHING)
    assert sorted(every[hit.chunk] for hit in by_meaning) == sorted(due)
    by_words = await database.lexical(question, EVERYTHING)
    of_words = [(version, text) for version, text in due if set(question.split()) & set(text.split())]
    assert sorted(every[hit.chunk] for hit in by_words) == sorted(of_words)
    assert told(await database.passages([Hit(chunk, 1.0) for chunk in every])) == sorted(due)
    assert told(await database.whole(EVERYTHING * 100) or ()) == sorted(due)
    named = await database.mentions_of(NAMES, EVERYTHING)
    assert {every[mention.chunk] for mention in named} == {place for place in due if "DAMSON" in place[1]}
    for strategy in MEASURED.keys() - {"direct"}:  # That one joins all there is of a document.
        system = RAGSystem(await cabinet.wiring.embedding_model(), database, None)
        assert set(told(await system.search(Question(question, top_k=EVERYTHING), strategy=strategy))) <= set(due)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawers=cabinets, narrowing=narrowings, question=sentences)
async def test_nothing_forbidden_is_found(
    cabinet: Cabinet, drawers: list[Drawer], narrowing: Narrowing, question: str
) -> None:
    written = await cabinet.fill(drawers)
    opened = {f"Library {number}" for number, drawer in enumerate(drawers) if drawer.open}
    await check(cabinet, [each for each in written if each.counts and each.library in opened], narrowing, question)
    await Membership.objects.all().adelete()
    opened = {f"Library {number}" for number, drawer in enumerate(drawers) if drawer.open and "team" in drawer.readers}
    await check(cabinet, [each for each in written if each.counts and each.library in opened], narrowing, question)
