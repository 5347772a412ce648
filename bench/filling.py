"""Fills a data folder before the product is started on it, by `manage.py shell -c "…fill()"`.

Twenty libraries of a thousand chunks each, of which the reader reads ten, straight through the product's own models and
vector database; the vector index is built at the end, as that is quicker.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bench.bulk import index_built_after
from bench.corpus import CHUNK_WORDS, Corpus
from bench.model_server import vector
from bench.sizes import CHUNKS, LIBRARIES, PASSWORD, READABLE, READER
from documents import wiring
from documents.models import Document, Library, Membership, Page, User, Version
from documents.rag.types import Chunk, Span, Vector
from documents.vector_db import PgVectorDB, live_space

CHUNKS_A_DOCUMENT = 50


def fill() -> None:
    reader = User.objects.create_user(READER, PASSWORD)
    libraries = [_library(reader.pk, number) for number in range(LIBRARIES)]
    versions = {library.pk: list(_versions(library)) for library in libraries}
    asyncio.run(_index(versions))


def _library(reader: int, number: int) -> Library:
    library = Library.objects.create(name=f"Library {number}")
    if number < READABLE:
        Membership.objects.create(library=library, user_id=reader, role=Membership.Role.EDITOR)
    return library


def _versions(library: Library) -> Iterator[Version]:
    """Documents that are ready but for their chunks."""
    for number in range(CHUNKS // CHUNKS_A_DOCUMENT):
        document = Document.objects.create(library=library, name=f"{library.name}, {number}.txt")
        version = Version.objects.create(
            document=document,
            sha256=f"{library.pk:032}{number:032}",
            media_type="text/plain",
            bytes=0,
            status=Version.Status.READY,
            pages_total=CHUNKS_A_DOCUMENT,
            pages_read=CHUNKS_A_DOCUMENT,
            pages_indexed=CHUNKS_A_DOCUMENT,
            chunks_total=CHUNKS_A_DOCUMENT,
            chunks_indexed=CHUNKS_A_DOCUMENT,
        )
        document.current = document.latest = version
        document.save()
        yield version


async def _index(versions: Mapping[int, Sequence[Version]]) -> None:
    async with wiring.open_system() as opened:
        await opened.system([])  # Makes the space.
        space = await live_space(opened.pool)
        assert space is not None
        async with index_built_after(opened.pool, space):
            for library, members in versions.items():
                await _add(PgVectorDB(opened.pool, [library], space), library, members)


async def _add(database: PgVectorDB, library: int, versions: Sequence[Version]) -> None:
    corpus = Corpus(seed=library)
    chunks = [chunk for version in versions for chunk in _chunks(corpus, version)]
    await Page.objects.abulk_create(map(_page, chunks))
    await database.add(chunks, [_vectors(chunk) for chunk in chunks])


def _chunks(corpus: Corpus, version: Version) -> Iterator[Chunk]:
    """Each a page of its own."""
    document = version.document
    for position in range(CHUNKS_A_DOCUMENT):
        text = corpus.text(CHUNK_WORDS)
        metadata = {
            "library": document.library_id,
            "document": document.pk,
            "version": version.pk,
            "source": document.name,
            "title": document.name,
            "chunk_id": position,
        }
        yield Chunk(text, (Span(position + 1, 0, len(text)),), 512, metadata)


def _page(chunk: Chunk) -> Page:
    blocks = [["paragraph", 0, len(chunk.text), 0, []]]
    version, number = chunk.metadata["version"], chunk.spans[0].page
    return Page(version_id=version, number=number, text=chunk.text, blocks=blocks, how_read="text")


def _vectors(chunk: Chunk) -> Vector:
    """As the model server would give them, at unit length."""
    one = np.frombuffer(base64.b64decode(vector(chunk.indexed_text)), dtype="<f4")
    return np.asarray(one / np.linalg.norm(one)).reshape(1, -1)
