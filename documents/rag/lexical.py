"""BM25 over packed postings of terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from documents.rag.terms import terms
from documents.rag.types import Hit

HEADING = 2
"""How often each term of a chunk's title and headings counts."""

OTHER_LANGUAGE = 0.7
"""What a chunk's score is worth where it is certainly not in the question's language."""

POSTING = np.dtype([("chunk", "<u4"), ("frequency", "<u2"), ("length", "<u2")])
"""A term in a chunk: the chunk's id, how often the term is in it, and the chunk's terms in all."""

_MOST = 65_535
"""What a posting's numbers can be at most."""

_SPREAD = 16

EVERY_CHUNK = ""
"""The term whose postings, of frequency 0, list all chunks, those without a word as well."""

Postings = NDArray[np.void]


K1, B = 1.2, 0.75


@dataclass(frozen=True, slots=True)
class BM25:
    """How soon more of a word counts no more, and how much long texts are held back (Robertson & Zaragoza, 2009)."""

    k1: float = K1
    b: float = B


BY_DEFAULT = BM25()


def indexed_terms(heading: str, text: str, language: str) -> list[str]:
    """The terms of a chunk, with repeats; those of its heading line have more weight."""
    return HEADING * terms(heading, language) + terms(text, language)


def pack(chunks: Mapping[int, Iterable[str]]) -> dict[str, Postings]:
    """Chunk id → its terms, to term → its postings, by chunk id."""
    counted = {chunk: Counter(found) for chunk, found in sorted(chunks.items())}
    lengths = [counts.total() for counts in counted.values()]
    for counts in counted.values():
        counts[EVERY_CHUNK] = 0
    # All postings in one array, by chunk, and from there by term: each alone would cost four times as much.
    sizes = [len(counts) for counts in counted.values()]
    found = list(chain.from_iterable(counted.values()))
    places = {term: place for place, term in enumerate(dict.fromkeys([EVERY_CHUNK, *found]))}
    rows = np.empty(len(found), POSTING)
    rows["chunk"] = np.repeat(np.array(list(counted), np.uint32), sizes)
    rows["frequency"] = np.minimum(list(chain.from_iterable(each.values() for each in counted.values())), _MOST)
    rows["length"] = np.repeat(np.minimum(lengths, _MOST), sizes)
    of_term = np.fromiter(map(places.__getitem__, found), np.int32, len(found))
    rows = rows[np.argsort(of_term, kind="stable")]
    ends = np.cumsum(np.bincount(of_term, minlength=len(places))).tolist()
    return {term: rows[start:end] for term, start, end in zip(places, [0, *ends], ends, strict=False)}


def score(
    question: Sequence[str],
    postings: Mapping[str, Postings],
    *,
    chunks: int,
    average_length: float,
    limit: int,
    among: NDArray[np.int64] | None = None,
    bm25: BM25 = BY_DEFAULT,
) -> list[Hit]:
    """The `limit` best of all chunks that hold a term of the question, best first, by BM25 as Lucene has it.

    `chunks` and `average_length` are of all that was searched. Only chunks `among` these are told, where some are
    given; the scores are the same.
    """
    asked = [(weight, postings[term]) for term, weight in Counter(question).items() if len(postings.get(term, ()))]
    if not asked:
        return []
    ids = _ids([listed["chunk"] for _, listed in asked])
    scores = np.zeros(len(ids), np.float32)
    for weight, listed in asked:
        scores[_places(listed["chunk"], ids)] += weight * _gains(listed, chunks, average_length, bm25)
    admitted = np.flatnonzero(scores if among is None else scores * np.isin(ids, among))
    best = admitted[_highest(scores[admitted], limit)]
    return [Hit(chunk, gain) for chunk, gain in zip(ids[best].tolist(), scores[best].tolist(), strict=True)]


def _ids(listed: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """All that are listed, rising: with those between them, which spares to sort them, unless these are too many."""
    first, last = min(int(each.min()) for each in listed), max(int(each.max()) for each in listed)
    if last - first < _SPREAD * sum(map(len, listed)):
        return np.arange(first, last + 1, dtype=np.uint32)
    return np.unique(np.concatenate(listed))


def _places(chunks: NDArray[np.uint32], ids: NDArray[np.uint32]) -> NDArray[np.integer[Any]]:
    has_all = int(ids[-1]) - int(ids[0]) == len(ids) - 1
    return chunks - ids[0] if has_all else np.searchsorted(ids, chunks)


def _highest(scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """The places of the `limit` highest scores, highest first, the earlier of equals first."""
    places = np.arange(len(scores))
    if limit < len(scores):
        places = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit])
    order = np.argsort(-scores[places], kind="stable")[:limit]
    return places[order]


def _gains(listed: Postings, chunks: int, average_length: float, bm25: BM25) -> NDArray[np.float32]:
    """What a term adds to each chunk's score: its rarity × its saturated frequency."""
    rarity = np.log1p(max(chunks - len(listed) + 0.5, 0.5) / (len(listed) + 0.5))
    gains = listed["frequency"].astype(np.float32)
    # In place: to ask the system for memory takes longer than to calculate.
    divisors = listed["length"].astype(np.float32)
    divisors *= np.float32(bm25.k1 * bm25.b / average_length)
    divisors += np.float32(bm25.k1 * (1 - bm25.b))
    divisors += gains
    gains *= np.float32(rarity * (bm25.k1 + 1))
    gains /= divisors
    return gains
