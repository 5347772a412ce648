"""Fields in a file of Word before 2007: what Word computes a text from, which its reader takes for text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.sections import Piece

_MARKED = (
    (re.compile(rb"\x13( ?[A-Z]{2,20} [ -\xff]{1,500})[\x14\x15]"), "cp1252"),
    (re.compile(rb"\x13\0((?: \0)?(?:[A-Z]\0){2,20} \0(?:[ -\xff]\0){1,500})[\x14\x15]\0"), "utf-16-le"),
)
"""An instruction between the marks of a field, as it stands in the file: [MS-DOC] 2.8.25."""

_SIGNS = '\\"'


def without_instructions(pieces: Iterable[Piece], path: Path) -> list[Piece]:
    """The pieces without `SEQ Figure \\* ARABIC`, where the file at `path` marks that as a field's instruction.

    One without a switch or a quoted word stays, as the same words may stand in a sentence.
    """
    instructions = sorted(set(_instructions(path.read_bytes())), key=len, reverse=True)
    return [replace(piece, text=_without(piece.text, instructions)) for piece in pieces]


def _instructions(data: bytes) -> Iterator[str]:
    for marked, encoding in _MARKED:
        for found in marked.finditer(data):
            instruction = clean(found[1].decode(encoding, "replace"))
            if any(sign in instruction for sign in _SIGNS):
                yield instruction


def _without(text: str, instructions: Iterable[str]) -> str:
    if any(sign in text for sign in _SIGNS):
        for instruction in instructions:
            text = text.replace(instruction, "").replace(instruction.strip(), "")
    return text.strip()
