"""How good a ranking is, by BEIR's conventions: documents by their corpus ids, each at its best chunk's rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

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


def documents(ranking: Sequence[str]) -> list[str]:
    """The documents of ranked chunks, each once, where its best chunk stands."""
    return list(dict.fromkeys(ranking))


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
