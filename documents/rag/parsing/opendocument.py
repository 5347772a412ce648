"""OpenDocument texts and presentations: blocks under their headings, or a slide a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from lxml import etree

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.grids import table
from documents.rag.parsing.lists import Lists
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, by_heading, document, first_heading
from documents.rag.parsing.slides import slide_pieces
from documents.rag.parsing.xml import read_tree
from documents.rag.types import BlockKind, Page

LARGEST = 100 << 20
"""Bytes of XML that are read."""

_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _DRAW, _OFFICE = (f"{{{_NAMESPACE}{kind}:1.0}}" for kind in ("text", "table", "drawing", "office"))
_NOTES = f"{{{_NAMESPACE}presentation:1.0}}notes"
_SKIPPED = {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_TEXT}sequence-decls", _NOTES}
_TITLE = f"{{{_NAMESPACE}presentation:1.0}}class"
_MOST = 1_000
"""Times a cell or row that says it is repeated is read: spreadsheets fill their margins so."""


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a top section or slide. Raises UnreadableDocument for a file that is damaged or has a password."""
    try:
        body = _content(path).find(f"{_OFFICE}body")
    except (BadZipFile, KeyError, OSError, ValueError, etree.LxmlError, RuntimeError, NotImplementedError) as error:
        raise UnreadableDocument(
            f"{name} is damaged or has a password, and can't be read. Save it again, without one, and upload that."
        ) from error
    slides = [] if body is None else list(body.iter(f"{_DRAW}page"))
    if slides:
        sections = [slide_pieces(number, *_slide(slide)) for number, slide in enumerate(slides, 1)]
        yield from document("", sections, first)
        return
    pieces = [] if body is None else [piece for piece in _pieces(body, Lists()) if piece.text.strip()]
    yield from document(first_heading(pieces), by_heading(pieces), first)


def _content(path: Path) -> Any:
    with ZipFile(path) as archive:
        if archive.getinfo("content.xml").file_size > LARGEST:
            raise ValueError("too large")
        return read_tree(archive.read("content.xml"))


def _slide(slide: Any) -> tuple[str, list[Piece]]:
    """Its title and the rest."""
    titled = next((frame for frame in slide.iter(f"{_DRAW}frame") if frame.get(_TITLE) == "title"), None)
    title = "" if titled is None else " ".join(piece.text for piece in _pieces(titled, Lists()))
    pieces = [piece for shape in slide if shape is not titled for piece in _pieces(shape, Lists())]
    notes = slide.find(_NOTES)
    said = [] if notes is None else [piece.text for child in notes for piece in _pieces(child, Lists())]
    return title, [*pieces, *([Piece(BlockKind.PARAGRAPH, "Notes: " + "\n".join(said))] if said else [])]


def _pieces(element: Any, lists: Lists) -> Iterator[Piece]:
    tag = element.tag
    if tag in _SKIPPED or not isinstance(tag, str):
        return
    if tag == f"{_TEXT}h":
        level = element.get(f"{_TEXT}outline-level", "1")
        yield Piece(BlockKind.HEADING, _inline(element).replace("\n", " "), int(level) if level.isdecimal() else 1)
    elif tag == f"{_TEXT}p":
        if text := _inline(element):
            yield lists.piece(text)
        yield from (piece for box in element.iter(f"{_DRAW}text-box") for piece in _below(box, Lists()))
    elif tag == f"{_TABLE}table":
        yield Piece(BlockKind.TABLE, table(_rows(element)))
    elif tag == f"{_TEXT}list":
        lists.open(None)
        for item in element:
            lists.begin_item()
            yield from _below(item, lists)
        lists.close()
    else:
        yield from _below(element, lists)


def _below(element: Any, lists: Lists) -> Iterator[Piece]:
    for child in element:
        yield from _pieces(child, lists)


def _rows(element: Any) -> Iterator[list[str]]:
    for row in element.iter(f"{_TABLE}table-row"):
        if next(row.iterancestors(f"{_TABLE}table")) is element:
            yield [_cell(cell) for cell in row for _ in range(_repeated(cell))]


def _cell(cell: Any) -> str:
    """Its text; a list of one item is how a presentation sets its cells."""
    pieces = list(_below(cell, Lists()))
    return pieces[0].text.removeprefix("• ") if len(pieces) == 1 else " ".join(piece.text for piece in pieces)


def _repeated(cell: Any) -> int:
    times = cell.get(f"{_TABLE}number-columns-repeated", "1")
    return min(int(times), _MOST) if times.isdecimal() else 1


def _inline(element: Any) -> str:
    """A paragraph's text, with notes where they are referred to and without what stands in frames."""
    return clean("".join(_words(element))).strip()


def _words(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        match child.tag:
            case tag if tag == f"{_TEXT}s":
                count = child.get(f"{_TEXT}c", "1")
                yield " " * (min(int(count), _MOST) if count.isdecimal() else 1)
            case tag if tag == f"{_TEXT}tab":
                yield "\t"
            case tag if tag == f"{_TEXT}line-break":
                yield "\n"
            case tag if tag == f"{_TEXT}note":
                body = child.find(f"{_TEXT}note-body")
                yield "" if body is None else f" ({' '.join(piece.text for piece in _below(body, Lists()))})"
            case tag if isinstance(tag, str) and tag not in _SKIPPED and tag != f"{_DRAW}frame":
                yield from _words(child)
        yield child.tail or ""
