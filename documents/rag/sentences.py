"""Sentences and their places in a text."""

from __future__ import annotations

import re

_END = re.compile(
    r"""(?:(?<=[.!?…])|(?<=[.!?…]["'”’)\]]))\s+(?=["'“‘(\[]?[^\Wa-z_])   # a full stop, then no small letter
      | (?<=[。！？])                                                      # Chinese and Japanese put no space
      | \n[^\S\n]*\n\s*                                                   # a blank line
      | \n(?=[^\S\n]*(?:[•*\-–]|\d{1,3}[.)])\s)                                # the next item of a list
    """,
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(.])(?:[A-Z]|e\.g|i\.e|etc|vs|cf|No|Nos|Dr|Mr|Mrs|Ms|Prof|St|Fig|Sec|Art|approx|pp?|Inc|Ltd|Corp|Co)\.$"
)
_ORDINAL = re.compile(r"(?<!\d)\d{1,2}\.$")
_COUNTED = re.compile("Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|Jahrhundert")
"""What a German ordinal is put before."""

_BULLET = re.compile(r"(?:[•*\-–]|\d{1,3}[.)])\s+")


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text as (start, end) of its characters, in order, without the white space around them."""
    found: list[tuple[int, int]] = []
    start = 0
    for end in _END.finditer(text):
        if "\n" not in end.group() and _goes_on(text, start, end):
            continue
        _append(found, text, start, end.start())
        start = end.end()
    _append(found, text, start, len(text))
    return found


def _goes_on(text: str, start: int, end: re.Match[str]) -> bool:
    """Whether the full stop is that of an abbreviation or an ordinal."""
    if _ABBREVIATION.search(text, max(start, end.start() - 8), end.start()):
        return True
    return bool(_ORDINAL.search(text, start, end.start()) and _COUNTED.match(text, end.end()))


def _append(found: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        found.append((start, start + len(stripped)))


def without_bullet(text: str) -> str:
    """A list's item without what marks it as one."""
    bullet = _BULLET.match(text)
    return text[bullet.end() :] if bullet else text
