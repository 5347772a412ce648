"""AsciiDoc: readable text without its marks, as blocks under their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.decoding import decode
from documents.rag.parsing.grids import table
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, by_heading, document, first_heading
from documents.rag.types import BlockKind, Page

_HEADING = re.compile(r"(={1,6}) +(\S.*)")
_ITEM = re.compile(r"[ \t]*(\*{1,5}|-|\.{1,5}|\d+\.) +(\S.*)")
_CAPTION = re.compile(r"\.(\S.*)")
_FENCE = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|--)$")
_IGNORED = re.compile(r"(?://.*|:[\w!-]+:.*|\[.*\]|\+|'{3}|<{3})$")
_MACRO = re.compile(r"(?:link:|image::?|xref:)?[^\s\[]*\[([^\]]*)\]")
_MARKS = re.compile(r"(?<!\w)([*_`#]{1,2})(?=\S)(.+?)(?<=\S)\1(?!\w)")


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a top section; the title is the first heading."""
    pieces = [piece for piece in _pieces(clean(decode(path.read_bytes())).split("\n")) if piece.text.strip()]
    yield from document(first_heading(pieces), by_heading(pieces), first)


def _pieces(lines: list[str]) -> Iterator[Piece]:
    paragraph: list[str] = []
    kind, level = BlockKind.PARAGRAPH, 0
    remaining = iter([*lines, ""])
    for line in remaining:
        line = line.rstrip()
        heading, item, fence = _HEADING.fullmatch(line), _ITEM.fullmatch(line), _FENCE.fullmatch(line)
        starts = not line or heading or item or fence or line == "|===" or _IGNORED.fullmatch(line)
        if starts and paragraph:
            yield Piece(kind, _inline(" ".join(paragraph)), level)
            paragraph, kind, level = [], BlockKind.PARAGRAPH, 0
        if heading:
            yield Piece(BlockKind.HEADING, _inline(heading[2]), len(heading[1]))
        elif item:
            kind, level = BlockKind.ITEM, len(item[1]) if item[1][0] in "*." else 1
            paragraph = [f"• {item[2]}"]
        elif line == "|===":
            yield Piece(BlockKind.TABLE, _table(remaining))
        elif fence and fence[1][0] in "-.+" and len(fence[1]) > 2:
            yield Piece(BlockKind.CODE, "\n".join(_until(remaining, line)))
        elif not starts:
            caption = not paragraph and _CAPTION.fullmatch(line)
            paragraph.append(caption[1] if caption else line.strip())
            if caption:
                yield Piece(kind, _inline(paragraph.pop()))


def _until(lines: Iterator[str], end: str) -> Iterator[str]:
    for line in lines:
        if line.rstrip() == end:
            return
        yield line


def _table(lines: Iterator[str]) -> str:
    """Its rows: a line with several cells is a row, and one with a single cell goes on with the row before."""
    rows: list[list[str]] = []
    for line in _until(lines, "|==="):
        cells = [_inline(cell.strip()) for cell in line.split("|")[1:]]
        if len(cells) == 1 and rows and len(rows[-1]) < len(rows[0]):
            rows[-1] += cells
        elif cells:
            rows.append(cells)
    return table(rows)


def _inline(text: str) -> str:
    return _MARKS.sub(r"\2", _MACRO.sub(r"\1", text)).strip()
