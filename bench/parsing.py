"""How much of the test files' expected text is found, and how fast PDF pages are read: JSON lines.

Run from the project's root: `python -m bench.parsing [FILES]`, where FILES holds a manifest.tsv.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2 as pdfium

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type, parse
from documents.rag.parsing.reading import read
from documents.rag.parsing.recognising import HEAD_BYTES, PDF
from documents.rag.types import Page

FOLDERS = ("pdf", "html", "md", "txt")
SPEED_FILE = "pdf/DA-619p.pdf"


def main(root: Path) -> None:
    rows = [row for row in _manifest(root) if row["file"].split("/")[0] in FOLDERS]
    for folder in FOLDERS:
        found = {row["file"]: asyncio.run(_found(root, row)) for row in rows if row["file"].startswith(folder + "/")}
        counted = {file: ok for file, ok in found.items() if ok is not None}
        missed = [file for file, ok in counted.items() if not ok]
        print(json.dumps({"format": folder, "files": len(counted), "found": sum(counted.values()), "missed": missed}))
    print(json.dumps(_speed(root / SPEED_FILE)))


def _manifest(root: Path) -> Iterator[dict[str, str]]:
    with (root / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


async def _found(root: Path, row: dict[str, str]) -> bool | None:
    """Whether every expected snippet is on its page; None where the file has a password or nothing is expected."""
    expected = json.loads(row["expect"] or "[]")
    if not expected or row["password"]:
        return None
    try:
        texts = await _texts(root / row["file"])
    except UnreadableDocument:
        return False
    whole = _plain(" ".join(texts.values()))
    return all(_plain(e["text"]) in (_plain(texts.get(e["page"], "")) if "page" in e else whole) for e in expected)


async def _texts(path: Path) -> dict[int, str]:
    with path.open("rb") as file:
        kind = media_type(path.name, file.read(HEAD_BYTES))
    return {page.number: page.text async for page in read(path, kind, name=path.name) if isinstance(page, Page)}


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _speed(path: Path) -> dict[str, object]:
    """Pages a second: PDFium's bare text, `parse` with its blocks and words, and `read` through a child."""
    seconds = {
        "bare": _seconds(lambda: _bare(path)),
        "parse": _seconds(lambda: list(parse(path, PDF, name=path.name))),
        "read": _seconds(lambda: asyncio.run(_texts(path))),
    }
    pages = _bare(path)
    return {"file": path.name, "pages": pages} | {way: round(pages / took) for way, took in seconds.items()}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _bare(path: Path) -> int:
    with pdfium.PdfDocument(path) as document:
        for page in document:
            text_page = page.get_textpage()
            text_page.get_text_range()
            text_page.close()
            page.close()
        return len(document)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parents[2] / "shared/data/files")
