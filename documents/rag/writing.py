"""Who writes the answer: a chat model, or nobody, and then the sources are quoted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

from documents.rag.errors import FootnoteError
from documents.rag.lexical import terms
from documents.rag.prompts import NOT_FOUND, chat_messages
from documents.rag.sentences import sentences
from documents.rag.types import LLM, EmbeddingModel, Passage, Question, Usage


class LLMWriter:
    """Lets a chat model write, from the numbered passages alone."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm

    def write(self, question: Question, passages: Sequence[Passage]) -> AsyncIterator[str | Usage]:
        """The answer's Markdown in pieces; its markers count `passages` from 1."""
        return self._llm.stream(chat_messages(question, passages))


ANSWERED_FROM = 0.45
"""Cosine of question and best sentence from which a passage counts as an answer. At this value 87–97 % of answerable
questions are answered and 94 % of those that no document is about are refused (SQuAD 2.0, ClapNQ); whether a document
on the topic really answers, it can't tell."""

_QUOTES = 3
_CANDIDATES = 40
_SHORTEST = 20
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    passage: int
    overlap: float


class QuotingWriter:
    """Quotes the sentences that come closest to the question: what can be said honestly without a chat model.

    A sentence's score is its cosine with the question + .3 × the share of the question's rare words that it holds
    + .1 / its passage's rank.
    """

    def __init__(self, embedding_model: EmbeddingModel) -> None:
        self._embedding_model = embedding_model

    async def write(self, question: Question, passages: Sequence[Passage]) -> AsyncIterator[str | Usage]:
        """Up to three quotations as Markdown paragraphs, after NOT_FOUND where none is close enough to answer."""
        candidates = _candidates(question.text, passages)
        cosines = await self._cosines(question.text, candidates)
        if not candidates or max(cosines) < ANSWERED_FROM:
            yield NOT_FOUND + (" The closest passages are:" if candidates else "")
        scores = [
            cosine + 0.3 * sentence.overlap + 0.1 / (sentence.passage + 1)
            for cosine, sentence in zip(cosines, candidates, strict=True)
        ]
        best = sorted(range(len(candidates)), key=scores.__getitem__, reverse=True)[:_QUOTES]
        for index in best:
            yield f"\n\n“{_escaped(candidates[index].text)}” [{candidates[index].passage + 1}]"

    async def _cosines(self, question: str, candidates: Sequence[_Sentence]) -> list[float]:
        """Where the embedding model can't be reached either, words alone decide."""
        if not candidates:
            return []
        try:
            asked = await self._embedding_model.embed([question], query=True)
            vectors = await self._embedding_model.embed([sentence.text for sentence in candidates], query=True)
        except FootnoteError:
            return [sentence.overlap for sentence in candidates]
        return [float(cosine) for cosine in np.asarray(vectors @ asked[0])]


def _candidates(question: str, passages: Sequence[Passage]) -> list[_Sentence]:
    """The passages' sentences that share most with the question, in the passages' order."""
    bags = [[(text, frozenset(terms(text))) for text in _quotable(passage)] for passage in passages]
    wanted = frozenset(terms(question))
    counts = {term: 1 + sum(term in bag for passage in bags for _, bag in passage) for term in wanted}
    weight = sum(1 / count for count in counts.values()) or 1.0
    found = {
        text: _Sentence(text, index, sum(1 / counts[term] for term in bag & wanted) / weight)
        for index, passage in reversed(list(enumerate(bags)))
        for text, bag in passage
    }
    closest = sorted(found.values(), key=lambda one: one.overlap - 0.02 * one.passage, reverse=True)[:_CANDIDATES]
    return sorted(closest, key=lambda one: one.passage)


def _quotable(passage: Passage) -> list[str]:
    found = (passage.text[start:end] for start, end in sentences(passage.text))
    return [text for text in found if _SHORTEST <= len(text) <= _LONGEST]


def _escaped(text: str) -> str:
    """Text as Markdown that shows it as it is, on one line."""
    return re.sub(r"([\\`*_\[\]<>#|~])", r"\\\1", re.sub(r"\s+", " ", text))
