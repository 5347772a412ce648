"""Source code, JSON and settings: their lines as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.decoding import decode
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, document
from documents.rag.types import BlockKind, Page


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The file as one block of code, cut into pages at line ends; JSON as if it had been written for people."""
    text = decode(path.read_bytes())
    if name.lower().endswith(".json"):
        text = _unfolded(text)
    text = clean(text).strip("\n")
    yield from document("", [[Piece(BlockKind.CODE, text)]] if text.strip() else [], first)


def _unfolded(text: str) -> str:
    """JSON with a line for each value; as it is where it is none."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        return text
