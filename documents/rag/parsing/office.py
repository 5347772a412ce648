"""Word, Rich Text, EPUB and light markups by Kreuzberg: blocks under their headings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import kreuzberg

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.fields import without_instructions
from documents.rag.parsing.grids import table
from documents.rag.parsing.lists import Lists
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.recognising import DOC, media_type
from documents.rag.parsing.sections import Piece, by_heading, document, first_heading
from documents.rag.types import BlockKind, Page

Node = Mapping[str, Any]

_REPEATED = ("header", "footer")


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a top section, without what stands at the top and foot of each printed page.

    Raises UnreadableDocument for a file that is damaged or needs a password.
    """
    with path.open("rb") as file:
        kind = media_type(name, file)
    config = kreuzberg.ExtractionConfig(use_cache=False, include_document_structure=True)
    try:
        result = kreuzberg.extract_file_sync(path, mime_type=kind, config=config)
    except (kreuzberg.KreuzbergError, OSError, ValueError) as error:
        raise UnreadableDocument(
            f"{name} is damaged or has a password, and can't be read. Save it again, without one, and upload that."
        ) from error
    nodes: Any = result.document["nodes"] if result.document else []
    found = without_instructions(_pieces(nodes), path) if kind == DOC else _pieces(nodes)
    pieces = [piece for piece in found if piece.text.strip()]
    title = result.metadata.get("title")
    named = clean(title).strip() if isinstance(title, str) else ""
    yield from document(named or first_heading(pieces), by_heading(pieces), first)


def _pieces(nodes: Sequence[Node]) -> Iterator[Piece]:
    lists = Lists()
    open_lists: list[int] = []
    for at, node in enumerate(nodes):
        if node.get("content_layer") in _REPEATED:
            continue
        while open_lists and not _is_within(nodes, at, open_lists[-1]):
            open_lists.pop()
            lists.close()
        content: Node = node["content"]
        match content["node_type"]:
            case "list":
                open_lists.append(at)
                lists.open(1 if content.get("ordered") else None)
            case "list_item":
                lists.begin_item()
                yield lists.piece(clean(content["text"]).strip())
            case "heading":
                yield Piece(BlockKind.HEADING, " ".join(clean(content["text"]).split()), content["level"])
            case "code":
                yield Piece(BlockKind.CODE, clean(content["text"]).strip("\n"))
            case "table":
                yield Piece(BlockKind.TABLE, _table(content["grid"]))
            case _:
                yield Piece(BlockKind.PARAGRAPH, clean(content.get("text") or content.get("title") or "").strip())


def _is_within(nodes: Sequence[Node], at: int, above: int) -> bool:
    """Whether node `at` is below node `above`."""
    parent = nodes[at].get("parent")
    while parent is not None and parent > above:
        parent = nodes[parent].get("parent")
    return parent == above


def _table(grid: Node) -> str:
    rows = [[""] * grid["cols"] for _ in range(grid["rows"])]
    for cell in grid["cells"]:
        rows[cell["row"]][cell["col"]] = cell["content"]
    return table(row for row in rows if any(row))
