"""Words in a PDF page's text that nobody sees on the page, by which something can be slipped into answers."""

from __future__ import annotations

import ctypes
from enum import Enum
from itertools import chain, repeat
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

from documents.rag.parsing.characters import Characters, quick
from documents.rag.parsing.words import PageWords

_WITHOUT_INK = {raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP}
_WHITE = 250
"""How bright each of red, green and blue is at least, of 255."""
_MOST_OBJECTS = 5_000
_MOST_PIXELS = 4_000_000
_SHOWN = 8
"""The least difference in brightness that shows, of 255."""

_object = quick(raw.FPDFPage_GetObject, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_kind = quick(raw.FPDFPageObj_GetType, ctypes.c_int, ctypes.c_void_p)
_mode = quick(raw.FPDFTextObj_GetTextRenderMode, ctypes.c_int, ctypes.c_void_p)
_fill = quick(raw.FPDFPageObj_GetFillColor, ctypes.c_int, *[ctypes.c_void_p] * 5)
_red, _green, _blue, _alpha = _channels = tuple(ctypes.c_uint() for _ in range(4))
_addresses = tuple(map(ctypes.addressof, _channels))


class _Ink(Enum):
    """What text is shown in. PDFium takes a pattern for white."""

    SOME = 0
    WHITE = 1
    NONE = 2


def unseen(page: Any, characters: Characters, words: PageWords, boxes: NDArray[np.float64]) -> NDArray[np.bool]:
    """Which words are in no ink, or white on white; `boxes` are fractions of the page as displayed.

    What stands on a picture is the text that was recognised in it. Where no line begins or ends with such words, no
    others are looked at.
    """
    ends = np.flatnonzero(words.lines[1:] != words.lines[:-1])
    at_edges = chain(words.begins[ends].tolist(), words.begins[ends + 1].tolist(), words.begins[[0, -1]].tolist())
    if not any(map(_may_be_faint, set(characters.objects(at_edges)))):
        return np.zeros(len(words), bool)
    texts = characters.objects(words.begins.tolist())
    inks = {text: _ink(text) for text in set(texts)}
    bare = ~_is_drawn_upon(page, words.around)
    found: NDArray[np.bool] = bare & [inks[text] is _Ink.NONE for text in texts]
    white = bare & [inks[text] is _Ink.WHITE for text in texts]
    if white.any():
        found[white] = _shows_nothing(page, boxes[white])
    return found


def _may_be_faint(text: int | None) -> bool:
    """Whether its ink is worth a look: told at once, as it is asked of each line of each page."""
    return not _fill(text, *_addresses) or _red.value > _WHITE or not _alpha.value or _mode(text) in _WITHOUT_INK


def _ink(text: int | None) -> _Ink:
    mode = _mode(text)
    if mode in _WITHOUT_INK:
        return _Ink.NONE
    return _filling(text) if mode == raw.FPDF_TEXTRENDERMODE_FILL else _Ink.SOME


def _filling(drawn: int | None) -> _Ink:
    if not _fill(drawn, *_addresses):
        return _Ink.SOME
    if not _alpha.value:
        return _Ink.NONE
    is_white = _red.value > _WHITE and _green.value > _WHITE and _blue.value > _WHITE
    return _Ink.WHITE if is_white else _Ink.SOME


def _is_drawn_upon(page: Any, around: NDArray[np.float32]) -> NDArray[np.bool]:
    """Whether each word stands on a picture, or where something is drawn that isn't white."""
    count = raw.FPDFPage_CountObjects(page)
    if count > _MOST_OBJECTS:
        return np.ones(len(around), bool)
    objects = map(_object, repeat(ctypes.cast(page, ctypes.c_void_p)), range(count))
    drawn = [_bounds(each) for each in objects if _is_drawing(each)]
    bounds = np.array(drawn, np.float32).reshape(-1, 1, 4)
    across, up = (around[:, 0] + around[:, 2]) / 2, (around[:, 1] + around[:, 3]) / 2
    left, bottom, right, top = np.moveaxis(bounds, 2, 0)
    upon = (left < across) & (across < right) & (bottom < up) & (up < top)
    return np.asarray(upon.any(axis=0))


def _is_drawing(drawn: int) -> bool:
    kind = _kind(drawn)
    return kind != raw.FPDF_PAGEOBJ_TEXT and not (kind == raw.FPDF_PAGEOBJ_PATH and _is_white_area(drawn))


def _is_white_area(path: int) -> bool:
    filling, has_outline = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(ctypes.cast(path, raw.FPDF_PAGEOBJECT), filling, has_outline)
    return bool(filling.value) and not has_outline.value and _filling(path) is not _Ink.SOME


def _bounds(drawn: int) -> tuple[float, float, float, float]:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(ctypes.cast(drawn, raw.FPDF_PAGEOBJECT), left, bottom, right, top)
    return left.value, bottom.value, right.value, top.value


def _shows_nothing(page: Any, boxes: NDArray[np.float64]) -> NDArray[np.bool]:
    """Whether each of these boxes is of one colour where the page is drawn; none where it is too large for that."""
    width, height = round(raw.FPDF_GetPageWidthF(page)), round(raw.FPDF_GetPageHeightF(page))
    if not 0 < width * height <= _MOST_PIXELS:
        return np.zeros(len(boxes), bool)
    pixels = _drawn(page, width, height)
    corners = np.rint(boxes * [width, height, width, height]).astype(int).tolist()
    areas = (pixels[top : bottom + 1, left : right + 1] for left, top, right, bottom in corners)
    return np.array([bool((np.ptp(area, axis=(0, 1)) < _SHOWN).all()) for area in areas])


def _drawn(page: Any, width: int, height: int) -> NDArray[np.uint8]:
    """The page in (height, width, 4) pixels."""
    pixels = np.full((height, width, 4), 255, np.uint8)
    bitmap = raw.FPDFBitmap_CreateEx(width, height, raw.FPDFBitmap_BGRx, pixels.ctypes.data, 4 * width)
    raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, raw.FPDF_ANNOT)
    raw.FPDFBitmap_Destroy(bitmap)
    return pixels
