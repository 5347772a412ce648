"""What chunks and the names in them say of one another: personalised PageRank over the mentions around a question.

After HippoRAG 2 (Gutiérrez et al., 2025, arXiv 2502.14802), with names that are found without a language model, and
names as the only links. docs/benchmarks.md has what was tried.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from documents.rag.types import Hit, Mention, Role

DAMPING = 0.7
"""Of each chunk's weight so much is handed on in a step; the rest goes back to where it came from."""

STEPS = 15

RARE = 3
"""In more places than these, something that is no title or heading says too little of each of them."""

BEARS = 50.0
"""How much more what bears a name says of it than what names it in passing."""

SHARPNESS = 6
"""A chunk's share of the first weights is its score to this power."""

ASKED = 0.5
"""The share of the first weights that is for what the question names, by title or heading."""


ALIKE = 0.8
"""Of the words of two names so many must be the same (Dice), and they count as names of one thing."""

_WITHIN = frozenset(("of", "the", "and", "for"))


def links(mentions: Iterable[Mention]) -> list[Mention]:
    """Those that link chunks: of what some chunk bears as its name, or of what is named in few places."""
    by_key = defaultdict[str, dict[int, Mention]](dict)
    for mention in mentions:
        by_key[mention.key][mention.chunk] = mention
    return [
        mention
        for places in by_key.values()
        if 1 < len(places) <= RARE or any(each.role is not Role.NAME for each in places.values())
        for mention in places.values()
    ]


def walk(mentions: Sequence[Mention], scores: Mapping[int, float], asked: Iterable[str] = ()) -> list[Hit]:
    """The chunks that a walk from the best ones comes to, best first, with its share of each.

    `scores` are those that the question gave chunks, `asked` the keys of what it names.
    """
    chunks = {chunk: at for at, chunk in enumerate(dict.fromkeys([*scores, *(each.chunk for each in mentions)]))}
    keys = {key: len(chunks) + at for at, key in enumerate(dict.fromkeys(each.key for each in mentions))}
    if not chunks:
        return []
    edges = [edge for each in mentions for edge in _edges(each, chunks[each.chunk], keys[each.key])]
    edges += [edge for one, other in synonyms(keys) for edge in _both_ways(keys[one], keys[other])]
    begin = _beginning(chunks, keys, scores, [each for each in mentions if each.key in set(asked)])
    weights = _walked(edges, begin)
    signatures = {each.chunk: each.signature for each in mentions}
    hits = [Hit(chunk, float(weights[at]), signatures.get(chunk, ())) for chunk, at in chunks.items()]
    return sorted(hits, key=lambda hit: -hit.score)


def synonyms(keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keys that stand for the same, as far as their letters tell.

    A name and its initials, or its last word; and names that are alike, as with a middle name or in another order.
    """
    words = {key: [word for word in key.split() if word not in _WITHIN] for key in keys}
    by_word = defaultdict[str, list[str]](list)
    for key, own in words.items():
        if len(own) > 1:
            for other in {"".join(word[0] for word in own), own[-1]} & words.keys():
                yield key, other
            alike = Counter(other for word in set(own) for other in by_word[word])
            for other, common in alike.items():
                if 2 * common / (len(set(own)) + len(set(words[other]))) >= ALIKE:
                    yield key, other
            for word in set(own):
                by_word[word].append(key)


def _edges(mention: Mention, chunk: int, key: int) -> Iterator[tuple[int, int, float]]:
    """From a name to where it stands; and back, but not to a chunk's own name, which would keep weight for itself."""
    if mention.role is Role.NAME:
        yield chunk, key, 1.0
        yield key, chunk, 1.0
    else:
        yield key, chunk, BEARS


def _both_ways(one: int, other: int) -> Iterator[tuple[int, int, float]]:
    yield one, other, 1.0
    yield other, one, 1.0


def _beginning(
    chunks: Mapping[int, int], keys: Mapping[str, int], scores: Mapping[int, float], asked: Sequence[Mention]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The first weights, 1 together."""
    begin = np.zeros(len(chunks) + len(keys))
    for chunk, score in scores.items():
        begin[chunks[chunk]] = max(score, 0.0) ** SHARPNESS
    begin /= begin.sum() or 1.0
    if borne := {mention.key for mention in asked if mention.role is not Role.NAME}:
        begin *= 1 - ASKED
        for key in borne:
            begin[keys[key]] += ASKED / len(borne)
    return begin


def _walked(
    edges: Sequence[tuple[int, int, float]], begin: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not edges:
        return begin
    sources, targets = np.array([edge[:2] for edge in edges]).T
    shares = np.array([edge[2] for edge in edges])
    shares /= np.bincount(sources, shares, minlength=len(begin))[sources]
    weights = begin
    stays = np.bincount(sources, minlength=len(begin)) == 0  # Nothing to be handed on to.
    for _ in range(STEPS):
        handed = np.bincount(targets, shares * weights[sources], minlength=len(begin)) + stays * weights
        weights = (1 - DAMPING) * begin + DAMPING * handed
    return weights
