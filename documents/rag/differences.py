"""Where a sentence and its source go along with one another, and differ in a detail."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from documents.rag.details import Kind, Token, stated, tokens

_LONGEST = 4
"""Words that may stand in one another's place."""

_CLOSELY = 0.75
"""Share of a sentence's words that its source has in their order, where a denial alone says that it contradicts it."""


class Change(NamedTuple):
    """What a sentence says, and what its source says in that place; `sure` where they go along closely enough."""

    said: str
    instead: str
    sure: bool = True


def change(claim: str, source: str, kinds: Collection[Kind] = frozenset(Kind)) -> Change | None:
    """The first detail, of some kinds, in which a sentence and what it rests on differ while they go along."""
    return next(_changes(claim, stated(claim), source, tokens(source), kinds), None)


def _changes(
    claim: str, said: Sequence[Token], source: str, there: Sequence[Token], kinds: Collection[Kind]
) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [each.key for each in said], [each.key for each in there], autojunk=False)
    codes = matcher.get_opcodes()
    is_denied = _is_denied(said) != _is_denied(_shared(there, codes))
    along = sum(block.size for block in matcher.get_matching_blocks()) / max(len(said), 1)
    for at, (tag, first, last, begin, end) in enumerate(codes):
        within = 0 < at < len(codes) - 1 or (tag == "replace" and len(codes) > 1)
        if tag == "equal" or not within or max(last - first, end - begin) > _LONGEST:
            continue
        ours, theirs = said[first:last], there[begin:end]
        if is_denied and Kind.DENIAL in kinds and _is_denied(ours) != _is_denied(theirs):
            ours, theirs = said[max(first - 1, 0) : last + 1], there[max(begin - 1, 0) : end + 1]
            yield Change(_text(claim, ours), _text(source, theirs), along >= _CLOSELY)
        for sort in _differing(ours, theirs, said, there, kinds):
            yield Change(_text(claim, ours, sort), _text(source, theirs, sort))


def _shared(there: Sequence[Token], codes: Sequence[tuple[str, int, int, int, int]]) -> Sequence[Token]:
    """What of the source goes along with the sentence, with what stands in the place of its first and last words."""
    along = [code for code in codes if code[0] == "equal" or (code[0] == "replace" and code[4] - code[3] <= _LONGEST)]
    return there[along[0][3] : along[-1][4]] if along else ()


def _is_denied(words: Sequence[Token]) -> bool:
    return sum(word.kind is Kind.DENIAL for word in words) % 2 == 1


def _differing(
    ours: Sequence[Token],
    theirs: Sequence[Token],
    said: Sequence[Token],
    there: Sequence[Token],
    kinds: Collection[Kind],
) -> set[str]:
    """The sorts of details of which each has one that the other text doesn't have at all; opposites, not there."""
    only_ours = {_sort(token) for token in ours if token.kind in kinds and _is_new(token, theirs, there)}
    only_theirs = {_sort(token) for token in theirs if _is_new(token, ours, said)}
    return (only_ours & only_theirs) - {Kind.WORD}


def _is_new(token: Token, instead: Sequence[Token], text: Sequence[Token]) -> bool:
    return all(token.key != other.key for other in (instead if token.kind is Kind.OPPOSITE else text))


def _sort(token: Token) -> str:
    """Details of one sort may be taken for one another; of opposites, those that are each other's."""
    return f"{token.kind} {token.key.split()[0]}" if token.kind is Kind.OPPOSITE else token.kind


def _text(text: str, words: Sequence[Token], sort: str = "") -> str:
    """What stands in a text from the first of the words to the last, of those of one sort where one is named."""
    chosen = [word for word in words if not sort or _sort(word) == sort]
    return text[chosen[0].start : chosen[-1].end] if chosen else ""
