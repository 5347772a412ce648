"""One ranking out of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from documents.rag.types import Hit


def fuse(lists: Mapping[str, Sequence[Hit]], weights: Mapping[str, float] | None = None) -> list[Hit]:
    """The union of rankings, best first, by the sum of their scores, each in standard deviations of its ranking.

    They are counted from a ranking's lowest score, which is also that of a chunk it doesn't have; where it is shorter
    than another, it ends with zeros. A ranking weighs 1, or what `weights` says. docs/benchmarks.md has what it was
    chosen from.
    """
    rankings = {name: hits for name, hits in lists.items() if hits}
    longest = max(map(len, rankings.values()), default=0)
    found = {hit.chunk: hit for hits in rankings.values() for hit in hits}
    fused: defaultdict[int, float] = defaultdict(float)
    for name, hits in rankings.items():
        for chunk, height in _heights(hits, longest):
            fused[chunk] += height * (weights or {}).get(name, 1.0)
    best = sorted(fused.items(), key=lambda item: -item[1])
    return [Hit(chunk, score, found[chunk].signature) for chunk, score in best]


def _heights(hits: Sequence[Hit], length: int) -> list[tuple[int, float]]:
    """(chunk, how far its score is above the lowest of `length` scores)."""
    scores = np.zeros(length)
    scores[: len(hits)] = [hit.score for hit in hits]
    heights = (scores[: len(hits)] - scores.min()) / (scores.std() or 1.0)
    return [(hit.chunk, height) for hit, height in zip(hits, heights.tolist(), strict=True)]
