"""The doubted sentences of an answer, marked in its HTML: found by their words, so that nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_SILENT = re.compile(r"[\s*_`~|\\]")


@dataclass(frozen=True, slots=True)
class Mark:
    """A sentence in plain words, what is thought of it, why, and which of its words are doubted."""

    sentence: str
    verdict: str
    why: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Style:
    """How a stretch of text is marked."""

    mark: Mark
    is_doubt: bool

    def token(self) -> Token:
        about = {"data-verdict": self.mark.verdict, "title": self.mark.why}
        return Token("mark_open", "span", 1, attrs={"class": "doubt" if self.is_doubt else "claim", **about})


def mark(state: StateCore) -> None:
    """A core rule for markdown-it, after the inline ones; the sentences are `marks` in its environment."""
    if marks := state.env.get("marks"):
        for blocks in _together(state.tokens):
            _mark(blocks, marks)


def _together(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What holds text, each by itself; the cells of a table's row together."""
    row: list[Token] = []
    for token in tokens:
        if token.type == "inline":
            row.append(token)
        if row and token.type != "inline" and token.type not in ("td_close", "td_open", "th_close", "th_open"):
            yield row
            row = []
    if row:
        yield row


def _mark(blocks: Sequence[Token], marks: Sequence[Mark]) -> None:
    """Put a span around each stretch of their text that belongs to a mark."""
    text = "".join(_visible(token) for block in blocks for token in block.children or ())
    letters = [at for at, char in enumerate(text) if not _SILENT.match(char)]
    said = "".join(text[at] for at in letters)
    styles: list[_Style | None] = [None] * len(text)
    for each in marks:
        for first, last, style in _found(said, each):
            styles[letters[first] : letters[last] + 1] = [style] * (letters[last] + 1 - letters[first])
    left = iter(styles)
    for block in blocks:
        block.children = [
            piece
            for token in block.children or ()
            for piece in _pieces(token, list(islice(left, len(_visible(token)))))
        ]


def _visible(token: Token) -> str:
    return token.content if token.type in ("text", "code_inline") else ""


def _found(said: str, each: Mark) -> Iterator[tuple[int, int, _Style]]:
    """The first and last of the letters that are a mark's sentence, and then of the words of it that are doubted."""
    sentence, doubt = _letters(each.sentence), _letters(each.doubt)
    start = said.find(sentence) if sentence else -1
    if start < 0:
        return
    yield start, start + len(sentence) - 1, _Style(each, is_doubt=False)
    if doubt and (at := sentence.find(doubt)) >= 0:
        yield start + at, start + at + len(doubt) - 1, _Style(each, is_doubt=True)


@lru_cache(maxsize=4096)
def _letters(text: str) -> str:
    return _SILENT.sub("", text)


def _pieces(token: Token, styles: Sequence[_Style | None]) -> Iterator[Token]:
    """A token, or the stretches of its text, each that is marked within a span; code is marked as a whole."""
    if not any(styles):
        yield token
        return
    if token.type == "code_inline":
        styles = [next(filter(None, styles))] * len(styles)
    for style, places in groupby(range(len(styles)), key=styles.__getitem__):
        piece = token.copy(content="".join(token.content[place] for place in places))
        yield from (style.token(), piece, Token("mark_close", "span", -1)) if style else (piece,)
