"""Formats without pages: pieces of text → blocks with their headings → one page a top section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from documents.rag.parsing.opened import Opened
from documents.rag.types import Block, BlockKind, HowRead, Page

PAGE_CHARACTERS = 20_000
"""The most a page of such a format holds, so that it can be stored, shown and retried as one."""

EMPTY = "This page has no text."
HIDDEN = "Text that can't be seen on this page, beside it or invisible, was left out."
_TOP_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A block on its way to a page: `text` is clean and not blank; the rest is as in Block."""

    kind: BlockKind
    text: str
    level: int = 0
    path: tuple[str, ...] = ()
    cells: str = ""


def document(title: str, sections: Iterable[list[Piece]], first: int) -> Iterator[Opened | Page]:
    """The pages of a document that was read whole, from page `first` on; a section begins a page."""
    sheets = [sheet for section in sections for sheet in _sheets(section)]
    yield Opened(title, max(len(sheets), 1))
    if not sheets and first == 1:
        yield Page(1, "", how_read=HowRead.EMPTY, error=EMPTY)
    for number, sheet in enumerate(sheets[first - 1 :], first):
        yield _page(number, sheet)


def by_heading(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces with the headings above them, cut into sections before each heading of the two top levels.

    A heading straight under another stays with it: a title alone is no section.
    """
    section: list[Piece] = []
    only_headings = True
    for piece in _with_paths(pieces):
        heading = piece.kind is BlockKind.HEADING
        if heading and piece.level <= _TOP_LEVEL and not only_headings:
            yield section
            section, only_headings = [], True
        section.append(piece)
        only_headings = only_headings and heading
    yield section


def first_heading(pieces: Iterable[Piece]) -> str:
    return next((piece.text for piece in pieces if piece.kind is BlockKind.HEADING), "")


def _with_paths(pieces: Iterable[Piece]) -> Iterator[Piece]:
    trail: list[tuple[int, str]] = []
    for piece in pieces:
        if piece.kind is BlockKind.HEADING:
            trail = [*(above for above in trail if above[0] < piece.level), (piece.level, piece.text)]
        yield replace(piece, path=tuple(text for _, text in trail))


def _sheets(section: Iterable[Piece]) -> Iterator[list[Piece]]:
    """The section's pieces in lots of at most PAGE_CHARACTERS."""
    sheet: list[Piece] = []
    room = PAGE_CHARACTERS
    for piece in section:
        for text in cut(piece.text, PAGE_CHARACTERS):
            if len(text) > room:
                yield sheet
                sheet, room = [], PAGE_CHARACTERS
            sheet.append(piece if text is piece.text else replace(piece, text=text))
            room -= len(text) + 2
    if sheet:
        yield sheet


def cut(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most `most` characters, cut at line ends, else at spaces, else anywhere."""
    if len(text) <= most:
        yield text
        return
    start = 0
    while start < len(text):
        end = _end(text, start, most)
        if part := text[start:end].strip():
            yield part
        start = end


def _end(text: str, start: int, most: int) -> int:
    if len(text) - start <= most:
        return len(text)
    for mark in ("\n", " "):
        if (at := text.rfind(mark, start + most // 2, start + most)) > 0:
            return at
    return start + most


def _page(number: int, sheet: list[Piece]) -> Page:
    parts: list[str] = []
    blocks: list[Block] = []
    end = 0
    for piece, before in zip(sheet, [None, *sheet], strict=False):
        gap = _gap(before, piece)
        start = end + len(gap)
        end = start + len(piece.text)
        parts += (gap, piece.text)
        blocks.append(Block(piece.kind, start, end, piece.path, piece.level, piece.cells))
    return Page(number, "".join(parts), tuple(blocks))


def _gap(before: Piece | None, piece: Piece) -> str:
    if before is None:
        return ""
    return "\n" if before.kind is piece.kind is BlockKind.ITEM else "\n\n"
