"""How good a ranking is, by BEIR's conventions, and at which stage a place was lost that should have been found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from statistics import fmean, quantiles
from typing import TypeVar

from documents.rag.types import Passage, Passages, Span

FIGURES = ("ndcg@10", "recall@5", "recall@10", "recall@100", "mrr", "p50_ms", "p95_ms")
"""What a run comes to, by name, in the order in which it is shown."""

Relevance = Mapping[str, int]
"""Document → how relevant it is to the question; 0 and below is not."""


def ndcg(ranking: Sequence[str], relevant: Relevance, depth: int = 10) -> float:
    """Normalised discounted cumulative gain, 0–1, with linear gain as in trec_eval."""
    gains = [max(relevant.get(document, 0), 0) for document in ranking[:depth]]
    ideal = sorted((gain for gain in relevant.values() if gain > 0), reverse=True)[:depth]
    return _discounted(gains) / _discounted(ideal) if ideal else 0.0


def recall(ranking: Sequence[str], relevant: Relevance, depth: int) -> float:
    """The part of the relevant documents that the first `depth` hold."""
    wanted = {document for document, grade in relevant.items() if grade > 0}
    return len(wanted.intersection(ranking[:depth])) / len(wanted) if wanted else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Relevance) -> float:
    """1 / the rank of the first relevant document; 0 where there is none. Its mean is the MRR."""
    return next((1 / rank for rank, document in enumerate(ranking, 1) if relevant.get(document, 0) > 0), 0.0)


def figures(ranking: Sequence[str], relevant: Relevance) -> dict[str, float]:
    """Every measure of one question's ranking, by name."""
    return {
        "ndcg@10": ndcg(ranking, relevant),
        "recall@5": recall(ranking, relevant, 5),
        "recall@10": recall(ranking, relevant, 10),
        "recall@100": recall(ranking, relevant, 100),
        "mrr": reciprocal_rank(ranking, relevant),
    }


def means(of_questions: Sequence[Mapping[str, float]], milliseconds: Sequence[float]) -> dict[str, float]:
    """The figures of all questions together, and the median and 95th percentile of the time that they took."""
    names = of_questions[0] if of_questions else ()
    times = {f"p{percent}_ms": percentile(milliseconds, percent) for percent in (50, 95)} if milliseconds else {}
    return {name: fmean(of_question[name] for of_question in of_questions) for name in names} | times


def percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


# --- Rankings of what was found ---------------------------------------------------------------


def documents(passages: Iterable[Passage]) -> list[str]:
    """The sources of passages, each once, where its best passage stands: what BEIR ranks."""
    return list(dict.fromkeys(passage.source for passage in passages))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: in which document, and between which characters of it; without a span, anywhere.

    `chunks` are those that hold it, by their keys in the vector database.
    """

    key: str
    document: object
    chunks: Collection[int]
    span: Span | None = None

    def is_in(self, passage: Passage) -> bool:
        """Whether it stands in a passage, or in one which that stands for."""
        return any(
            found.document == self.document and (self.span is None or overlap(self.span, found.spans))
            for found in (passage, *passage.also_in)
        )


def overlap(span: Span, spans: Iterable[Span]) -> bool:
    """Whether one of the spans is about where `span` is: of the shorter of the two, at least half is in the other."""
    return any(
        2 * (min(span.end, other.end) - max(span.start, other.start))
        >= max(min(span.end - span.start, other.end - other.start), 1)
        for other in spans
        if other.page == span.page
    )


def places(passages: Iterable[Passage], wanted: Sequence[Place]) -> list[str]:
    """The keys of the places in passages, each once, where it was found first; for other passages, their chunks."""
    return list(dict.fromkeys(key for passage in passages for key in _keys(passage, wanted)))


def _keys(passage: Passage, wanted: Sequence[Place]) -> list[str]:
    return [place.key for place in wanted if place.is_in(passage)] or [f"chunk {passage.chunk}"]


# --- Why a place was missed -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stage:
    """How many a stage of the retrieval had, and at which rank each place was among them; None is nowhere."""

    length: int
    ranks: tuple[int | None, ...]


def stages(found: Passages, hydrated: Sequence[Passage], wanted: Sequence[Place]) -> dict[str, Stage]:
    """Each stage in its turn: the rankings that were fused and what came of them, what was kept of it, and was read."""
    of_chunks = {
        name: _stage([hit.chunk for hit in hits], wanted, lambda place, chunk: chunk in place.chunks)
        for name, hits in found.lists.items()
    }
    of_passages = {
        name: _stage(passages, wanted, Place.is_in)
        for name, passages in (("found", found.found), ("hydrated", hydrated))
    }
    return of_chunks | of_passages


Item = TypeVar("Item")


def _stage(items: Sequence[Item], wanted: Sequence[Place], holds: Callable[[Place, Item], bool]) -> Stage:
    ranks = (next((rank for rank, item in enumerate(items, 1) if holds(place, item)), None) for place in wanted)
    return Stage(len(items), tuple(ranks))
