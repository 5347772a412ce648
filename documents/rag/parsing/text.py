"""Plain text, in any encoding: paragraphs as blocks, form feeds as page breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.decoding import decode
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, document
from documents.rag.types import BlockKind, Page

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The file's parts between form feeds, each cut into pages; it has no title."""
    parts = decode(path.read_bytes()).split("\f")
    yield from document("", map(paragraphs, parts), first)


def paragraphs(part: str) -> list[Piece]:
    """A stretch of text, cut at its blank lines."""
    # The first line's indentation is kept: it may be a table or code.
    paragraphs = (paragraph.strip("\n").rstrip() for paragraph in _BLANK_LINES.split(clean(part)))
    return [Piece(BlockKind.PARAGRAPH, paragraph) for paragraph in paragraphs if paragraph.strip()]
