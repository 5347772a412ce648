"""The words of a text, and BM25 over packed postings of them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from threading import Lock

import numpy as np
import snowballstemmer  # type: ignore[import-untyped]
from numpy.typing import NDArray

from documents.rag.types import Hit

K1, B = 1.2, 0.75
"""How soon more of a word counts no more, and how much long texts are held back (Robertson & Zaragoza, 2009)."""

LONGEST = 64
"""A term's characters; what is longer is no word, and is cut."""

POSTING = np.dtype([("chunk", "<u4"), ("frequency", "<u2"), ("length", "<u2")])
"""A term in a chunk: the chunk's id, how often the term is in it, and the chunk's terms in all."""

_MOST = 65_535
"""What a posting's numbers can be at most."""

EVERY_CHUNK = ""
"""The term whose postings, of frequency 0, list all chunks, those without a word as well."""

Postings = NDArray[np.void]

STOP_WORDS = frozenset(
    (
        "a", "an", "and", "are", "as", "at", "be", "but", "by", "did", "do", "does", "for", "from", "had", "has",
        "have", "how", "if", "in", "into", "is", "it", "its", "no", "not", "of", "on", "or", "such", "that", "the",
        "their", "then", "there", "these", "they", "this", "to", "was", "were", "what", "when", "where", "which",
        "who", "why", "will", "with",
    )
)  # fmt: skip

_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0eff\u1000-\u109f\u1780-\u17d3"
_LETTER = rf"[\w{_MARKS}]"
_TOKEN = re.compile(rf"(?:(?<![\w-])--?(?=[^\W\d]))?{_LETTER}+(?:(?:[.'’-]|::){_LETTER}+)*")
_ASCII_TOKEN = re.compile(r"(?:(?<![\w-])--?(?=[A-Za-z_]))?\w+(?:(?:[.'-]|::)\w+)*", re.ASCII)
_APOSTROPHE = re.compile("['’]")
_PART = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]+)"
)


def terms(text: str) -> list[str]:
    """The terms under which a text is found, with repeats: English stems, and identifiers both whole and in parts."""
    if text.isascii():
        tokens = _ASCII_TOKEN.findall(text.lower())
    else:
        tokens = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())
    return list(chain.from_iterable(map(_known.__getitem__, tokens)))


class _Analyses(dict[str, tuple[str, ...]]):
    """Token → terms, worked out once. The stemmer isn't safe to share between threads."""

    ENOUGH = 300_000

    def __init__(self) -> None:
        self._stem = snowballstemmer.stemmer("english").stemWord
        self._lock = Lock()

    def __missing__(self, token: str) -> tuple[str, ...]:
        with self._lock:
            if len(self) >= self.ENOUGH:
                self.clear()
            found = self[token] = tuple(term[:LONGEST] for term in self._analyse(token))
        return found

    def _analyse(self, token: str) -> list[str]:
        if token.isascii() and token.isalpha():
            return self._word(token)
        parts = [term for part in _parts(token) for term in self._part(part)]
        return [token, *parts] if _is_identifier(token) and parts != [token] else parts

    def _part(self, part: str) -> Iterable[str]:
        if part.isascii():
            return self._word(part) if part.isalpha() else [part]
        return chain.from_iterable(
            _bigrams(run) if _UNSPACED.match(run) else self._word(_plain(run)) for run in _UNSPACED.split(part) if run
        )

    def _word(self, word: str) -> list[str]:
        return [] if word in STOP_WORDS else [self._stem(word)]


_known = _Analyses()


def _parts(token: str) -> list[str]:
    """A token's words; what an apostrophe cuts off ('s, 't, l') is none."""
    pieces = _APOSTROPHE.split(token)
    if len(pieces) > 1:
        pieces = [piece for piece in pieces if len(piece) > 2] or pieces
    return [part for piece in pieces for part in _PART.findall(piece)]


def _is_identifier(token: str) -> bool:
    return any(sign in token for sign in "_.:") or token[0] == "-" or ("-" in token and any(map(str.isdigit, token)))


def _bigrams(run: str) -> list[str]:
    """What stands for words in a script that is written without spaces."""
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _plain(word: str) -> str:
    """A word without accents, as people often type it."""
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))


def pack(texts: Mapping[int, str]) -> dict[str, Postings]:
    """Chunk id → text, to term → its postings, by chunk id."""
    counted = {chunk: Counter(terms(text)) for chunk, text in sorted(texts.items())}
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
) -> list[Hit]:
    """The `limit` best of all chunks that hold a term of the question, best first, by BM25 as Lucene has it.

    `chunks` and `average_length` are of all that was searched. Only chunks `among` these are told, where some are
    given; the scores are the same.
    """
    weights = Counter(question)
    found = [(weights[term], listed) for term, listed in postings.items() if weights[term] and len(listed)]
    if not found:
        return []
    ids, places = np.unique(np.concatenate([listed["chunk"] for _, listed in found]), return_inverse=True)
    gains = [weight * _gains(listed, chunks, average_length) for weight, listed in found]
    scores = np.bincount(places, np.concatenate(gains)).astype(np.float64, copy=False)
    if among is not None:
        admitted = np.isin(ids, among)
        ids, scores = ids[admitted], scores[admitted]
    best = _highest(scores, limit)
    return [Hit(chunk, gain) for chunk, gain in zip(ids[best].tolist(), scores[best].tolist(), strict=True)]


def _highest(scores: NDArray[np.float64], limit: int) -> NDArray[np.intp]:
    """The places of the `limit` highest scores, highest first, the earlier of equals first."""
    places = np.arange(len(scores))
    if limit < len(scores):
        places = np.flatnonzero(scores >= np.partition(scores, -limit)[-limit])
    order = np.argsort(-scores[places], kind="stable")[:limit]
    return places[order]


def _gains(listed: Postings, chunks: int, average_length: float) -> NDArray[np.float64]:
    """What a term adds to each chunk's score: its rarity × its saturated frequency."""
    rarity = float(np.log1p(max(chunks - len(listed) + 0.5, 0.5) / (len(listed) + 0.5)))
    frequency = listed["frequency"].astype(np.float64)
    gains: NDArray[np.float64] = (
        rarity * frequency * (K1 + 1) / (frequency + K1 * (1 - B + B * listed["length"] / average_length))
    )
    return gains
