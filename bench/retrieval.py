"""What hybrid retrieval, storing, merging and deleting cost, over clustered vectors and Zipf's words: JSON lines.

Run from the project's root: `python -m bench.retrieval [CHUNKS]`. There are 20 libraries, and the user reads 10 of
them. Postgres is the embedded one, with data of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import django
import numpy as np
import psutil

DATA = tempfile.TemporaryDirectory(prefix="footnote-bench-")

# Before Django reads its settings.
os.environ.update(DATA_DIR=DATA.name, DATABASE_URL="", REDIS_URL="", DJANGO_SETTINGS_MODULE="config.settings")
django.setup()

from django.conf import settings
from django.core.management import call_command
from psycopg_pool import AsyncConnectionPool

from config import embedded
from documents.models import Document, Library, Version
from documents.rag.fusion import fuse
from documents.rag.types import Chunk, Span, Vector
from documents.vector_db import PgVectorDB, Pool, Space, configure, create_space, merge, remove

LIBRARIES, READABLE = 20, 10
DOCUMENT_CHUNKS, WORDS, VOCABULARY, DIMENSIONS = 100, 300, 60_000, 384
QUESTIONS, DEPTH, TOP_K = 200, 100, 9


def main(chunks: int) -> None:
    with embedded.services(Path(DATA.name), with_postgres=True, with_valkey=False):
        call_command("migrate", verbosity=0)
        asyncio.run(_measure(_versions(chunks // DOCUMENT_CHUNKS)))


def _versions(count: int) -> list[Version]:
    """A document's current version each, in the libraries in turn."""
    libraries = Library.objects.bulk_create(Library(name=f"Library {number}") for number in range(LIBRARIES))
    documents = Document.objects.bulk_create(
        Document(library=libraries[number % LIBRARIES], name=f"{number}.txt") for number in range(count)
    )
    versions = Version.objects.bulk_create(Version(document=document, bytes=0) for document in documents)
    for document, version in zip(documents, versions, strict=True):
        document.current = version
    Document.objects.bulk_update(documents, ["current"])
    return versions


async def _measure(versions: Sequence[Version]) -> None:
    libraries = sorted({version.document.library_id for version in versions})
    async with _shelf(libraries[:READABLE]) as shelf:
        async with _timed("store", chunks=len(versions) * DOCUMENT_CHUNKS):
            for version in versions:
                await shelf.write(version)
        await _search(shelf, "unmerged")
        async with _timed("merge", libraries=len(libraries)):
            for library in libraries:
                await merge(shelf.pool, library)
        async with shelf.pool.connection() as connection:
            await connection.execute("VACUUM ANALYZE")
        await _search(shelf, "merged")
        of_one_library = [version.pk for version in versions[::LIBRARIES]]
        for gone in (of_one_library[2:3], of_one_library[3:7]):
            async with _timed("delete", chunks=len(gone) * DOCUMENT_CHUNKS), shelf.pool.connection() as connection:
                await remove(connection, gone)


@asynccontextmanager
async def _timed(stage: str, **about: int) -> AsyncIterator[None]:
    start, before = time.perf_counter(), _processor_seconds()
    yield
    client, postgres = (after - was for after, was in zip(_processor_seconds(), before, strict=True))
    seconds = {"seconds": time.perf_counter() - start, "client_cpu": client, "postgres_cpu": postgres}
    print(json.dumps({"stage": stage} | about | {name: round(spent, 2) for name, spent in seconds.items()}), flush=True)


async def _search(shelf: _Shelf, blocks: str) -> None:
    for stage in (shelf.lexical, shelf.dense, shelf.hybrid):
        print(json.dumps({"stage": stage.__name__, "blocks": blocks} | await _repeated(stage)), flush=True)


async def _repeated(search: Callable[[str, Vector], Awaitable[object]]) -> dict[str, float]:
    shelf = _Chance()
    questions = [(shelf.text(8), shelf.vectors(1)[0]) for _ in range(QUESTIONS)]
    for question in questions[:20]:
        await search(*question)
    took, before = [], _processor_seconds()
    for question in questions:
        start = time.perf_counter()
        await search(*question)
        took.append(time.perf_counter() - start)
    client, postgres = ((after - was) / QUESTIONS for after, was in zip(_processor_seconds(), before, strict=True))
    twentieths = statistics.quantiles(took, n=20)
    seconds = {"p50": twentieths[9], "p95": twentieths[18], "client_cpu": client, "postgres_cpu": postgres}
    return {f"{name}_ms": round(1_000 * value, 2) for name, value in seconds.items()}


def _processor_seconds() -> tuple[float, float]:
    """Of this process, and of our Postgres' processes."""
    lock = Path(DATA.name) / "postgres" / "postmaster.pid"
    server = psutil.Process(int(lock.read_text().split()[0]))
    spent = [process.cpu_times() for process in server.children()]
    return time.process_time(), sum(times.user + times.system for times in spent)


# --- Something to search ----------------------------------------------------------------------


@dataclass
class _Chance:
    """Texts and vectors, the same ones in each run."""

    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))

    def __post_init__(self) -> None:
        self._centres = np.random.default_rng(2).normal(size=(300, DIMENSIONS))
        self._frequencies = np.cumsum(1 / np.arange(1, VOCABULARY + 1))

    def text(self, words: int) -> str:
        drawn = np.searchsorted(self._frequencies, self.random.random(words) * self._frequencies[-1])
        return " ".join(f"w{word:x}" for word in drawn)

    def vectors(self, count: int) -> Vector:
        centres = self._centres[self.random.integers(len(self._centres), size=count)]
        vectors: Vector = (centres + 0.8 * self.random.normal(size=(count, DIMENSIONS))).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


@dataclass
class _Shelf:
    """Libraries full of chunks, and the searches that a question makes."""

    pool: Pool
    space: Space
    database: PgVectorDB
    chance: _Chance = field(default_factory=_Chance)

    async def write(self, version: Version) -> None:
        about = {"library": version.document.library_id, "version": version.pk, "source": version.document.source}
        chunks = [
            Chunk(self.chance.text(WORDS), (Span(1, at, at + 1),), WORDS, about | {"chunk_id": at})
            for at in range(DOCUMENT_CHUNKS)
        ]
        vectors = list(self.chance.vectors(DOCUMENT_CHUNKS)[:, None])
        await PgVectorDB(self.pool, [version.document.library_id], self.space).add(chunks, vectors)

    async def lexical(self, text: str, vector: Vector) -> None:
        await self.database.lexical(text, DEPTH)

    async def dense(self, text: str, vector: Vector) -> None:
        await self.database.dense(vector, DEPTH)

    async def hybrid(self, text: str, vector: Vector) -> None:
        """All of a question's retrieval, hydration's too."""
        lexical, dense = await asyncio.gather(self.database.lexical(text, DEPTH), self.database.dense(vector, DEPTH))
        best = fuse({"lexical": lexical, "dense": dense})[:TOP_K]
        await self.database.passages(best)
        await self.database.neighbours([hit.chunk for hit in best], 2)


@asynccontextmanager
async def _shelf(libraries: Sequence[int]) -> AsyncIterator[_Shelf]:
    pool: Pool
    async with AsyncConnectionPool(settings.DATABASE_URL, min_size=4, configure=configure, open=False) as pool:
        space = await create_space(pool, "bench", DIMENSIONS, "live")
        yield _Shelf(pool, space, PgVectorDB(pool, libraries, space))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
