"""How fast PDF pages are read, beside PDFium's bare text."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pypdfium2 as pdfium

from bench.figures import Figure, rounded, tell
from documents.rag.parsing import parse
from documents.rag.parsing.recognising import PDF

ROUNDS = 5
LEAST_SECONDS = 0.5
"""A short file is read again and again for so long."""

SHARE = 0.7
FILES = (
    "DA-619p.pdf",
    "layout-parser-paper-with-empty-pages.pdf",
    "multi-column-2p.pdf",
    "test.pdf",
    "reliance.pdf",
    "2305.03393v1-pg9.pdf",
    "korean-text-with-tables.pdf",
    "senate-expenditures.pdf",
)
"""A long manual, papers of one and of two columns, a report, tables, and Korean."""


def tell_speed(root: Path) -> None:
    """The median of paired rounds for each file, and of the files."""
    shares = {name: _share(root / "pdf" / name) for name in FILES}
    for name in FILES[:1]:
        tell(Figure(f"parsing {name} over bare PDFium", shares[name], "of its pages/s", SHARE, at_least=True))
    whole = median(shares.values())
    tell(Figure("parsing PDFs over bare PDFium", whole, "of its pages/s", SHARE, at_least=True), files=rounded(shares))


def _share(path: Path) -> float:
    """Of bare PDFium's pages a second: blocks, words and boxes as well as text, in the same process."""
    times = max(round(LEAST_SECONDS / _seconds(lambda: bare(path), 1)), 1)
    rounds = [_seconds(lambda: bare(path), times) / _seconds(lambda: parsed(path), times) for _ in range(ROUNDS)]
    return median(rounds)


def _seconds(work: Callable[[], object], times: int) -> float:
    """Of processor time, which no other process takes from it."""
    start = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - start


def bare(path: Path) -> int:
    """Read each page's text; how many there are."""
    with pdfium.PdfDocument(path) as document:
        for page in document:
            text_page = page.get_textpage()
            text_page.get_text_range()
            text_page.close()
            page.close()
        return len(document)


def parsed(path: Path) -> int:
    """The same by `parse`, whose pages are let go as they come."""
    return sum(1 for _ in parse(path, PDF, name=path.name)) - 1
