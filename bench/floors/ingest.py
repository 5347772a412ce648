"""The floor of an ingest: `python -m bench.floors.ingest DATABASE_URL MODEL_PORT FILE…` prints its seconds.

Cut by tokens, embed in batches, count words, make lexemes (`to_tsvector`), COPY under a vector index that holds the
product's own vectors already: nothing is parsed, checked, resumed or shown. Two batches are under way at a time.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import struct
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx2
import numpy as np
from pgvector import HalfVector
from pgvector.psycopg import register_vector_async
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from bench.model_server import DIMENSIONS, EMBEDDING_MODEL
from documents.rag.tokens import encoding

SIZE, OVERLAP, BATCH = 512, 50, 128

_WORD = re.compile(r"\w+")
_SCHEMA = f"""
DROP SCHEMA IF EXISTS bench_floor CASCADE;
CREATE SCHEMA bench_floor;
CREATE TABLE bench_floor.chunk (id bigint PRIMARY KEY, text text, vector halfvec({DIMENSIONS}),
    lexemes tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED);
INSERT INTO bench_floor.chunk (id, text, vector) SELECT -id, '', vector FROM documents_embedding;
CREATE INDEX ON bench_floor.chunk USING hnsw (vector halfvec_cosine_ops) WITH (m = 12, ef_construction = 40);
CREATE TABLE bench_floor.posting (term text COLLATE "C", batch bigint, packed bytea, PRIMARY KEY (term, batch));
"""

Batch = list[tuple[int, str]]
"""Chunks with their numbers."""


async def ingest(database: str, model: httpx2.AsyncClient, texts: Sequence[str]) -> None:
    batches = _batches(list(_chunks(texts)))
    async with await _connect(database) as one, await _connect(database) as other:
        await asyncio.gather(*(_work(connection, model, batches) for connection in (one, other)))


async def _connect(database: str) -> AsyncConnection[TupleRow]:
    connection = await AsyncConnection.connect(database, autocommit=True)
    await register_vector_async(connection)
    return connection


def _chunks(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        tokens = encoding().encode_ordinary(text)
        yield from (encoding().decode(tokens[at : at + SIZE]) for at in range(0, len(tokens), SIZE - OVERLAP))


def _batches(chunks: Sequence[str]) -> Iterator[Batch]:
    numbered = list(enumerate(chunks))
    yield from (numbered[at : at + BATCH] for at in range(0, len(numbered), BATCH))


async def _work(connection: AsyncConnection[TupleRow], model: httpx2.AsyncClient, batches: Iterator[Batch]) -> None:
    for batch in batches:
        body = {"model": EMBEDDING_MODEL, "input": [text for _, text in batch], "encoding_format": "base64"}
        reply = await model.post("/embeddings", json=body)
        vectors = [np.frombuffer(base64.b64decode(one["embedding"]), dtype="<f4") for one in reply.json()["data"]]
        async with connection.transaction(), connection.cursor() as cursor:
            async with cursor.copy("COPY bench_floor.chunk (id, text, vector) FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("int8", "text", "halfvec"))
                for (number, text), vector in zip(batch, vectors, strict=True):
                    await copy.write_row((number, text, HalfVector(vector)))
            async with cursor.copy("COPY bench_floor.posting FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("text", "int8", "bytea"))
                for term, packed in _postings(batch).items():
                    await copy.write_row((term, batch[0][0], bytes(packed)))


def _postings(batch: Batch) -> dict[str, bytearray]:
    found: dict[str, bytearray] = defaultdict(bytearray)
    for number, text in batch:
        counts = Counter(_WORD.findall(text.lower()))
        for term, count in counts.items():
            found[term] += struct.pack("<IHH", number, count, min(len(counts), 65_535))
    return found


async def main(database: str, port: str, texts: Sequence[str]) -> None:
    async with await AsyncConnection.connect(database, autocommit=True) as connection:
        await connection.execute(_SCHEMA.encode())
        encoding()
        started = time.monotonic()
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}/v1", timeout=60) as model:
            await ingest(database, model, texts)
        print(json.dumps({"seconds": time.monotonic() - started, "cpu": time.process_time()}))
        await connection.execute("DROP SCHEMA bench_floor CASCADE")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], [Path(file).read_text() for file in sys.argv[3:]]))
