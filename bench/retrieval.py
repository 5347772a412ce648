"""How long hybrid retrieval takes, and graph's, beside a bare vector query, and whether it finds what it should.

Run from the project's root: `python -m bench.retrieval [CHUNKS…]`; SIZE=1m in the environment stands for a million.
The user may read about half of the chunks. Postgres is the embedded one, with data of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import django
import numpy as np

DATA = tempfile.TemporaryDirectory(prefix="footnote-bench-")

# Before Django reads its settings.
os.environ.update(DATA_DIR=DATA.name, DATABASE_URL="", REDIS_URL="", DJANGO_SETTINGS_MODULE="config.settings")
django.setup()

from django.conf import settings
from django.core.management import call_command
from pgvector import HalfVector
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from bench.bulk import index_built_after
from bench.figures import Figure, percentile, tell
from bench.reference import FullScoring, nearest
from bench.shelf import DIMENSIONS, RARE_PHRASE, READABLE, SHARES, Chance, Words, entitle, fill, make_versions, written
from config import embedded
from documents.rag.communities import themes
from documents.rag.hydration import hydrate
from documents.rag.strategies.hybrid import DEEP
from documents.rag.strategies.themes import NAMES
from documents.rag.system import RAGSystem
from documents.rag.types import Narrowing, Question, Vector
from documents.vector_db import PgVectorDB, Pool, Space, configure, create_space, merge
from documents.wiring import CONNECTIONS

SIZES = {"": (20_000, 100_000), "1m": (1_000_000,)}
MEASURED = 100_000
"""Chunks for which there are targets."""

QUESTIONS, PRACTICE, QUESTION_WORDS = 200, 20, 8
DEPTH, TOP_K = DEEP, 9
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its words, and the vector that a model would have given it."""

    words: Words
    vector: Vector

    @property
    def text(self) -> str:
        return written(self.words)


class Given:
    """An embedding model that has the questions' vectors already."""

    name, dimensions, batch = "given", DIMENSIONS, 1

    def __init__(self, asked: Iterable[Asked]) -> None:
        self._vectors = {each.text: each.vector for each in asked}

    def understands(self, text: str) -> bool:
        return True

    def windows(self, text: str) -> list[str]:
        return [text]

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        return np.stack([self._vectors[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Filter:
    """A way to admit some of the chunks, and the same again as a condition in SQL."""

    name: str
    database: PgVectorDB
    narrowing: Narrowing
    condition: sql.Composable


@dataclass(frozen=True, slots=True)
class Filled:
    """A database that is full: all its libraries, the questions, and the words by which BM25 is checked."""

    pool: Pool
    space: Space
    libraries: list[int]
    asked: list[Asked]
    scoring: FullScoring

    def database(self, libraries: Sequence[int]) -> PgVectorDB:
        return PgVectorDB(self.pool, libraries, self.space)

    @property
    def readable(self) -> PgVectorDB:
        return self.database(self.libraries[:READABLE])


def main(sizes: Iterable[int]) -> None:
    with embedded.services(Path(DATA.name), with_postgres=True, with_valkey=False):
        call_command("migrate", verbosity=0)
        medians = {size: asyncio.run(measure(size)) for size in sizes}
    if {20_000, MEASURED} <= medians.keys():
        growth = medians[MEASURED] / medians[20_000]
        tell(Figure("hybrid retrieval, p50 at 100 K chunks over that at 20 K", growth, "×", 3))


async def measure(chunks: int) -> float:
    """All figures for so many chunks; the median of a question's milliseconds."""
    async with filled(chunks) as shelf:
        hybrid = await speed(shelf, chunks)
        await rankings(shelf, chunks)
        for each in filters(shelf):
            await filtered(shelf, each, chunks)
    return hybrid


@asynccontextmanager
async def filled(chunks: int) -> AsyncIterator[Filled]:
    await asyncio.to_thread(call_command, "flush", verbosity=0, interactive=False, reset_sequences=False)
    versions = await asyncio.to_thread(make_versions, chunks)
    libraries = sorted({version.document.library_id for version in versions})
    asked = _questions()
    scoring = FullScoring(libraries[:READABLE], np.unique([each.words for each in asked]))
    pool: Pool
    async with AsyncConnectionPool(
        settings.DATABASE_URL, min_size=CONNECTIONS, configure=configure, open=False
    ) as pool:
        space = await create_space(pool, Given.name, DIMENSIONS, "live")
        async with index_built_after(pool, space):
            async for document in fill(pool, space, versions):
                scoring.read(document)
            for library in libraries:
                await merge(pool, library)
            await entitle(pool)
        yield Filled(pool, space, libraries, asked, scoring)


def _questions() -> list[Asked]:
    chance = Chance(seed=2)
    return [Asked(chance.words(QUESTION_WORDS), chance.vectors(1)[0]) for _ in range(QUESTIONS)]


async def speed(shelf: Filled, chunks: int) -> float:
    """Hybrid retrieval, by one client and by several, and what it is made of; the median for one client."""
    system = RAGSystem(Given(shelf.asked), shelf.readable, None)

    async def hybrid(asked: Asked) -> None:
        found = await system.search(Question(asked.text, top_k=TOP_K))
        await hydrate(found, shelf.readable, settings.CONTEXT_TOKENS)

    async def graph(asked: Asked) -> None:
        await system.search(Question(asked.text, top_k=TOP_K), strategy="graph")

    async def by_theme(_: Asked) -> None:
        themes(await shelf.readable.commonest(NAMES))

    async def bare(asked: Asked) -> None:
        await _bare(shelf, asked.vector)

    async def words(asked: Asked) -> None:
        await shelf.readable.lexical(asked.text, DEPTH)

    async def vectors(asked: Asked) -> None:
        await shelf.readable.dense(asked.vector, DEPTH)

    plain = await timed("a bare query of the vector index", bare, shelf.asked, chunks)
    await timed("retrieval by words", words, shelf.asked, chunks)
    await timed("retrieval by vectors", vectors, shelf.asked, chunks)
    whole = await timed("hybrid retrieval", hybrid, shelf.asked, chunks, target=40)
    _figure("hybrid retrieval, p50 over the bare query's", whole / plain, "×", chunks, target=6)
    await timed("hybrid retrieval", hybrid, shelf.asked, chunks, clients=CLIENTS)
    await timed("graph retrieval", graph, shelf.asked, chunks, target=150)
    await timed("graph's themes", by_theme, shelf.asked[:PRACTICE], chunks)
    return whole


async def timed(
    name: str,
    ask: Callable[[Asked], Awaitable[None]],
    asked: Sequence[Asked],
    chunks: int,
    *,
    clients: int = 1,
    target: float | None = None,
) -> float:
    """Tells the percentiles of the milliseconds that each question took; the median."""
    waiting, took = iter((*asked[:PRACTICE], *asked)), list[float]()

    async def client() -> None:
        for each in waiting:
            start = time.perf_counter()
            await ask(each)
            took.append(1_000 * (time.perf_counter() - start))

    await asyncio.gather(*(client() for _ in range(clients)))
    by = f"{name}, {clients} clients" if clients > 1 else name
    _figure(f"{by}, p50", median(took[PRACTICE:]), "ms", chunks, target=target)
    _figure(f"{by}, p95", percentile(took[PRACTICE:], 95), "ms", chunks)
    return median(took[PRACTICE:])


async def rankings(shelf: Filled, chunks: int) -> None:
    """Whether the best by BM25 are those of full scoring."""
    numbers = await shelf.scoring.numbers(shelf.pool)
    shares = [
        shelf.scoring.agreement(asked.words, await shelf.readable.lexical(asked.text, 10), numbers)
        for asked in shelf.asked
    ]
    _figure("BM25's best 10 that are those of full scoring", fmean(shares), "", chunks, target=0.98, at_least=True)


def filters(shelf: Filled) -> Iterable[Filter]:
    everything, every = shelf.database(shelf.libraries), sql.SQL("true")
    for library, share in zip(shelf.libraries, SHARES, strict=False):
        only = sql.SQL("embedding.library_id = {}").format(sql.Literal(library))
        yield Filter(f"libraries, {share:.1%} of the chunks", shelf.database([library]), Narrowing(), only)
    yield Filter("all libraries, 100% of the chunks", everything, Narrowing(), every)
    for kind, media_type, share in (
        ("epub", "application/epub+zip", 0.001),
        ("html", "text/html", 0.01),
        ("pdf", "application/pdf", 0.1),
        ("text", "text/plain", 0.3),
    ):
        only = sql.SQL("version.media_type = {}").format(sql.Literal(media_type))
        yield Filter(f"types, {share:.1%} of the chunks", everything, Narrowing(types=(kind,)), only)
    phrase = sql.SQL("strpos(chunk.text, {}) > 0").format(sql.Literal(RARE_PHRASE))
    yield Filter("a phrase, 0.1% of the chunks", everything, Narrowing(phrases=(RARE_PHRASE,)), phrase)


async def filtered(shelf: Filled, each: Filter, chunks: int) -> None:
    """Recall against exact search, and milliseconds, of twenty questions in turn."""
    took, recalls = [], list[float]()
    for asked in shelf.asked[:20]:
        start = time.perf_counter()
        database = each.database.narrowed(each.narrowing) if each.narrowing != Narrowing() else each.database
        hits = await database.dense(asked.vector, DEPTH)
        took.append(1_000 * (time.perf_counter() - start))
        due = await nearest(shelf.pool, shelf.space, asked.vector, 10, each.condition)
        recalls.append(len(set(due) & {hit.chunk for hit in hits[:10]}) / len(due))
    _figure(f"filter by {each.name}: recall@10", fmean(recalls), "", chunks, target=0.97, at_least=True)
    for name, milliseconds in (("first", took[0]), ("20th", took[-1])):
        _figure(f"filter by {each.name}: {name} execution", milliseconds, "ms", chunks, target=60)


async def _bare(shelf: Filled, vector: Vector) -> None:
    query = _BARE.format(space=sql.Literal(shelf.space.id), dimensions=sql.Literal(DIMENSIONS))
    async with shelf.pool.connection() as connection:
        await (await connection.execute(query, [HalfVector(vector), DEPTH], binary=True)).fetchall()


def _figure(
    name: str, measured: float, unit: str, chunks: int, *, target: float | None = None, at_least: bool = False
) -> None:
    wanted = target if chunks == MEASURED else None
    tell(Figure(f"{name}, {chunks // 1_000:,} K chunks", measured, unit, wanted, at_least), chunks=chunks)


_BARE = sql.SQL("""
SELECT chunk_id FROM documents_embedding WHERE space_id = {space}
ORDER BY vector::halfvec({dimensions}) <=> %s LIMIT %s
""")


if __name__ == "__main__":
    main(map(int, sys.argv[1:]) if len(sys.argv) > 1 else SIZES[os.environ.get("SIZE", "").lower()])
