"""Where a sentence and its source go along with one another, and differ in a detail."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from documents.rag.details import Kind, Token, stated, tokens

_LONGEST = 4
"""Words that may stand in one another's place."""


class Change(NamedTuple):
    """What a sentence says, and what its source says in that place."""

    said: str
    instead: str


def change(claim: str, source: str, kinds: Collection[Kind] = frozenset(Kind)) -> Change | None:
    """The first detail, of some kinds, in which a sentence and what it rests on differ while they go along."""
    return next(_changes(claim, stated(claim), source, tokens(source), kinds), None)


def _changes(
    claim: str, said: Sequence[Token], source: str, there: Sequence[Token], kinds: Collection[Kind]
) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [each.key for each in said], [each.key for each in there], autojunk=False)
    codes = matcher.get_opcodes()
    equal = [code for code in codes if code[0] == "equal"]
    shared = there[equal[0][3] : equal[-1][4]] if equal else ()
    is_denied = _is_denied(said) != _is_denied(shared)
    for at, (tag, first, last, begin, end) in enumerate(codes):
        within = 0 < at < len(codes) - 1 or (tag == "replace" and len(codes) > 1)
        if tag == "equal" or not within or max(last - first, end - begin) > _LONGEST:
            continue
        ours, theirs = said[first:last], there[begin:end]
        if is_denied and Kind.DENIAL in kinds and _is_denied(ours) != _is_denied(theirs):
            ours, theirs = said[max(first - 1, 0) : last + 1], there[max(begin - 1, 0) : end + 1]
            yield Change(_text(claim, ours), _text(source, theirs))
        for sort in _differing(ours, theirs, said, there, kinds):
            yield Change(_text(claim, ours, sort), _text(source, theirs, sort))


def _is_denied(words: Sequence[Token]) -> bool:
    return sum(word.kind is Kind.DENIAL for word in words) % 2 == 1


def _differing(
    ours: Sequence[Token],
    theirs: Sequence[Token],
    said: Sequence[Token],
    there: Sequence[Token],
    kinds: Collection[Kind],
) -> set[str]:
    """The sorts of details of which each has one that the other text doesn't have at all."""
    known, told = {token.key for token in there}, {token.key for token in said}
    only_ours = {_sort(token) for token in ours if token.kind in kinds and token.key not in known}
    only_theirs = {_sort(token) for token in theirs if token.key not in told}
    return (only_ours & only_theirs) - {Kind.WORD}


def _sort(token: Token) -> str:
    """Details of one sort may be taken for one another; of opposites, those that are each other's."""
    return f"{token.kind} {token.key.split()[0]}" if token.kind is Kind.OPPOSITE else token.kind


def _text(text: str, words: Sequence[Token], sort: str = "") -> str:
    """What stands in a text from the first of the words to the last, of those of one sort where one is named."""
    chosen = [word for word in words if not sort or _sort(word) == sort]
    return text[chosen[0].start : chosen[-1].end] if chosen else ""
