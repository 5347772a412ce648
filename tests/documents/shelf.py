"""Something to search, without an embedding model: documents whose vectors are random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import numpy as np

from documents import models
from documents.models import Document, Library, Version
from documents.rag.lexical import EVERY_CHUNK, POSTING
from documents.rag.terms import terms
from documents.rag.types import Chunk, Hit, Span, Vector
from documents.vector_db import PgVectorDB, Pool, Space

WORDS = [
    "apple",
    "banana",
    "cherry",
    "damson",
    "elder",
    "fig",
    "grape",
    "hazel",
    "iris",
    "kale",
    "lemon",
    "mango",
    "pear",
]


@dataclass
class Shelf:
    """A pool, a space of 8 dimensions, and documents to fill them with."""

    pool: Pool
    space: Space
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def database(self, *libraries: Library) -> PgVectorDB:
        return PgVectorDB(self.pool, [library.pk for library in libraries], self.space)

    async def version(self, library: Library, name: str = "notes.md", *, current: bool = True) -> Version:
        document = await Document.objects.acreate(library=library, name=name)
        version = await Version.objects.acreate(document=document, media_type="text/markdown", bytes=1)
        if current:
            document.current = version
            await document.asave()
        return version

    async def write(self, version: Version, *texts: str, start: int = 0) -> None:
        """Index these texts as the chunks of a version, from position `start` on."""
        document = await Document.objects.aget(pk=version.document_id)
        about = {"library": document.library_id, "version": version.pk, "source": document.source}
        chunks = [
            Chunk(text, (Span(1, 100 * at, 100 * at + len(text)),), len(text), about | {"chunk_id": at})
            for at, text in enumerate(texts, start)
        ]
        library = await Library.objects.aget(pk=document.library_id)
        await self.database(library).add(chunks, [self.vectors(1) for _ in chunks])

    async def document(self, library: Library, *texts: str) -> Version:
        version = await self.version(library)
        await self.write(version, *texts)
        return version

    def vectors(self, count: int) -> Vector:
        vectors: Vector = self.random.normal(size=(count, self.space.dimensions)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def sentence(self) -> str:
        return " ".join(self.random.choice(WORDS, size=6))

    async def rows(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()

    async def counts(self) -> dict[str, int]:
        made = (models.Chunk, models.Embedding, models.Block, models.Posting)
        return {model.__name__.lower(): await model.objects.acount() for model in made}

    async def assert_index_is_sound(self) -> None:
        """Every posting is what the texts of the chunks say, in order, and the blocks add them up rightly."""
        texts = await self.rows("SELECT id, text, language FROM documents_chunk")
        found = {chunk: terms(text, language) for chunk, text, language in texts}
        written = [
            (chunk, term, frequency, len(of_chunk))
            for chunk, of_chunk in found.items()
            for term, frequency in [(EVERY_CHUNK, 0), *Counter(of_chunk).items()]
        ]
        listed = []
        for term, packed in await self.rows("SELECT term, packed FROM documents_posting"):
            postings = np.frombuffer(packed, POSTING)
            assert (np.diff(postings["chunk"].astype(int)) > 0).all()
            listed += [(int(chunk), term, int(frequency), int(length)) for chunk, frequency, length in postings]
        assert sorted(listed) == sorted(written)
        for block, versions, chunks, length in await self.rows(
            "SELECT id, versions, chunks, length FROM documents_block"
        ):
            [(packed,)] = await self.rows(
                "SELECT packed FROM documents_posting WHERE block_id = %s AND term = %s", block, EVERY_CHUNK
            )
            postings = np.frombuffer(packed, POSTING)
            owners = await self.rows(
                "SELECT DISTINCT version_id FROM documents_chunk WHERE id = ANY(%s)", postings["chunk"].tolist()
            )
            assert (chunks, length) == (len(postings), postings["length"].sum())
            assert sorted(versions) == sorted(owner for (owner,) in owners)


def chunks_of(hits: Sequence[Hit]) -> list[int]:
    return [hit.chunk for hit in hits]


async def texts_of(database: PgVectorDB, hits: Sequence[Hit]) -> list[str]:
    return [passage.text for passage in await database.passages(hits)]
