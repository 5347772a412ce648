"""A file of Word before 2007 written by hand, so that a test says what is in it: [MS-DOC]."""

from __future__ import annotations

import struct

from tests.rag.presentations import ole

_TEXT_AT, _PIECES_AT = 0x400, 16


def letter(text: str, *, wide: bool = False) -> bytes:
    """A file of this text, in one piece, with two bytes a letter where it is `wide`."""
    head = bytearray(_TEXT_AT)
    struct.pack_into("<HH6xH", head, 0, 0xA5EC, 0xC1, 0x200)
    struct.pack_into("<H", head, 0x20, 14)
    struct.pack_into("<H", head, 0x3E, 22)
    struct.pack_into("<I", head, 0x4C, len(text))
    struct.pack_into("<H", head, 0x98, 0x5D)
    place = _TEXT_AT if wide else _TEXT_AT * 2 | 0x40000000
    piece = struct.pack("<IIHIH", 0, len(text), 0, place, 0)
    pieces = b"\x02" + struct.pack("<I", len(piece)) + piece
    struct.pack_into("<II", head, 0x1A2, _PIECES_AT, len(pieces))
    written = text.encode("utf-16-le" if wide else "cp1252")
    return ole({"1Table": bytes(_PIECES_AT) + pieces, "WordDocument": bytes(head) + written})
