"""A page as people see it, of a PDF or a picture."""

from __future__ import annotations

import struct
import threading
import zlib
from math import sqrt
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import pictures
from documents.rag.parsing.pdf import open_pdf
from documents.rag.parsing.pictures import Pixels, Scale
from documents.rag.parsing.recognising import PICTURES

_MOST_PIXELS = 16_000_000
# PDFium must not be entered twice in one process.
_one_at_a_time = threading.Lock()


def render(path: Path, media_type: str, number: int, width: int, *, name: str) -> bytes:
    """Page `number` (1-based) as a PNG, `width` pixels wide or as wide as 16 million pixels allow.

    Raises UnreadableDocument where the file can't be opened or has no such page.
    """
    return _png(_drawn(path, media_type, number, lambda across, _: width / across, name=name))


def draw(path: Path, media_type: str, number: int, longest: int, *, name: str) -> Pixels:
    """The same as pixels, of which the longer side has `longest`, or in a small picture fewer."""
    return _drawn(path, media_type, number, lambda across, down: longest / max(across, down), name=name)


def _drawn(path: Path, media_type: str, number: int, wanted: Scale, *, name: str) -> Pixels:
    def scale(across: float, down: float) -> float:
        return min(wanted(across, down), sqrt(_MOST_PIXELS / (across * down)))

    if media_type in PICTURES:
        return pictures.draw(path, number, scale, name=name)
    with _one_at_a_time, open_pdf(path, name) as document:
        try:
            page = document[number - 1]
            size = page.get_size()
        except (IndexError, pdfium.PdfiumError) as error:
            raise UnreadableDocument(f"Page {number} of {name} can't be shown.") from error
        if not all(size):
            raise UnreadableDocument(f"Page {number} of {name} has no area, and can't be shown.")
        return np.array(page.render(scale=scale(*size), rev_byteorder=True).to_numpy())


def _png(pixels: Pixels) -> bytes:
    """The pixels as a PNG, which is so little work that no imaging library is needed."""
    rows, columns, channels = pixels.shape
    # Each row says how it is filtered: 2, the difference from the row above, which leaves white paper all zeros.
    above = np.vstack((np.zeros((1, columns * channels), np.uint8), pixels.reshape(rows, -1)[:-1]))
    filtered = np.empty((rows, 1 + columns * channels), np.uint8)
    filtered[:, 0] = 2
    np.subtract(pixels.reshape(rows, -1), above, out=filtered[:, 1:])
    header = struct.pack(">2I5B", columns, rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 3)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
