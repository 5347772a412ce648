"""What a tagged PDF says of its text by itself: which of it is a heading, and of which level."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping
from itertools import repeat
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from documents.rag.parsing.characters import quick

_MOST = 20_000
"""How many children of elements may be looked at for a page; those of other pages are among them."""

_HEADING = re.compile(r"Title|H(\d*)")
_LOWEST = 6

# An element may have thousands of children, most of them on other pages.
_count = quick(raw.FPDF_StructElement_CountChildren, ctypes.c_int, ctypes.c_void_p)
_child = quick(raw.FPDF_StructElement_GetChildAtIndex, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_mark = quick(raw.FPDF_StructElement_GetChildMarkedContentID, ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
_type = quick(raw.FPDF_StructElement_GetType, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_ulong)


class Heading(NamedTuple):
    """A heading of a page: what tells it from the others there, and its level, 1–6."""

    element: int
    level: int


class Tags:
    """The tags of an open PDFium document. From a page on which they are too many they are left alone."""

    def __init__(self, document: pdfium.PdfDocument) -> None:
        self._are_used = bool(raw.FPDFCatalog_IsTagged(document))

    def headings(self, page: Any) -> Mapping[int, Heading]:
        """The page's headings, by the ids of its marked content."""
        tree = raw.FPDF_StructTree_GetForPage(page) if self._are_used else None
        if not tree:
            return {}
        try:
            return _headings(tree)
        except _TooMany:
            self._are_used = False
            return {}
        finally:
            raw.FPDF_StructTree_Close(tree)


class _TooMany(Exception):
    """There are more tags than can be looked at."""


def _headings(tree: Any) -> Mapping[int, Heading]:
    """Without recursion: nobody vouches for how deep the tags go, nor how often they say the same."""
    found: dict[int, Heading] = {}
    looked_at = raw.FPDF_StructTree_CountChildren(tree)
    waiting: list[tuple[int, int, Heading | None]] = [(top, 1, None) for top in _tops(tree, looked_at)]
    while waiting:
        element, depth, heading = waiting.pop()
        count = _count(element)
        looked_at += count
        if looked_at > _MOST:
            raise _TooMany
        kind = _kind(element)
        heading = heading or _heading(element, kind, depth)
        if heading:
            found |= {mark: heading for mark in map(_mark, repeat(element), range(count)) if mark >= 0}
        below = depth + (kind == "Sect")
        waiting += [(child, below, heading) for child in map(_child, repeat(element), range(count)) if child]
    return found


def _tops(tree: Any, count: int) -> list[int]:
    if count > _MOST:
        raise _TooMany
    tops = (raw.FPDF_StructTree_GetChildAtIndex(tree, index) for index in range(count))
    return [ctypes.cast(top, ctypes.c_void_p).value or 0 for top in tops if top]


def _kind(element: int) -> str:
    """Its standard type, to which PDFium brings a document's own."""
    buffer = ctypes.create_string_buffer(32)
    length = _type(element, buffer, len(buffer))
    return buffer.raw[: max(length - 2, 0)].decode("utf-16-le", "replace") if length <= len(buffer) else ""


def _heading(element: int, kind: str, depth: int) -> Heading | None:
    """A heading without a level of its own has that of its section."""
    found = _HEADING.fullmatch(kind)
    if not found:
        return None
    level = int(found[1] or depth) if kind != "Title" else 1
    return Heading(element, min(max(level, 1), _LOWEST))
