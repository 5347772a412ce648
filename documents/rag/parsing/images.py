"""A PDF's page as people see it."""

from __future__ import annotations

import struct
import threading
import zlib
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.pdf import open_pdf

_MOST_PIXELS = 16_000_000
# PDFium must not be entered twice in one process.
_one_at_a_time = threading.Lock()


def render(path: Path, number: int, width: int, *, name: str) -> bytes:
    """Page `number` (1-based) as a PNG, `width` pixels wide or as wide as 16 million pixels allow.

    Raises UnreadableDocument where the file can't be opened or has no such page.
    """
    with _one_at_a_time, open_pdf(path, name) as document:
        try:
            page = document[number - 1]
        except (IndexError, pdfium.PdfiumError) as error:
            raise UnreadableDocument(f"Page {number} of {name} can't be shown.") from error
        across, down = page.get_size()
        scale = min(width / across, (_MOST_PIXELS / (across * down)) ** 0.5)
        return _png(page.render(scale=scale, rev_byteorder=True).to_numpy())


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """(rows, columns, 1, 3 or 4) 8-bit samples as a PNG, which is so little work that no imaging library is needed."""
    rows, columns, channels = pixels.shape
    colour = {1: 0, 3: 2, 4: 6}[channels]
    # Each row says how it is filtered: 2, the difference from the row above, which leaves white paper all zeros.
    above = np.vstack((np.zeros((1, columns * channels), np.uint8), pixels.reshape(rows, -1)[:-1]))
    filtered = np.empty((rows, 1 + columns * channels), np.uint8)
    filtered[:, 0] = 2
    np.subtract(pixels.reshape(rows, -1), above, out=filtered[:, 1:])
    header = struct.pack(">2I5B", columns, rows, 8, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes(), 3)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
