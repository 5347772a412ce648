"""From settings to a RAGSystem: the only place where models and databases are chosen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.request import getproxies
from weakref import WeakKeyDictionary

from aiohttp import ClientSession, TCPConnector
from django.conf import settings
from httpx2 import create_ssl_context
from openai import AsyncOpenAI, DefaultAioHttpClient
from psycopg.errors import UniqueViolation
from psycopg_pool import AsyncConnectionPool

from documents.endpoints import embeds_outside, is_own
from documents.rag import known_models
from documents.rag.embedding import CachedEmbedding, LocalEmbedding, OpenAIEmbedding, PrefixedEmbedding, WordsOnly
from documents.rag.fallover import FallOver
from documents.rag.lexical import BM25
from documents.rag.llm import ChatModel
from documents.rag.metering import Allowance, Metered
from documents.rag.reranking import EndpointReranker, ListwiseReranker
from documents.rag.system import RAGSystem
from documents.rag.types import LLM, EmbeddingModel, ModelProfile, Reranker
from documents.rag.verification import Verifier
from documents.vector_db import MOST_DIMENSIONS, Connection, PgVectorDB, Pool, Space, add_space, configure

CONNECTIONS = 8
"""Postgres connections of one event loop, for searching and indexing."""

WAIT = 15.0
"""Seconds to wait for one of them before Postgres counts as unreachable."""

ALIVE = 1.0
"""Seconds for which a connection that was given out counts as alive; asking it each time is a second round trip."""

NO_KEY = "none"
"""What an endpoint that wants no key is sent: the client falls back on another endpoint's key otherwise."""

_IN_FORCE = """
SELECT space.id, space.model, space.dimensions, space.full_dimensions, space.query_prefix, space.passage_prefix,
    EXISTS (SELECT FROM documents_library WHERE id = ANY(%(libraries)s::bigint[]) AND own_endpoints_only),
    ARRAY(
        SELECT DISTINCT chat_model FROM documents_library
        WHERE id = ANY(%(libraries)s::bigint[]) AND chat_model <> ''
    ),
    ARRAY(SELECT row_to_json(endpoint) FROM documents_endpoint AS endpoint WHERE active ORDER BY position, id)
FROM (SELECT) AS nothing LEFT JOIN documents_embeddingspace AS space ON space.state = 'live'
"""

_STAYS = "Text of a library for own endpoints only may not go to {model}, which is external. Embed by one of your own."

_open: dict[asyncio.AbstractEventLoop, Wiring] = {}


@asynccontextmanager
async def open_system() -> AsyncIterator[Wiring]:
    """Everything that belongs to this event loop: opened once, found again by `current`."""
    loop = asyncio.get_running_loop()
    pool: Pool = AsyncConnectionPool(
        settings.DATABASE_URL,
        min_size=0,
        max_size=CONNECTIONS,
        timeout=WAIT,
        configure=configure,
        check=_check_of_idle(),
        open=False,
    )
    # Half the processor time a token, and two thirds a request, of the default one.
    client = AsyncOpenAI(
        api_key=settings.OPENAI_API_KEY or NO_KEY,
        base_url=settings.OPENAI_BASE_URL,
        http_client=DefaultAioHttpClient(),
    )
    # Only where there is a proxy: one is looked for at each request, which costs a third of it.
    session = ClientSession(connector=TCPConnector(ssl=create_ssl_context()), trust_env=bool(getproxies()))
    async with client, session, pool:
        _open[loop] = Wiring(pool, client, session)
        try:
            yield _open[loop]
        finally:
            del _open[loop]


def _check_of_idle() -> Callable[[Connection], Awaitable[None]]:
    """Asks a pool's connection whether it is alive, where it has not just been used."""
    given_out = WeakKeyDictionary[Connection, float]()

    async def check(connection: Connection) -> None:
        if time.monotonic() - given_out.get(connection, 0.0) > ALIVE:
            await AsyncConnectionPool.check_connection(connection)
        given_out[connection] = time.monotonic()

    return check


def current() -> Wiring:
    """What was opened for the running event loop."""
    return _open[asyncio.get_running_loop()]


@dataclass(frozen=True, slots=True)
class _Force:
    """What is chosen now: the live space, whether text must stay with the team, and the rows of chat models.

    `preferred` are the models that the libraries name.
    """

    space: Space | None
    stays: bool
    preferred: Sequence[str]
    endpoints: Sequence[Mapping[str, Any]]


def _profile(row: Mapping[str, Any]) -> ModelProfile:
    return ModelProfile(**{field.name: row[field.name] for field in fields(ModelProfile)})


class Wiring:
    """The collaborators of one event loop, and the systems made of them."""

    def __init__(self, pool: Pool, client: AsyncOpenAI, session: ClientSession) -> None:
        self.pool = pool
        self.client = client
        self.session = session
        self._local = LocalEmbedding()
        self._models: dict[Space, EmbeddingModel] = {}
        self._failed: dict[str, float] = {}
        self._endpoint_reranker = self._reranking_endpoint()

    async def system(
        self,
        libraries: Sequence[int],
        *,
        cache: Path | None = None,
        space: Space | None = None,
        rerank: bool = True,
        model: str = "",
        allowance: Allowance | None = None,
        stays: bool = False,
    ) -> RAGSystem:
        """A system over these libraries, by the live space's embedding model and the chat models in force.

        Where there is no space yet it is made, for EMBEDDING_MODEL or the model that is installed. Vectors are kept
        in the directory `cache`, where one is given. With a `space`, it is by that one's model instead. Where a
        reranker is configured it is used, unless `rerank` is false. The chat model called `model` is asked first, else
        the one that the libraries agree on, and for no more than its `allowance`; where nothing is left of that, there
        is none. Where one of the libraries is for own endpoints only, or the text `stays` for what was said before,
        no other takes part.
        """
        force = await self._in_force(libraries)
        force = replace(force, stays=force.stays or stays)
        space = space or force.space or await self._first_space()
        database = self._database(libraries, space)
        llm = self._llm(force, model, allowance)
        reranker = self._reranker(llm, stays=force.stays) if rerank else None
        embedding_model = self._embedding_model(space, cache)
        if force.stays and embeds_outside(space.model):
            embedding_model = WordsOnly(embedding_model, _STAYS.format(model=space.model))
        return RAGSystem(
            embedding_model,
            database,
            llm,
            reranker,
            verifier=self.verifier(llm),
            context_tokens=settings.CONTEXT_TOKENS,
        )

    def verifier(self, llm: LLM | None = None) -> Verifier:
        """By the installed embedding model, whatever is in use otherwise: its thresholds are for that one."""
        return Verifier(self._local, llm if settings.VERIFY_BY_CHAT_MODEL else None)

    async def llm(self, libraries: Sequence[int], allowance: Allowance | None = None) -> LLM | None:
        """What would answer from these libraries, by itself."""
        return self._llm(await self._in_force(libraries), allowance=allowance)

    async def reranker(self) -> Reranker | None:
        """What is configured; a chat model, where none is connected, is nothing."""
        return self._reranker(self._llm(await self._in_force()))

    def _reranker(self, llm: LLM | None, *, stays: bool = False) -> Reranker | None:
        if self._endpoint_reranker and not (stays and not is_own(settings.RERANK_URL)):
            return self._endpoint_reranker
        return ListwiseReranker(llm) if settings.RERANK_BY_CHAT_MODEL and llm else None

    def _reranking_endpoint(self) -> Reranker | None:
        """Kept, as it learns which kind of endpoint it is."""
        if not settings.RERANK_URL:
            return None
        base_url = settings.RERANK_URL.rstrip("/").removesuffix("/rerank")
        client = self.client.with_options(base_url=base_url, api_key=settings.RERANK_API_KEY or NO_KEY)
        profile = ModelProfile(prompt_price=settings.RERANK_PRICE, own=is_own(settings.RERANK_URL))
        return EndpointReranker(client, self.session, settings.RERANK_MODEL, profile)

    async def database(self, libraries: Sequence[int]) -> PgVectorDB:
        """The index of these libraries by itself."""
        force = await self._in_force()
        return self._database(libraries, force.space or await self._first_space())

    def _database(self, libraries: Sequence[int], space: Space) -> PgVectorDB:
        return PgVectorDB(self.pool, libraries, space, bm25=BM25(settings.BM25_K1, settings.BM25_B))

    async def embedding_model(self, space: Space | None = None) -> EmbeddingModel:
        """The model of a space, else the live one's; before there is a space, the one that it would be made for."""
        if space is None:
            space = (await self._in_force()).space
        return self._embedding_model(space or await self._configured())

    async def _in_force(self, libraries: Sequence[int] = ()) -> _Force:
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_IN_FORCE, {"libraries": list(libraries)})).fetchone()
        assert row is not None
        *space, stays, preferred, endpoints = row
        return _Force(Space(*space) if space[0] else None, stays, preferred, endpoints)

    def _llm(self, force: _Force, first: str = "", allowance: Allowance | None = None) -> LLM | None:
        """The environment's model and those that administrators connected, as one; none: answers are quotations."""
        models = [each for each in self._chat_models(force.endpoints) if each.profile.own or not force.stays]
        if not first and len(force.preferred) == 1:
            [first] = force.preferred
        models.sort(key=lambda each: each.name != first)
        llm = FallOver(models, self._failed) if len(models) > 1 else models[0] if models else None
        if llm and allowance:
            return Metered(llm, allowance) if allowance.left > 0 else None
        return llm

    def _chat_models(self, endpoints: Sequence[Mapping[str, Any]]) -> Iterator[ChatModel]:
        """What is in a row of the environment's own model is known of that one."""
        here = settings.OPENAI_BASE_URL, settings.CHAT_MODEL
        known = {(row["base_url"], row["chat_model"]): row for row in endpoints}
        if settings.CHAT_MODEL:
            row = known.pop(here, None)
            profile = _profile(row) if row else ModelProfile(own=is_own(settings.OPENAI_BASE_URL))
            yield ChatModel(self.client, settings.CHAT_MODEL, profile)
        for row in known.values():
            client = self.client.with_options(base_url=row["base_url"], api_key=row["api_key"] or NO_KEY)
            yield ChatModel(client, row["chat_model"], _profile(row))

    async def draft(self, model: str, dimensions: int | None = None) -> Space:
        """What a space of a model is to be; it has no id yet, and its vectors are shortened where they must be.

        The model is the installed one, if that is its name, or one of the endpoint's, which is asked for a vector.
        Raises WrongDimensions, and what is wrong with the model.
        """
        full = LocalEmbedding.dimensions
        if model != LocalEmbedding.name:
            full = (await OpenAIEmbedding.probe(self.client, self.session, model)).dimensions
        kept = known_models.dimensions(model, full, dimensions, MOST_DIMENSIONS)
        words = known_models.known(model)
        space = Space(0, model, kept, full if kept < full else None, words.query, words.passage)
        if kept < full and (await self._model(space).embed(["dimensions"], query=True)).shape[1] != kept:
            raise known_models.WrongDimensions(f"The vectors of {model} can't be shortened.")
        return space

    async def _configured(self) -> Space:
        return await self.draft(settings.EMBEDDING_MODEL or LocalEmbedding.name)

    async def _first_space(self) -> Space:
        draft = await self._configured()
        try:
            return await add_space(self.pool, draft, "live")
        except UniqueViolation:  # Another process was faster.
            space = (await self._in_force()).space
            assert space is not None
            return space

    def _embedding_model(self, space: Space, cache: Path | None = None) -> EmbeddingModel:
        """The model that makes the vectors of `space`."""
        model = self._model(space)
        if cache:  # Shortened vectors are others than the model's own.
            model = CachedEmbedding(model, cache / str(space.dimensions) if space.full_dimensions else cache)
        if space.query_prefix or space.passage_prefix:
            model = PrefixedEmbedding(model, space.query_prefix, space.passage_prefix)
        return model

    def _model(self, space: Space) -> EmbeddingModel:
        """Kept, as it may be large."""
        if space not in self._models:
            if space.model == LocalEmbedding.name:
                self._models[space] = self._local
            else:
                self._models[space] = OpenAIEmbedding(
                    self.client,
                    self.session,
                    space.model,
                    space.dimensions,
                    full_dimensions=space.full_dimensions,
                    profile=ModelProfile(prompt_price=settings.EMBEDDING_PRICE, own=is_own(settings.OPENAI_BASE_URL)),
                )
        return self._models[space]
