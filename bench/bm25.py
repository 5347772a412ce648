"""Whether words are ranked in Postgres as `bm25s` ranks them, on collections in BEIR's layout: JSON lines.

Run from the project's root: `python -m bench.bm25 DIR…`. Both are given the same terms, k1 and b. Postgres is the
embedded one, with data of its own; vectors don't matter here.
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import fmean

import bm25s  # type: ignore[import-untyped]
import django
import numpy as np
from numpy.typing import NDArray

DATA = tempfile.TemporaryDirectory(prefix="footnote-bench-")

# Before Django reads its settings.
os.environ.update(DATA_DIR=DATA.name, DATABASE_URL="", REDIS_URL="", DJANGO_SETTINGS_MODULE="config.settings")
django.setup()

from django.conf import settings
from django.core.management import call_command
from psycopg_pool import AsyncConnectionPool

from bench.figures import Figure, tell
from config import embedded
from documents.evaluating.collection import Collection, Entry
from documents.models import Document, Library, Version
from documents.rag.chunking import chunk_document
from documents.rag.evaluation import ndcg
from documents.rag.language import language, languages
from documents.rag.lexical import K1, OTHER_LANGUAGE, B, indexed_terms
from documents.rag.terms import telling_terms
from documents.rag.types import Chunk
from documents.vector_db import PgVectorDB, Pool, Space, configure, create_space, merge

DEPTH = 100
ALMOST = 0.005
"""By how much the ranking in Postgres may be worse."""


def main(directories: Sequence[Path]) -> None:
    collections = [Collection.read(directory) for directory in directories if directory.is_dir()]
    if not collections:
        print(
            "There is no collection to rank: name folders in BEIR's layout, python -m bench.bm25 DIR…", file=sys.stderr
        )
        return
    with embedded.services(Path(DATA.name), with_postgres=True, with_valkey=False):
        call_command("migrate", verbosity=0)
        asyncio.run(compare_all(collections))


async def compare_all(collections: Sequence[Collection]) -> None:
    pool: Pool
    async with AsyncConnectionPool(settings.DATABASE_URL, min_size=1, configure=configure, open=False) as pool:
        space = await create_space(pool, "none", 1, "live")
        for collection in collections:
            await compare(pool, space, collection)


async def compare(pool: Pool, space: Space, collection: Collection) -> None:
    async with indexed(pool, space, collection) as (ours, chunks):
        theirs, ids = Reference(list(chunks.values())), list(chunks)
        pairs = [await _pair(query["text"], ours, theirs, ids) for query in collection.queries]
    rankings = [(collection.relevance[q["id"]], *pair) for q, pair in zip(collection.queries, pairs, strict=True)]
    our_ndcg = fmean(ndcg(_sources(chunks, ours), relevant) for relevant, ours, _ in rankings)
    their_ndcg = fmean(ndcg(_sources(chunks, theirs), relevant) for relevant, _, theirs in rankings)
    on = {"collection": collection.name, "chunks": len(chunks), "questions": len(pairs), "k1": K1, "b": B}
    tell(Figure(f"nDCG@10 by bm25s, {collection.name}", their_ndcg, ""), **on)
    tell(Figure(f"nDCG@10 by words, {collection.name}", our_ndcg, "", their_ndcg - ALMOST, at_least=True), **on)
    correlation = fmean(_correlation(ours, theirs) for _, ours, theirs in rankings if len(theirs) > 1)
    tell(Figure(f"rank correlation with bm25s, {collection.name}", correlation, "", 0.99, at_least=True), **on)


Scores = Mapping[int, float]
"""Chunk → its score, best first."""


async def _pair(question: str, ours: PgVectorDB, theirs: Reference, ids: Sequence[int]) -> tuple[Scores, Scores]:
    hits = await ours.lexical(question, DEPTH)
    scores = theirs.scores(question)
    best = [place for place in np.argsort(-scores, kind="stable")[:DEPTH].tolist() if scores[place] > 0]
    return {hit.chunk: hit.score for hit in hits}, {ids[place]: float(scores[place]) for place in best}


class Reference:
    """`bm25s` over the terms of all chunks, with the same regard for languages."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._languages = np.array([language(chunk.text) for chunk in chunks])
        terms = [
            indexed_terms(chunk.heading, chunk.text, written)
            for chunk, written in zip(chunks, self._languages.tolist(), strict=True)
        ]
        self._bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
        self._bm25.index(terms, show_progress=False)

    def scores(self, question: str) -> NDArray[np.float32]:
        spoken = languages(question)
        # Of terms that are nowhere, it would make an error.
        known = [term for term in telling_terms(question, spoken) if term in self._bm25.vocab_dict]
        scores = self._bm25.get_scores(known) if known else np.zeros(len(self._languages), np.float32)
        is_foreign = (self._languages != "") & (self._languages != spoken[0]) if spoken else False
        return np.where(is_foreign, OTHER_LANGUAGE * scores, scores)


def _sources(chunks: Mapping[int, Chunk], scores: Scores) -> list[str]:
    return list(dict.fromkeys(str(chunks[chunk].metadata["source"]) for chunk in scores))


def _correlation(ours: Scores, theirs: Scores) -> float:
    """Spearman's, over the chunks that `bm25s` has first; those that we lack come last."""
    one, other = (_ranks([scores.get(chunk, 0.0) for chunk in theirs]) for scores in (ours, theirs))
    spread = math.sqrt((one @ one) * (other @ other))
    return float(one @ other) / spread if spread else 1.0


def _ranks(scores: Sequence[float]) -> NDArray[np.float64]:
    """From the lowest, about their mean; equal scores share a rank."""
    rounded = [float(f"{score:.5g}") for score in scores]
    _, places, counts = np.unique(rounded, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[places]
    ranks -= ranks.mean()
    return ranks


# --- Something to search ----------------------------------------------------------------------


@asynccontextmanager
async def indexed(
    pool: Pool, space: Space, collection: Collection
) -> AsyncIterator[tuple[PgVectorDB, dict[int, Chunk]]]:
    """The collection in Postgres, and its chunks by their ids."""
    library, versions = await asyncio.to_thread(_make_rows, collection)
    database = PgVectorDB(pool, [library.pk], space)
    chunks = [chunk for entry in collection.corpus for chunk in _chunks(entry, library, versions[entry["id"]])]
    for start in range(0, len(chunks), 512):
        members = chunks[start : start + 512]
        await database.add(members, [np.ones((1, 1), np.float32)] * len(members))
    await merge(pool, library.pk)
    async with pool.connection() as connection:
        rows = await connection.execute("SELECT version_id, position, id FROM documents_chunk ORDER BY id")
        ids = {(version, position): chunk for version, position, chunk in await rows.fetchall()}
    yield database, {ids[chunk.metadata["version"], chunk.metadata["chunk_id"]]: chunk for chunk in chunks}
    await asyncio.to_thread(library.delete)


def _make_rows(collection: Collection) -> tuple[Library, dict[str, int]]:
    library = Library.objects.create(name="Bench")
    documents = Document.objects.bulk_create(
        Document(library=library, source=entry["id"], name=entry["id"][:255]) for entry in collection.corpus
    )
    versions = Version.objects.bulk_create(Version(document=document, bytes=0) for document in documents)
    for document, version in zip(documents, versions, strict=True):
        document.current = version
    Document.objects.bulk_update(documents, ["current"], batch_size=1_000)
    return library, {version.document.source: version.pk for version in versions}


def _chunks(entry: Entry, library: Library, version: int) -> list[Chunk]:
    about = {"source": entry["id"], "title": entry.get("title", ""), "library": library.pk, "version": version}
    return chunk_document(entry["text"], metadata=about)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
