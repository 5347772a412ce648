"""What documents are about as a whole: names that stand together, in communities."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from documents.rag.types import Mention

EVERYWHERE = 0.5
"""In more of the chunks than this share, a name tells nothing of any of them."""

FEW = 10
"""Chunks in which a name may stand in any case, where there are only some."""

TOGETHER = 0.1
"""Of all chunks with one of two names, the share with both from which on they belong together."""

ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Theme:
    """A community of names, the commonest first, and the chunk that names most of it."""

    names: tuple[str, ...]
    chunk: int
    weight: int
    """How often the names stand somewhere."""


def themes(mentions: Sequence[Mention]) -> list[Theme]:
    """The communities of the names, the weightiest first.

    By label propagation (Raghavan, Albert & Kumara, 2007) over names that stand in the same chunks, in the order of how
    often they stand somewhere, so that the same names give the same communities.
    """
    chunks = defaultdict[str, set[int]](set)
    for mention in mentions:
        chunks[mention.key].add(mention.chunk)
    most = EVERYWHERE * len(set().union(*chunks.values()))
    telling = {key: where for key, where in chunks.items() if len(where) <= max(most, FEW)}
    order = sorted(telling, key=lambda key: (-len(telling[key]), key))
    names = {mention.key: mention.name for mention in reversed(mentions)}
    members = defaultdict[str, list[str]](list)
    for key, label in _labelled(order, _links(telling)).items():
        members[label].append(key)
    found = [_theme(keys, telling, names) for keys in members.values() if len(keys) > 1]
    return sorted(found, key=lambda theme: (-theme.weight, theme.names))


def _links(chunks: Mapping[str, set[int]]) -> dict[str, dict[str, float]]:
    """How much names stand together (Jaccard), of those that do enough."""
    named = defaultdict[int, list[str]](list)
    for key, where in chunks.items():
        for chunk in where:
            named[chunk].append(key)
    together = Counter(pair for keys in named.values() for pair in combinations(sorted(keys), 2))
    links = defaultdict[str, dict[str, float]](dict)
    for (one, other), count in together.items():
        share = count / (len(chunks[one]) + len(chunks[other]) - count)
        if share >= TOGETHER:
            links[one][other] = links[other][one] = share
    return links


def _labelled(order: Sequence[str], links: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    """Each name takes the label that weighs most among those it stands together with, until none changes."""
    labels = {key: key for key in order}
    for _ in range(ROUNDS):
        before = dict(labels)
        for key in order:
            weights = defaultdict[str, float](float)
            for other, share in links.get(key, {}).items():
                weights[labels[other]] += share
            if weights:
                labels[key] = max(sorted(weights), key=weights.__getitem__)
        if labels == before:
            break
    return labels


def _theme(keys: Sequence[str], chunks: Mapping[str, set[int]], names: Mapping[str, str]) -> Theme:
    """`keys` are the commonest first."""
    held = Counter(chunk for key in keys for chunk in chunks[key])
    best = max(sorted(held), key=held.__getitem__)
    return Theme(tuple(names[key] for key in keys), best, sum(len(chunks[key]) for key in keys))
