"""HTML by Lexbor: the main content without navigation, as blocks under their headings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.decoding import declared_by_html, decode
from documents.rag.parsing.lists import Lists
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, by_heading, document, first_heading
from documents.rag.types import BlockKind, Page

_MAIN_CHARACTERS = 200
"""A <main> with less text than this is a frame that a script was to fill; the body may hold more."""
_MENU_LINKS, _MENU_SHARE = 4, 0.8
_BREAK = "\0"


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = _names(
    "address article blockquote body caption center dd details div dl dt fieldset figcaption figure form header hr"
    " legend li main ol p section summary table tbody td tfoot th thead tr ul"
)
# What is not shown, what is operated, and what leads elsewhere.
_DROPPED = _names(
    "head script style noscript template nav aside footer dialog iframe object svg canvas audio video button select"
    " textarea input"
)
_DROPPED_ROLES = _names("navigation banner contentinfo search complementary")


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a top section; the title is <title>, else the first heading."""
    data = path.read_bytes()
    tree = LexborHTMLParser(decode(data, declared_by_html(data)))
    title = tree.css_first("head > title")
    found = _content(tree)
    yield from document(_inline(title.text()) if title else first_heading(found), by_heading(found), first)


def pieces(fragment: str) -> list[Piece]:
    """The blocks of a stretch of HTML that stands in another document."""
    return _content(LexborHTMLParser(fragment))


def _content(tree: LexborHTMLParser) -> list[Piece]:
    for selector in ("main, [role=main]", "article"):
        found = tree.css(selector)
        if len(found) == 1:
            content = _Walk().over(found[0])
            if sum(len(piece.text) for piece in content) >= _MAIN_CHARACTERS:
                return content
    return _Walk(skip_menus=True).over(tree.body) if tree.body else []


def _inline(text: str) -> str:
    """Text as a browser shows it: white space run together, breaks kept."""
    lines = (" ".join(clean(line).split()) for line in text.split(_BREAK))
    return "\n".join(filter(None, lines))


class _Walk:
    """A walk through a tree, without recursion since a page may be nested as deeply as it likes."""

    def __init__(self, *, skip_menus: bool = False) -> None:
        self._skip_menus = skip_menus
        self._pieces: list[Piece] = []
        self._text: list[str] = []
        self._heading = 0
        self._lists = Lists()

    def over(self, root: LexborNode) -> list[Piece]:
        """The pieces of text under `root`."""
        above: list[LexborNode] = []
        node = root.child
        while node is not None or above:
            if node is None:
                node = above.pop()
                self._leave(node.tag)
            elif self._enter(node):
                above.append(node)
                node = node.child
                continue
            node = node.next
        self._flush()
        return self._pieces

    def _enter(self, node: LexborNode) -> bool:
        """Take in what the node itself says; whether to go on into it."""
        tag = node.tag
        if node.is_text_node:
            self._text.append(node.text_content or "")
            return False
        if not node.is_element_node or self._is_dropped(node):
            return False
        if tag == "br":
            self._text.append(_BREAK)
            return False
        if tag in _BLOCKS or tag in _HEADINGS or tag == "pre":
            self._flush()
        return not self._is_taken_whole(node) and self._begin(node)

    def _is_taken_whole(self, node: LexborNode) -> bool:
        """Take in code and tables of data as they are."""
        if node.tag == "pre":
            text, kind = clean(node.text()).strip("\n"), BlockKind.CODE
        elif node.tag == "table":
            text, kind = _rows(node), BlockKind.TABLE
        else:
            return False
        if text.strip():
            self._pieces.append(Piece(kind, text))
        return bool(text)

    def _begin(self, node: LexborNode) -> bool:
        match node.tag:
            case "ul":
                self._lists.open(None)
            case "ol":
                start = node.attributes.get("start") or ""
                self._lists.open(int(start) if start.isdecimal() and len(start) < 9 else 1)
            case "li":
                self._lists.begin_item()
            case tag if tag in _HEADINGS:
                self._heading = _HEADINGS[tag]
        return True

    def _leave(self, tag: str | None) -> None:
        if tag in _BLOCKS or tag in _HEADINGS:
            self._flush()
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in ("ul", "ol"):
            self._lists.close()

    def _flush(self) -> None:
        text, self._text = _inline("".join(self._text)), []
        if not text:
            return
        if self._heading:
            self._pieces.append(Piece(BlockKind.HEADING, text.replace("\n", " "), self._heading))
        else:
            self._pieces.append(self._lists.piece(text))

    def _is_dropped(self, node: LexborNode) -> bool:
        tag, attributes = node.tag, node.attributes
        if tag in _DROPPED or "hidden" in attributes or attributes.get("aria-hidden") == "true":
            return True
        if attributes.get("role") in _DROPPED_ROLES or "display:none" in (attributes.get("style") or "").replace(
            " ", ""
        ):
            return True
        if tag == "header":
            return node.css_first("h1") is None
        return self._skip_menus and tag in ("ul", "ol") and _is_menu(node)


def _is_menu(node: LexborNode) -> bool:
    """Whether a list is there to lead elsewhere: links, and hardly a word between them."""
    links = node.css("a")
    linked = sum(len(link.text().strip()) for link in links)
    return len(links) >= _MENU_LINKS and linked >= _MENU_SHARE * len("".join(node.text().split()))


def _rows(table: LexborNode) -> str:
    """A table of data, a line a row; "" for one that only arranges other things."""
    if table.css_first("h1, h2, h3, pre, table table") or table.attributes.get("role") == "presentation":
        return ""
    rows = [[_cell(cell) for cell in row.iter() if cell.tag in ("td", "th")] for row in table.css("tr")]
    if max(map(len, rows), default=0) < 2:
        return ""
    return "\n".join(" | ".join(row) for row in rows if any(row))


def _cell(cell: LexborNode) -> str:
    return " ".join(" ".join(piece.text.split()) for piece in _Walk().over(cell))
