"""Who writes the answer: a chat model, or nobody, and then the sources are quoted."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np

from documents.rag.answerability import doubt
from documents.rag.errors import FootnoteError
from documents.rag.followups import standalone
from documents.rag.prompts import NOT_FOUND, chat_messages, messages_without_sources
from documents.rag.sentences import sentences, without_bullet
from documents.rag.terms import telling_terms
from documents.rag.types import LLM, PAGE_BREAK, EmbeddingModel, Evidence, Passage, Passages, Piece, Prompt, Question


class LLMWriter:
    """Lets a chat model write, from the numbered passages alone."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    async def write(self, question: Question, passages: Passages) -> AsyncIterator[Prompt | Piece]:
        """What is sent, then the answer's Markdown in pieces; its markers count the passages found from 1."""
        if passages.evidence is Evidence.NONE:
            messages = messages_without_sources(question)
        else:
            messages = chat_messages(question, passages.found)
        yield Prompt(messages[-1]["content"])
        async with aclosing(self._llm.stream(messages)) as pieces:
            async for piece in pieces:
                yield piece


ANSWERED_FROM = 0.52
"""Closeness (cosine + .3 × overlap, less what speaks against it) of the best sentence, from which it is an answer. At
this value 92–97 % of answerable questions are answered, and 98–100 % of those that no document is about are refused
(1249 questions over five sets, docs/benchmarks.md); of those that a document on the topic doesn't answer, 14 %."""

_QUOTES = 3
_CANDIDATES = 40
_SHORTEST = 20
_LONGEST = 600
_LONGEST_HEADING = 100


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that may be quoted, the line it stands under, its passage, and what it shares with the question."""

    text: str
    heading: str
    passage: int
    overlap: float

    @property
    def in_context(self) -> str:
        return f"{self.heading} {self.text}".lstrip()


class QuotingWriter:
    """Quotes the sentences that come closest to the question: what can be said honestly without a chat model.

    A sentence's closeness is its cosine with the question, read under its heading, + .3 × the share of the question's
    rare words that it holds; its passage's rank adds .1 / rank to its score.
    """

    def __init__(self, embedding_model: EmbeddingModel) -> None:
        self._embedding_model = embedding_model

    async def write(self, question: Question, passages: Passages) -> AsyncIterator[str]:
        """Up to three quotations as Markdown paragraphs, after NOT_FOUND where none is close enough to answer.

        Where passages were chosen for their themes, each theme with one.
        """
        if passages.themes:
            yield "\n\n".join(_by_theme(passages))
            return
        asked = standalone(question)
        candidates = _candidates(asked, passages.found)
        cosines = await self._cosines(asked, candidates)
        closeness = [cosine + 0.3 * one.overlap for cosine, one in zip(cosines, candidates, strict=True)]
        if await self._is_refused(asked, passages.found, candidates, closeness):
            yield NOT_FOUND + (" The closest passages are:\n\n" if candidates else "")
        scores = [close + 0.1 / (one.passage + 1) for close, one in zip(closeness, candidates, strict=True)]
        best = sorted(range(len(candidates)), key=scores.__getitem__, reverse=True)[:_QUOTES]
        yield "\n\n".join(f"“{_escaped(candidates[i].text)}” [{candidates[i].passage + 1}]" for i in best)

    async def _is_refused(
        self, asked: str, found: Sequence[Passage], candidates: Sequence[_Sentence], closeness: Sequence[float]
    ) -> bool:
        """Whether even the closest sentence is no answer."""
        best = max(range(len(candidates)), key=closeness.__getitem__, default=None)
        if best is None or closeness[best] < ANSWERED_FROM:
            return True
        return closeness[best] - await asyncio.to_thread(doubt, asked, found, candidates[best].text) < ANSWERED_FROM

    async def _cosines(self, question: str, candidates: Sequence[_Sentence]) -> list[float]:
        """Where the embedding model doesn't understand the question, or can't be reached either, words alone decide."""
        if not candidates:
            return []
        if not self._embedding_model.understands(question):
            return [sentence.overlap for sentence in candidates]
        try:
            asked = await self._embedding_model.embed([question], query=True)
            vectors = await self._embedding_model.embed([sentence.in_context for sentence in candidates], query=True)
        except FootnoteError:
            return [sentence.overlap for sentence in candidates]
        return [float(cosine) for cosine in np.asarray(vectors @ asked[0])]


def _by_theme(passages: Passages) -> Iterator[str]:
    """The names of each theme, with the sentence of its passage that says most of them."""
    for number, passage in enumerate(passages.found, 1):
        names = passages.themes.get(passage.chunk, ())
        said = [text for text, _ in _quotable(passage)] or [passage.text[:_LONGEST]]
        best = max(said, key=lambda text: sum(name.casefold() in text.casefold() for name in names))
        if names:
            yield f"**{_escaped(', '.join(names))}**: “{_escaped(best)}” [{number}]"


def _candidates(question: str, passages: Sequence[Passage]) -> list[_Sentence]:
    """The passages' sentences that share most with the question, in the passages' order."""
    wanted = frozenset(telling_terms(question))
    texts = [(text, heading, index) for index, passage in enumerate(passages) for text, heading in _quotable(passage)]
    bags = [wanted.intersection(telling_terms(f"{heading} {text}")) for text, heading, _ in texts]
    counts = Counter(term for bag in bags for term in bag)
    weight = sum(1 / (1 + counts[term]) for term in wanted) or 1.0
    found: dict[str, _Sentence] = {}
    for (text, heading, index), bag in zip(texts, bags, strict=True):
        overlap = sum(1 / (1 + counts[term]) for term in bag) / weight
        found.setdefault(text, _Sentence(text, heading, index, overlap))
    closest = sorted(found.values(), key=lambda one: one.overlap - 0.02 * one.passage, reverse=True)[:_CANDIDATES]
    return sorted(closest, key=lambda one: one.passage)


def _quotable(passage: Passage) -> Iterator[tuple[str, str]]:
    """Each sentence that can stand alone, with the heading or question above it, which can't."""
    heading = passage.heading_path[-1] if passage.heading_path else ""
    for start, end in sentences(passage.text):
        text = passage.text[start:end]
        if _is_heading(text, passage.text[end : end + 2]):
            heading = text
        elif _SHORTEST <= len(statement := without_bullet(text)) <= _LONGEST:
            yield statement, heading


def _is_heading(text: str, after: str) -> bool:
    """Whether a line asks, leads to what comes after it, or stands alone and states nothing."""
    states = text.endswith((".", "!", "…", "。", ";", "|")) or text.startswith("• ") or " | " in text
    return text.endswith(("?", "？", ":")) or (not states and after == PAGE_BREAK and len(text) <= _LONGEST_HEADING)


def _escaped(text: str) -> str:
    """Text as Markdown that shows it as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", re.sub(r"\s+", " ", text))
