"""Libraries full of chunks, the same ones in each run: texts of Zipf's words, vectors in clusters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from documents.blocks import FULL
from documents.models import Document, Library, Version
from documents.rag.parsing.recognising import EPUB, HTML, MARKDOWN, PDF, TEXT
from documents.rag.types import Chunk, Role, Span, Vector
from documents.vector_db import PgVectorDB, Pool, Space

LIBRARIES, READABLE = 20, 10
"""All of them, and those that the user may read: about half of the chunks."""

SHARES = (0.001, 0.01, 0.1)
"""Of all chunks in each of the first libraries; the others have as many as each other."""

TYPES = ((1_000, EPUB), (100, HTML), (10, PDF), (3, TEXT), (1, MARKDOWN))
"""Every how manieth document is of a type, the rarest first."""

RARE, RARE_PHRASE = 1_000, "silver heron"
"""In every how manieth chunk it stands."""

DOCUMENT_CHUNKS, SHORTEST, LONGEST, VOCABULARY = 20, 100, 400, 60_000
DIMENSIONS, CLUSTERS, SPREAD = 384, 300, 0.8

NAMES_FROM, NAMES_EVERY = 1_000, 3
"""From which word on, the commonest being 0, and of those every how manieth is a name: some 30 in a chunk."""

Words = NDArray[np.int64]


class Chance:
    """Draws words and vectors: always the same for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._centres = np.random.default_rng(0).normal(size=(CLUSTERS, DIMENSIONS))
        self._frequencies = np.cumsum(1 / np.arange(1, VOCABULARY + 1))

    def length(self) -> int:
        return int(self._random.integers(SHORTEST, LONGEST))

    def words(self, count: int) -> Words:
        drawn: Words = np.searchsorted(self._frequencies, self._random.random(count) * self._frequencies[-1])
        return drawn

    def vectors(self, count: int) -> Vector:
        centres = self._centres[self._random.integers(CLUSTERS, size=count)]
        vectors: Vector = (centres + SPREAD * self._random.normal(size=(count, DIMENSIONS))).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def written(words: Words) -> str:
    """A name has a capital, which searching by words doesn't see."""
    return " ".join(f"{'W' if _is_name(word) else 'w'}{word}" for word in words.tolist())


def _is_name(word: int) -> bool:
    return word >= NAMES_FROM and word % NAMES_EVERY == 0


@dataclass(frozen=True, slots=True)
class Written:
    """A document's chunks, as they were drawn."""

    version: Version
    words: list[Words]


def make_versions(chunks: int) -> list[Version]:
    """Documents to hold that many chunks, in all libraries, each with its current version."""
    libraries = Library.objects.bulk_create(Library(name=f"Library {number}") for number in range(LIBRARIES))
    places = _places(chunks // DOCUMENT_CHUNKS)
    documents = Document.objects.bulk_create(
        Document(library=libraries[place], name=f"{number}.txt") for number, place in enumerate(places)
    )
    versions = Version.objects.bulk_create(
        Version(document=document, bytes=0, media_type=_type(number), chunks_indexed=DOCUMENT_CHUNKS)
        for number, document in enumerate(documents)
    )
    for document, version in zip(documents, versions, strict=True):
        document.current = version
    Document.objects.bulk_update(documents, ["current"], batch_size=1_000)
    return versions


def _places(documents: int) -> list[int]:
    """The number of each document's library."""
    few = [round(share * documents) for share in SHARES]
    others = LIBRARIES - len(SHARES)
    sizes = [*few, *(len(range(number, documents - sum(few), others)) for number in range(others))]
    return [place for place, size in enumerate(sizes) for _ in range(size)]


def _type(number: int) -> str:
    return next(media_type for every, media_type in TYPES if number % every == 0)


async def entitle(pool: Pool) -> None:
    """Have every document bear a name of its first chunk as its title, which is not among the words searched."""
    async with pool.connection() as connection:
        await connection.execute(_ENTITLE, [Role.TITLE.value])


_ENTITLE = """
UPDATE documents_mention SET role = %s WHERE id IN (
    SELECT min(mention.id) FROM documents_mention AS mention JOIN documents_chunk AS chunk ON chunk.id = chunk_id
    WHERE position = 0 GROUP BY chunk_id
)
"""


async def fill(pool: Pool, space: Space, versions: Sequence[Version]) -> AsyncIterator[Written]:
    """Store the chunks of all versions, a library's after the other's; tells what was written."""
    chance = Chance(seed=1)
    step = FULL // DOCUMENT_CHUNKS
    for start in range(0, len(versions), step):
        members = versions[start : start + step]
        drawn = [Written(each, [chance.words(chance.length()) for _ in range(DOCUMENT_CHUNKS)]) for each in members]
        chunks = [chunk for document in drawn for chunk in _chunks(document)]
        libraries = sorted({int(chunk.metadata["library"]) for chunk in chunks})
        await PgVectorDB(pool, libraries, space).add(chunks, list(chance.vectors(len(chunks))[:, None]))
        for document in drawn:
            yield document


def _chunks(drawn: Written) -> Iterator[Chunk]:
    version = drawn.version
    about = {"library": version.document.library_id, "version": version.pk, "source": version.document.name}
    for position, words in enumerate(drawn.words):
        rare = (version.pk * DOCUMENT_CHUNKS + position) % RARE == 0
        text = f"{written(words)} {RARE_PHRASE}" if rare else written(words)
        yield Chunk(text, (Span(1, position, position + 1),), len(words), about | {"chunk_id": position})
