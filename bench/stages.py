"""What each stage of an ingest takes alone, in seconds and in processor seconds, and embedding beside a bare loop.

Runs within a filled data folder: `manage.py shell --data … --command "from bench.stages import main; main('FILE')"`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import aiohttp
import numpy as np
import psutil
from django.conf import settings

from bench.model_server import DIMENSIONS, EMBEDDING_MODEL
from documents import wiring
from documents.mentions import name
from documents.models import Document, Library, Version
from documents.rag.chunking import chunk_document
from documents.rag.duplicates import signature
from documents.rag.embedding import OpenAIEmbedding
from documents.rag.entities import mentions
from documents.rag.language import language
from documents.rag.lexical import indexed_terms, pack
from documents.rag.parsing.reading import read
from documents.rag.requests import IN_FLIGHT, TEXTS
from documents.rag.system import STORING
from documents.rag.types import Chunk, Metadata, Page, Vector
from documents.vector_db import PgVectorDB, live_space
from documents.wiring import Wiring

ROUNDS = 5
STORE = "store, with these three and names"
WHOLE = ("parse", "chunk", "embed", STORE)
"""What an ingest consists of."""

Stages = dict[str, dict[str, float]]


def main(file: str) -> None:
    """Print them as JSON."""
    library = Library.objects.create(name="Stages")
    document = Document.objects.create(library=library, name="stages.txt")
    version = Version.objects.create(document=document, media_type="text/plain", bytes=0)
    about = {"library": library.pk, "version": version.pk, "source": "stages.txt", "title": "Stages"}
    print(json.dumps(asyncio.run(_measure(Path(file), about))))
    library.delete()


async def _measure(path: Path, about: Metadata) -> dict[str, object]:
    stages: Stages = {}
    async with wiring.open_system() as opened:
        with _timed(stages, "parse"):
            pages = [item async for item in read(path, "text/plain", name=path.name) if isinstance(item, Page)]
        with _timed(stages, "chunk"):
            chunks = chunk_document(pages, metadata=about)
        texts = [chunk.indexed_text for chunk in chunks]
        model = OpenAIEmbedding(opened.client, opened.session, EMBEDDING_MODEL, DIMENSIONS)
        with _timed(stages, "embed"):
            vectors = await model.embed(texts)
        with _timed(stages, "postings"):
            pack({place: indexed_terms(chunk.heading, chunk.text, "en") for place, chunk in enumerate(chunks)})
        with _timed(stages, "signature"):
            list(map(signature, chunks))
        with _timed(stages, "language"):
            [language(chunk.text) for chunk in chunks]
        with _timed(stages, STORE):
            await _store(opened, chunks, vectors)
        whole = sum(stages[part]["seconds"] for part in WHOLE)
        await _forget_names(opened, about["library"])
        with _timed(stages, "names"):
            await _name(opened, chunks)
        shares = [await _share_of_bare_loop(model, texts) for _ in range(ROUNDS)]
    names = stages["names"]["seconds"]
    return {
        "chunks": len(chunks),
        "stages": stages,
        "embedding": median(shares),
        "shares": shares,
        "names": names / (whole - names),
    }


async def _store(opened: Wiring, chunks: Sequence[Chunk], vectors: Vector) -> None:
    space = await live_space(opened.pool)
    assert space is not None
    database = PgVectorDB(opened.pool, [chunks[0].metadata["library"]], space)
    turn = asyncio.Semaphore(STORING)

    async def add(start: int) -> None:
        end = start + OpenAIEmbedding.batch
        async with turn:
            await database.add(chunks[start:end], list(vectors[start:end, None]))

    await asyncio.gather(*map(add, range(0, len(chunks), OpenAIEmbedding.batch)))


async def _forget_names(opened: Wiring, library: int) -> None:
    async with opened.pool.connection() as connection:
        await connection.execute("DELETE FROM documents_mention WHERE library_id = %s", [library])


async def _name(opened: Wiring, chunks: Sequence[Chunk]) -> None:
    """Find and store all names, one chunk after the other."""
    about = chunks[0].metadata
    async with opened.pool.connection() as connection, connection.transaction():
        rows = await connection.execute(_IDS, [about["version"]])
        ids = [number for (number,) in await rows.fetchall()]
        await name(connection, about["library"], dict(zip(ids, map(mentions, chunks), strict=True)))


_IDS = "SELECT id FROM documents_chunk WHERE version_id = %s ORDER BY position"


# --- Embedding --------------------------------------------------------------------------------


async def _share_of_bare_loop(model: OpenAIEmbedding, texts: Sequence[str]) -> float:
    """The model's rate as a share of the bare loop's, one after the other."""
    started = time.perf_counter()
    await model.embed(texts)
    ours = time.perf_counter() - started
    started = time.perf_counter()
    await _bare(texts)
    return (time.perf_counter() - started) / ours


async def _bare(texts: Sequence[str]) -> None:
    """The same requests, as many at a time, and nothing checked."""
    batches = iter([list(texts[at : at + TEXTS]) for at in range(0, len(texts), TEXTS)])

    async def work(session: aiohttp.ClientSession) -> None:
        for batch in batches:
            body = {"model": EMBEDDING_MODEL, "input": batch, "encoding_format": "base64"}
            async with session.post(f"{settings.OPENAI_BASE_URL}/embeddings", json=body) as reply:
                content = json.loads(await reply.read())
            np.stack([np.frombuffer(base64.b64decode(one["embedding"]), dtype="<f4") for one in content["data"]])

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(work(session) for _ in range(IN_FLIGHT)))


# --- Time -------------------------------------------------------------------------------------


@contextmanager
def _timed(stages: Stages, name: str) -> Iterator[None]:
    started, cpu, postgres = time.perf_counter(), sum(os.times()[:4]), _postgres()
    yield
    stages[name] = {
        "seconds": round(time.perf_counter() - started, 3),
        "cpu": round(sum(os.times()[:4]) - cpu, 2),
        "cpu of Postgres": round(_postgres() - postgres, 2),
    }


def _postgres() -> float:
    """Processor seconds of the data folder's Postgres so far."""
    folder = str(settings.DATA_DIR / "postgres")
    servers = (one for one in psutil.process_iter(["name", "cwd"]) if one.info["name"] == "postgres")
    return sum(sum(one.cpu_times()[:4]) for one in servers if one.info["cwd"] == folder)
