"""Lists in Markdown and HTML: which are open, and the marker an item begins with."""

from __future__ import annotations

from documents.rag.parsing.sections import Piece
from documents.rag.types import BlockKind


class Lists:
    """The open lists, outermost first, each with the number of its next item, or None for bullets."""

    def __init__(self) -> None:
        self._next: list[int | None] = []
        self._marker = ""

    def open(self, first: int | None) -> None:
        self._next.append(first)

    def close(self) -> None:
        self._next.pop()

    def begin_item(self) -> None:
        number = self._next[-1] if self._next else None
        self._marker = "• " if number is None else f"{number}. "
        if number is not None:
            self._next[-1] = number + 1

    def piece(self, text: str) -> Piece:
        """A paragraph, or the item itself where one has just begun."""
        if not self._marker:
            return Piece(BlockKind.PARAGRAPH, text)
        marker, self._marker = self._marker, ""
        return Piece(BlockKind.ITEM, marker + text, max(len(self._next), 1))
