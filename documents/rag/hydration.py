"""Found passages, lengthened by what stands around them, as far as a budget of tokens allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from documents.rag.types import PAGE_BREAK, Passage, Span, VectorDatabase

FARTHEST = 6
"""How many chunks either side a passage may grow by."""

MUCH = 0.5
"""Of the score of all passages: a document that has so much of it is read whole, if that can be afforded."""

_Piece = tuple[Span, str]


@dataclass(frozen=True, slots=True)
class _Growth:
    """A chunk beside passage number `rank` (0 = best), `steps` chunks after it (before it, if negative)."""

    rank: int
    steps: int
    neighbour: Passage
    is_of_whole: bool
    is_of_section: bool

    @property
    def urgency(self) -> tuple[bool, bool, int, int, int]:
        """What to read first: a document that is read whole, then the same section, then what is near, about a good
        passage, after it rather than before."""
        return not self.is_of_whole, not self.is_of_section, abs(self.steps), self.rank, -self.steps


async def hydrate(passages: Sequence[Passage], vector_db: VectorDatabase, budget_tokens: int) -> tuple[Passage, ...]:
    """The passages, in order, longer where `budget_tokens` for all of them allow it; of too many, the best.

    No text is added that another passage has already. The tokens of what is added are estimated.
    """
    kept = _affordable(passages, budget_tokens)
    spare = budget_tokens - sum(passage.tokens for passage in kept)
    if not kept or spare <= 0:
        return kept
    radius = min(FARTHEST, ceil(spare * len(kept) / max(budget_tokens - spare, 1)) + 1)
    around = await vector_db.neighbours([passage.chunk for passage in kept], radius)
    whole = _whole(kept, around, radius, spare)
    return _grown(kept, sorted(_growths(kept, around, whole), key=lambda growth: growth.urgency), spare)


def joined(chunks: Sequence[Passage]) -> tuple[Passage, ...]:
    """Chunks as passages, those of one document in one; what several of them hold stands in it once."""
    whole: dict[object, Passage] = {}
    for chunk in chunks:
        before = whole.get(_document(chunk))
        if before is None:
            whole[_document(chunk)] = chunk
        elif fresh := _without(_pieces(chunk), before.spans):
            whole[_document(chunk)] = _lengthened(before, fresh, _tokens(chunk, fresh))
    return tuple(replace(passage, heading_path=()) for passage in whole.values())


def _affordable(passages: Sequence[Passage], budget: int) -> tuple[Passage, ...]:
    kept: list[Passage] = []
    for passage in passages:
        budget -= passage.tokens
        if kept and budget < 0:
            break
        kept.append(passage)
    return tuple(kept)


def _whole(
    passages: Sequence[Passage], around: Mapping[int, Sequence[Passage]], radius: int, spare: int
) -> object | None:
    """The document that has much of the score, if all of it is near its passages and the rest of it can be afforded."""
    scores = defaultdict[object, float](float)
    for passage in passages:
        scores[_document(passage)] += max(passage.score, 0.0)
    document = max(scores, key=scores.__getitem__)
    found = [passage for passage in passages if _document(passage) == document]
    near = {chunk.metadata["chunk_id"]: chunk.tokens for passage in found for chunk in around.get(passage.chunk, ())}
    last = max(passage.metadata["chunk_id"] for passage in found)
    is_all = near.keys() == set(range(len(near))) and len(near) <= last + radius
    rest = sum(near.values()) - sum(passage.tokens for passage in found)
    return document if is_all and rest <= spare and scores[document] >= MUCH * sum(scores.values()) else None


def _growths(
    passages: Sequence[Passage], around: Mapping[int, Sequence[Passage]], whole: object | None
) -> Iterator[_Growth]:
    """What each passage could grow by; not what is a passage itself, nor what lies beyond such a one."""
    found = {passage.chunk for passage in passages}
    for rank, passage in enumerate(passages):
        row = list(around.get(passage.chunk, ()))
        here = next((at for at, near in enumerate(row) if near.chunk == passage.chunk), 0)
        for side in (range(here + 1, len(row)), range(here - 1, -1, -1)):
            for at in side:
                if row[at].chunk in found:
                    break
                is_of_section = row[at].heading_path == passage.heading_path != ()
                yield _Growth(rank, at - here, row[at], _document(passage) == whole, is_of_section)


def _grown(passages: Sequence[Passage], growths: Iterable[_Growth], spare: int) -> tuple[Passage, ...]:
    grown, reach = list(passages), defaultdict[tuple[int, bool], int](int)
    taken = defaultdict[object, list[Span]](list)
    for passage in passages:
        taken[_document(passage)] += passage.spans
    for growth in growths:
        side = growth.rank, growth.steps > 0
        fresh = _without(_pieces(growth.neighbour), taken[_document(growth.neighbour)])
        tokens = _tokens(growth.neighbour, fresh)
        # A passage never skips a chunk, such as one that another has taken or that was too long.
        if abs(growth.steps) == reach[side] + 1 and fresh and tokens <= spare:
            reach[side] += 1
            spare -= tokens
            taken[_document(growth.neighbour)] += [span for span, _ in fresh]
            grown[growth.rank] = _lengthened(grown[growth.rank], fresh, tokens)
    return tuple(grown)


def _document(passage: Passage) -> object:
    return passage.metadata.get("version", passage.source)


def _pieces(passage: Passage) -> list[_Piece]:
    """Each span with its text."""
    pieces, offset = [], 0
    for span in passage.spans:
        end = offset + span.end - span.start
        pieces.append((span, passage.text[offset:end]))
        offset = end + len(PAGE_BREAK)
    return pieces


def _without(pieces: list[_Piece], taken: Iterable[Span]) -> list[_Piece]:
    """What of the pieces isn't taken."""
    for hole in taken:
        pieces = [left for piece in pieces for left in _cut(piece, hole)]
    return [(span, text) for span, text in pieces if text.strip()]


def _cut(piece: _Piece, hole: Span) -> Iterator[_Piece]:
    span, text = piece
    start, end = max(hole.start, span.start), min(hole.end, span.end)
    if span.page != hole.page or start >= end:
        yield piece
        return
    if span.start < start:
        yield replace(span, end=start), text[: start - span.start]
    if end < span.end:
        yield replace(span, start=end), text[end - span.start :]


def _tokens(neighbour: Passage, pieces: Iterable[_Piece]) -> int:
    """About how many of a neighbour's tokens are in these pieces of it."""
    return ceil(neighbour.tokens * sum(len(text) for _, text in pieces) / max(len(neighbour.text), 1))


def _lengthened(passage: Passage, pieces: list[_Piece], tokens: int) -> Passage:
    joined: list[_Piece] = []
    for span, text in sorted(_pieces(passage) + pieces, key=lambda piece: (piece[0].page, piece[0].start)):
        if joined and (joined[-1][0].page, joined[-1][0].end) == (span.page, span.start):
            before, earlier = joined.pop()
            span, text = replace(before, end=span.end), earlier + text
        joined.append((span, text))
    return replace(
        passage,
        text=PAGE_BREAK.join(text for _, text in joined),
        spans=tuple(span for span, _ in joined),
        tokens=passage.tokens + tokens,
    )
