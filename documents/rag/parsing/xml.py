"""XML by lxml: the paragraphs of a document, or the values of data with their names. No entity is ever expanded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, by_heading, document, first_heading
from documents.rag.types import BlockKind, Page

_HEADINGS = {"title", "article-title", "head", "heading"}
_PARAGRAPHS = {"p", "para", "paragraph", *_HEADINGS}
_DEEPEST = 6


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a top section. Raises UnreadableDocument for what isn't well-formed or needs entities of its own."""
    try:
        root = read_tree(path.read_bytes())
    except (etree.LxmlError, ValueError) as error:
        raise UnreadableDocument(f"{name} is not well-formed XML. Mend it, or save it as text.") from error
    if any(True for _ in root.iter(etree.Entity)):
        raise UnreadableDocument(f"{name} uses entities of its own, which are never expanded. Save it without them.")
    is_data = not any(_name(element) in _PARAGRAPHS for element in root.iter(etree.Element))
    pieces = [piece for piece in _pieces(root, named=is_data) if piece.text]
    yield from document(first_heading(pieces), by_heading(pieces), first)


def read_tree(data: bytes) -> Any:
    """The root of a document. Nothing is fetched, no DTD loaded, no entity expanded."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    return etree.fromstring(data, parser)


def _pieces(root: Any, *, named: bool) -> Iterator[Piece]:
    """A piece for each element that holds text itself; in data with the name of the element."""
    stack = [(root, 1)]
    while stack:
        element, depth = stack.pop()
        if not _holds_text(element):
            stack.extend((child, depth + 1) for child in reversed(element) if isinstance(child.tag, str))
            continue
        text = " ".join(clean("".join(element.itertext())).split())
        if _name(element) in _HEADINGS:
            yield Piece(BlockKind.HEADING, text, min(depth, _DEEPEST))
        else:
            yield Piece(
                BlockKind.ITEM if named else BlockKind.PARAGRAPH, f"{_name(element)}: {text}" if named else text
            )


def _holds_text(element: Any) -> bool:
    return bool((element.text or "").strip() or any((child.tail or "").strip() for child in element))


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""
