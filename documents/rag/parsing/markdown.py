"""Markdown by markdown-it: readable text without its marks, as blocks under their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from documents.rag.parsing import html
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.decoding import decode
from documents.rag.parsing.lists import Lists
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, by_heading, document, first_heading
from documents.rag.types import BlockKind, Page

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_TITLE = re.compile(r"^title:[ \t]*([\"']?)(\S.*?)\1[ \t]*$", re.M)
# A link whose address a site generator was to fill in, which Markdown by itself takes for text.
_TEMPLATE_LINK = re.compile(r"(?<=\]\()\{[%{][^\n}]*\}{1,2}")
_BREAK = re.compile(r"<br\s*/?>", re.I)


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a top section; the title is the front matter's, else the first heading."""
    text = _TEMPLATE_LINK.sub("#", clean(decode(path.read_bytes())))
    front = _FRONT_MATTER.match(text)
    pieces = [piece for piece in _pieces(text[front.end() :] if front else text) if piece.text]
    titled = front and front[1] and _TITLE.search(front[1])
    yield from document(titled[2] if titled else first_heading(pieces), by_heading(pieces), first)


def _pieces(text: str) -> Iterator[Piece]:
    tokens = iter(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text))
    lists = Lists()
    for token in tokens:
        _follow(lists, token)
        if token.type == "heading_open":
            yield Piece(BlockKind.HEADING, _inline(next(tokens)).replace("\n", " "), int(token.tag[1]))
        elif token.type == "inline":
            if text := _inline(token):
                yield lists.piece(text)
        elif token.type in ("fence", "code_block"):
            yield Piece(BlockKind.CODE, token.content.strip("\n"))
        elif token.type == "table_open":
            yield Piece(BlockKind.TABLE, _table(tokens))
        elif token.type == "html_block":
            yield from html.pieces(token.content)


def _follow(lists: Lists, token: Token) -> None:
    match token.type:
        case "bullet_list_open":
            lists.open(None)
        case "ordered_list_open":
            lists.open(int(token.attrs.get("start", 1)))
        case "bullet_list_close" | "ordered_list_close":
            lists.close()
        case "list_item_open":
            lists.begin_item()


def _table(tokens: Iterator[Token]) -> str:
    """A table's rows as lines, up to its end."""
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_inline(token).replace("\n", " "))
    return "\n".join(" | ".join(row) for row in rows)


def _inline(token: Token) -> str:
    return "".join(map(_words, token.children or ())).strip()


def _words(token: Token) -> str:
    match token.type:
        case "text" | "code_inline" | "image":
            return token.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "html_inline":
            return "\n" if _BREAK.fullmatch(token.content) else ""
        case _:
            return ""
