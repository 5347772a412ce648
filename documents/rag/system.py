"""The heart: documents in, cited answers out.

A strategy gathers passages; what comes after it (reranking, hydration, writing, citing) is written once, here.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from math import ceil

import numpy as np

from documents.rag.chunking import chunk_document
from documents.rag.citations import CitationTracker
from documents.rag.conflicts import conflicts
from documents.rag.errors import FootnoteError, InvalidDocument, ModelUnavailable
from documents.rag.followups import standalone
from documents.rag.hydration import hydrate
from documents.rag.pipeline import in_order
from documents.rag.prompts import NO_ANSWER, NOBODY_THERE, NOT_FOUND
from documents.rag.queries import without_operators
from documents.rag.reranking import fused
from documents.rag.strategies import find_strategy
from documents.rag.strategies.gathering import gather
from documents.rag.strategies.tools import Tools
from documents.rag.tracing import note_calls
from documents.rag.types import (
    LLM,
    Answer,
    Call,
    Chunk,
    Citation,
    Claim,
    EmbeddingModel,
    Event,
    Evidence,
    Hit,
    Metadata,
    Notice,
    Page,
    Passage,
    Passages,
    Prompt,
    Question,
    Reranker,
    Step,
    Text,
    Thought,
    ToolCall,
    Usage,
    Vector,
    VectorDatabase,
    Verdict,
)
from documents.rag.verification import Verifier
from documents.rag.writing import LLMWriter, QuotingWriter

DEFAULT_STRATEGY = "hybrid"

WHOLE = 100_000
"""Tokens of passages that are put into a prompt at most, where all that there is has room in it."""

RESERVED = 4_000
"""Of a model's context, for the rules, the conversation and the answer; half of a short one."""

UNDER_WAY = 6
"""Batches of one call that are being embedded or stored."""

STORING = 2
"""Of them, those that are being stored: the vector index is the slow part, and several can grow it at once."""


class RAGSystem:
    """Answers questions from documents, with citations.

    Without an LLM, or while it can't be reached, the closest passages are quoted. What an answer states is checked by
    the `verifier`, without one by rules alone. `context_tokens` is how long the passages in a prompt may be together.
    """

    def __init__(
        self,
        embedding_model: EmbeddingModel,
        vector_db: VectorDatabase,
        llm: LLM | None,
        reranker: Reranker | None = None,
        *,
        verifier: Verifier | None = None,
        context_tokens: int = 6000,
    ) -> None:
        self._embedding_model = embedding_model
        self._vector_db = vector_db
        self._llm = llm
        self._reranker = reranker
        self._verifier = verifier or Verifier()
        self._context_tokens = context_tokens

    @property
    def model(self) -> str:
        """Of the chat model that is asked first; empty where there is none."""
        return self._llm.name if self._llm else ""

    # --- Documents in ---------------------------------------------------------------------------

    async def index_documents(self, documents: Sequence[str | Sequence[Page]], metadata: Sequence[Metadata]) -> int:
        """Cut, embed and store documents (texts, or parsed pages); the number of chunks stored.

        Each chunk's metadata is its document's plus `chunk_id`, counted from 0 or from the document's own `chunk_id`.
        Raises InvalidDocument where a metadata is missing or names no `source`; ModelUnavailable, ModelRefused or
        BadVector from the embedding model. What was stored before an error stays.
        """
        _check(documents, metadata)
        stored = [count async for count in self.index(_cut(documents, metadata))]
        return stored[-1] if stored else 0

    async def index(self, cut: AsyncIterable[Sequence[Chunk]]) -> AsyncGenerator[int]:
        """Embed and store chunks as they come; tells each time how many are stored, from the first one on.

        Several batches are under way at a time, so that the endpoint needn't wait for the database, nor one for the
        other's next chunks.
        """
        turn = asyncio.Semaphore(STORING)

        async def add(batch: Sequence[Chunk]) -> int:
            vectors = await self._embed(batch)
            async with turn:
                await self._vector_db.add(batch, vectors)
            return len(batch)

        total = 0
        async with aclosing(in_order(add, _batches(cut, self._embedding_model.batch), UNDER_WAY)) as added:
            async for count in added:
                total += count
                yield total

    async def embed(self, chunks: Sequence[Chunk]) -> list[Vector]:
        """n chunks → n arrays of (windows, dimensions), for those who store them by themselves."""
        size = self._embedding_model.batch
        return [vector for at in range(0, len(chunks), size) for vector in await self._embed(chunks[at : at + size])]

    async def _embed(self, chunks: Sequence[Chunk]) -> list[Vector]:
        """n chunks → n arrays of (windows, dimensions); of equal texts one is embedded, and none that was before."""
        known = dict(await self._vector_db.known({chunk.hash for chunk in chunks}))
        fresh = {chunk.hash: chunk.indexed_text for chunk in chunks if chunk.hash not in known}
        windows = {digest: self._embedding_model.windows(text) for digest, text in fresh.items()}
        if texts := [text for of_chunk in windows.values() for text in of_chunk]:
            vectors = iter(await self._embedding_model.embed(texts))
            known |= {digest: _stacked(vectors, len(of_chunk)) for digest, of_chunk in windows.items()}
        return [known[chunk.hash] for chunk in chunks]

    # --- Answers out ----------------------------------------------------------------------------

    async def query(
        self, user_query: str, top_k: int = 5, rerank_top_n: int = 3, *, strategy: str = DEFAULT_STRATEGY
    ) -> Answer:
        """The answer to a question; `str()` of it is its text.

        `top_k` passages are kept after fusion; with a reranker, `rerank_top_n` of them. Raises UnknownStrategy.
        """
        question = Question(user_query, top_k=top_k, rerank_top_n=rerank_top_n)
        async for event in self.stream(question, strategy=strategy):
            if isinstance(event, Answer):
                return event
        raise AssertionError("a stream ends with its answer")

    async def search(self, question: Question, *, strategy: str = DEFAULT_STRATEGY) -> tuple[Passage, ...]:
        """The passages that an answer would rest on, best first, before hydration."""
        found: tuple[Passage, ...] = ()
        async for event in self.gather(question, strategy):
            if isinstance(event, Passages):
                found = event.found
        return found

    async def stream(
        self, question: Question, *, strategy: str = DEFAULT_STRATEGY, calls: list[Call] | None = None
    ) -> AsyncIterator[Event]:
        """Everything that happens on the way to the answer, as it happens; the Answer comes last.

        What leaves for models is noted in `calls` as well, where that is given, also if the answer is broken off.

        An LLM that fails before its first word is replaced by quotations, after a Notice; one that fails later leaves
        its text in the Answer, with `error`.
        """
        record = _Record(strategy, model=self.model, calls=note_calls(calls))
        async for event in self._events(question, strategy, record):
            yield record.keep(event)
        yield record.answer()

    async def _events(self, question: Question, strategy: str, record: _Record) -> AsyncIterator[Event]:
        passages = Passages(())
        if count := len(question.receipts):
            yield Step("history", f"Telling {_counted(count, 'earlier question')} in short, with what the answers cite")
        async for event in self.gather(question, strategy):
            if not isinstance(event, Passages):
                yield event
                continue
            passages = event
            if event.evidence is Evidence.FOUND:
                passages = replace(event, found=await self.hydrated(event.found))
                yield Step("reading", _reading(passages.found))
            yield passages
        async for written in self._answer(without_operators(question), passages, record):
            yield written

    async def gather(self, question: Question, strategy: str) -> AsyncIterator[Step | Notice | Passages]:
        """What `search` does, as it happens: the Passages come last, and a Notice of what went wrong before."""
        tools = Tools(self._embedding_model, self._vector_db, self._llm, self._room())
        async for event in gather(question, find_strategy(strategy), tools):
            if isinstance(event, Passages) and event.found and event.evidence is Evidence.FOUND and self._reranker:
                async for reranked in self._rerank(self._reranker, without_operators(question), event):
                    yield reranked
            else:
                yield event

    def _room(self) -> int:
        """How many tokens of passages an answer may rest on, where all that there is goes into the prompt."""
        known = self._llm.profile.context_tokens if self._llm else None
        return min(known - min(RESERVED, known // 2), WHOLE) if known else self._context_tokens

    async def hydrated(self, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        """Passages as they would stand in a prompt."""
        return await hydrate(passages, self._vector_db, min(self._context_tokens, self._room()))

    async def _rerank(
        self, reranker: Reranker, question: Question, passages: Passages
    ) -> AsyncIterator[Step | Notice | Passages]:
        count = len(passages.found)
        yield Step("rerank", f"Reading {_counted(count, 'passage')} again, by {reranker.name}")
        try:
            relevance = await reranker.relevance(standalone(question), passages.found)
        except FootnoteError as error:
            yield Notice(f"{error} The passages stand in the order in which they were found.", failure=True)
            yield passages
            return
        order = fused(passages.found, relevance.scores)
        best = tuple(order[: question.rerank_top_n])
        yield Step("reranked", f"Kept the best {len(best)} of {count}", usage=relevance.usage)
        reranked = [Hit(passage.chunk, passage.score) for passage in order]
        yield replace(passages, found=best, lists={**passages.lists, "reranked": reranked})

    async def _answer(self, question: Question, passages: Passages, record: _Record) -> AsyncIterator[Event]:
        tracker = CitationTracker(passages.found)
        try:
            async for piece in self._write(question, passages, record):
                if isinstance(piece, str):
                    for event in await _followed(tracker, piece.replace("\0", ""), passages):
                        yield event
                else:
                    yield piece
        except FootnoteError as error:
            record.error = str(error)
        for event in tracker.finish():
            yield event
        if passages.evidence is not Evidence.NONE:
            async for checked in self._check(tracker, passages.found, record):
                yield checked

    async def _check(
        self, tracker: CitationTracker, found: Sequence[Passage], record: _Record
    ) -> AsyncIterator[Claim | Step | Notice]:
        """What the whole text states, against what it cites; and what it cites, against all that was found."""
        checked = await self._verifier.verify(record.text, tracker.cited)
        record.verdicts = checked.verdicts
        if checked.notice:
            yield Notice(checked.notice, failure=True)
        for conflict in await asyncio.to_thread(conflicts, tracker.citations, found):
            yield Notice(conflict.sentence)
        for claim in checked.claims:
            yield claim
        if checked.claims:
            yield Step("checked", _checking(checked.claims))

    async def _write(
        self, question: Question, passages: Passages, record: _Record
    ) -> AsyncIterator[str | Prompt | Thought | Notice]:
        """The writer's pieces. Raises FootnoteError where the LLM breaks off in the middle."""
        if not passages.found and passages.evidence is not Evidence.NONE:
            yield NOT_FOUND
            return
        if self._llm:
            begun = False
            try:
                async for piece in LLMWriter(self._llm).write(question, passages):
                    begun = begun or bool(piece and isinstance(piece, str))
                    if not isinstance(piece, ToolCall | Usage):
                        yield piece
                record.model = self._llm.name
                if not begun:
                    raise ModelUnavailable(f"The model “{self._llm.name}” sent an empty answer.")
                return
            except FootnoteError as error:
                if begun:
                    raise
                instead = (
                    "" if passages.evidence is Evidence.NONE else " Below, the closest passages are quoted instead."
                )
                yield Notice(f"{error}{instead}", failure=True)
        record.model = ""
        if passages.evidence is Evidence.NONE:
            yield NO_ANSWER if self._llm else NOBODY_THERE
            return
        record.quoted = True
        async for piece in QuotingWriter(self._embedding_model).write(question, passages):
            yield piece


@dataclass(slots=True)
class _Record:
    """What an answer will say of how it came about."""

    strategy: str
    model: str
    calls: list[Call]
    started: float = field(default_factory=time.monotonic)
    events: list[Event] = field(default_factory=list)
    milliseconds: dict[str, int] = field(default_factory=dict)
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)
    quoted: bool = False
    error: str = ""

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Text))

    def keep(self, event: Event) -> Event:
        if isinstance(event, Step):
            event = replace(event, milliseconds=self._elapsed())
        if isinstance(event, Passages):
            self.milliseconds["retrieval"] = self._elapsed()
            self.strategy = event.by or self.strategy
        if isinstance(event, Text):
            self.milliseconds.setdefault("first_text", self._elapsed())
        self.events.append(event)
        return event

    def answer(self) -> Answer:
        text = self.text
        citations = (event for event in self.events if isinstance(event, Citation))
        return Answer(
            text=text,
            strategy=self.strategy,
            passages=next((event.found for event in self.events if isinstance(event, Passages)), ()),
            citations=tuple(replace(one, verdict=self.verdicts.get(one.number)) for one in citations),
            claims=tuple(event for event in self.events if isinstance(event, Claim)),
            steps=tuple(event for event in self.events if isinstance(event, Step)),
            notices=tuple(event for event in self.events if isinstance(event, Notice)),
            thinking="".join(event.text for event in self.events if isinstance(event, Thought)),
            abstained=text.lstrip().startswith(NOT_FOUND),
            quoted=self.quoted,
            model=self.model,
            error=self.error,
            milliseconds=self.milliseconds | {"total": self._elapsed()},
            calls=tuple(self.calls),
        )

    def _elapsed(self) -> int:
        return round((time.monotonic() - self.started) * 1000)


async def _followed(tracker: CitationTracker, piece: str, passages: Passages) -> Iterable[Citation | Text]:
    """What may be shown of an answer with its next piece. Where there is very much to cite, looking takes a while."""
    if passages.evidence is Evidence.WHOLE:
        return await asyncio.to_thread(lambda: list(tracker.feed(piece)))
    return tracker.feed(piece)


def _check(documents: Sequence[object], metadata: Sequence[Metadata]) -> None:
    if isinstance(documents, str) or len(documents) != len(metadata):
        raise InvalidDocument(f"{len(documents)} documents came with {len(metadata)} metadata; each needs its own.")
    for position, of_document in enumerate(metadata):
        if not of_document.get("source"):
            raise InvalidDocument(f"The metadata of document {position} names no “source”; say where it comes from.")


async def _cut(
    documents: Sequence[str | Sequence[Page]], metadata: Sequence[Metadata]
) -> AsyncIterator[Sequence[Chunk]]:
    """The chunks of them all, together."""

    def cut() -> list[Chunk]:
        pairs = zip(documents, metadata, strict=True)
        return [chunk for document, of_document in pairs for chunk in chunk_document(document, metadata=of_document)]

    yield await asyncio.to_thread(cut)


async def _batches(cut: AsyncIterable[Sequence[Chunk]], size: int) -> AsyncIterator[Sequence[Chunk]]:
    """What comes together, in batches of at most `size` chunks and of about the same size."""
    async for chunks in cut:
        step = ceil(len(chunks) / max(ceil(len(chunks) / size), 1))
        for start in range(0, len(chunks), max(step, 1)):
            yield chunks[start : start + step]


def _stacked(vectors: Iterator[Vector], count: int) -> Vector:
    return np.stack([next(vectors) for _ in range(count)])


def _reading(passages: Sequence[Passage]) -> str:
    if not passages:
        return "Found no passage"
    documents = len({passage.source for passage in passages})
    return f"Reading {_counted(len(passages), 'passage')} in {_counted(documents, 'document')}"


def _checking(claims: Sequence[Claim]) -> str:
    told = Counter(claim.verdict for claim in claims)
    verdicts = ", ".join(f"{told[verdict]} {verdict}" for verdict in Verdict if told[verdict])
    return f"Checked {_counted(len(claims), 'statement')}: {verdicts}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
