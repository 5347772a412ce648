"""Subtitles (WebVTT, SubRip): what is said, with the time at which each stretch of it begins."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.decoding import decode
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, document
from documents.rag.types import BlockKind, Page

_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,]\d{3}\s+-->")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"</?[a-zA-Z\d][^>]*>")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
STRETCH_SECONDS = 30


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """A paragraph for about half a minute, under its time; a speaker is named where they begin."""
    cues = _cues(clean(decode(path.read_bytes())))
    yield from document("", [list(_stretches(cues))], first)


def _cues(text: str) -> Iterator[tuple[int, str]]:
    """The second at which each cue begins, and its words."""
    for block in _BLANK_LINES.split(text):
        lines = block.strip().split("\n")
        timed = next((at for at, line in enumerate(lines[:2]) if _TIME.match(line.strip())), None)
        if timed is None:
            continue
        hours, minutes, seconds = _TIME.match(lines[timed].strip()).groups("0")  # type: ignore[union-attr]
        said = _TAG.sub("", _VOICE.sub(r"\1: ", " ".join(lines[timed + 1 :])))
        if said := " ".join(html.unescape(said).split()):
            yield 3600 * int(hours) + 60 * int(minutes) + int(seconds), said


def _stretches(cues: Iterator[tuple[int, str]]) -> Iterator[Piece]:
    begins, said = 0, list[str]()
    for second, words in cues:
        if said and second - begins >= STRETCH_SECONDS:
            yield _stretch(begins, said)
            said = []
        if not said:
            begins = second
        said.append(words)
    if said:
        yield _stretch(begins, said)


def _stretch(second: int, said: list[str]) -> Piece:
    minutes, seconds = divmod(second, 60)
    hours, minutes = divmod(minutes, 60)
    time = f"{hours}:{minutes:02}:{seconds:02}"
    return Piece(BlockKind.PARAGRAPH, "\n".join(said), path=(time,))
