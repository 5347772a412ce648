"""CSV and its like: a table, whatever separates its cells."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from documents.rag.parsing.decoding import decode
from documents.rag.parsing.grids import sheet
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import document
from documents.rag.types import Page

SEPARATORS = ",;\t|"
_SAMPLE_LINES = 50


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The rows as lines, in as many pages as they take."""
    # A quote that is never closed makes one cell of the rest.
    csv.field_size_limit(sys.maxsize)
    text = decode(path.read_bytes()).replace("\0", "")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    yield from document("", sheet("", rows), first)


def _separator(text: str) -> str:
    """The one that cuts the first lines into the same number of cells, and into more than others do."""
    lines = text[: _SAMPLE_LINES * 2_000].splitlines()[:_SAMPLE_LINES]

    def agreement(separator: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
        usual = max(set(counts), key=counts.count, default=1)
        return (counts.count(usual), usual) if usual > 1 else (0, 0)

    return max(SEPARATORS, key=agreement)
