"""What a parser says, as lines of JSON: from the child that runs it to the process that asked."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from documents.rag.errors import PasswordNeeded, UnreadableDocument, WrongPassword
from documents.rag.parsing.opened import Opened
from documents.rag.types import Block, BlockKind, HowRead, Page, Words

_ERRORS = {error.__name__: error for error in (UnreadableDocument, PasswordNeeded, WrongPassword)}

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def dump(item: Opened | Page | UnreadableDocument) -> bytes:
    """The item as a line; `load` is the way back."""
    return _encode(_plain(item)).encode() + b"\n"


def load(line: bytes) -> Opened | Page:
    """The item of a line. Raises UnreadableDocument where it says so."""
    kind, *values = json.loads(line)
    if kind in _ERRORS:
        raise _ERRORS[kind](*values)
    return Opened(*values) if kind == "opened" else _page(*values)


def _plain(item: Opened | Page | UnreadableDocument) -> list[Any]:
    match item:
        case UnreadableDocument():
            return [type(item).__name__, str(item)]
        case Opened(title, page_count):
            return ["opened", title, page_count]
        case Page() as page:
            blocks = [[b.kind, b.start, b.end, b.path, b.level, b.cells] for b in page.blocks]
            words = b64encode(page.words.packed).decode()
            return ["page", page.number, page.text, blocks, words, page.width, page.height, page.how_read, page.error]


def _page(
    number: int,
    text: str,
    blocks: list[list[Any]],
    words: str,
    width: float | None,
    height: float | None,
    how_read: str,
    error: str,
) -> Page:
    return Page(
        number,
        text,
        tuple(Block(BlockKind(kind), start, end, tuple(path), *more) for kind, start, end, path, *more in blocks),
        Words(b64decode(words)),
        width,
        height,
        HowRead(how_read),
        error,
    )
