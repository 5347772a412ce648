"""A PDF page's characters as PDFium knows them: the code, the box and the font of each by its index."""

from __future__ import annotations

import ctypes
import re
from collections import deque
from collections.abc import Iterable
from itertools import compress, repeat
from typing import Any

import numpy as np
import pypdfium2.raw as raw
from numpy.typing import NDArray

HYPHEN = "\ufffe"
"""What PDFium writes for a hyphen that ends a line, instead of the line's end."""

_UNKNOWN = "\ufffd"
# Controls, private characters and halves of others come up where a font doesn't say what its codes stand for; those
# left out here are the line's end and PDFium's hyphen, and the private ones of symbol fonts.
_SUSPECT = re.compile("[\x03-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ue000-\uefff\uf100-\uf8ff]")
_FORCE_BOLD = 1 << 18
_BOLD = re.compile(rb"bold|black|heavy", re.I)


def quick(function: Any, result: Any = None, *arguments: Any) -> Any:
    """The function without what the binding does around each call, which takes three times as long as the call.

    Where the arguments' types aren't told, pointers are given as `c_void_p` and numbers as `int`. The lock is held, as
    no call lasts longer than handing it over.
    """
    return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)


_unicode = quick(raw.FPDFText_GetUnicode, ctypes.c_uint)
_is_unmapped = quick(raw.FPDFText_HasUnicodeMapError, ctypes.c_int)
_loose_box = quick(raw.FPDFText_GetLooseCharBox)
_text_object = quick(raw.FPDFText_GetTextObject, ctypes.c_void_p)
_angle = quick(raw.FPDFText_GetCharAngle, ctypes.c_float)
_mark = quick(raw.FPDFPageObj_GetMarkedContentID, ctypes.c_int, ctypes.c_void_p)
_font = quick(raw.FPDFTextObj_GetFont, ctypes.c_void_p, ctypes.c_void_p)


class Characters:
    """The characters of an open text page."""

    def __init__(self, text_page: Any) -> None:
        self._text_page = ctypes.cast(text_page, ctypes.c_void_p)
        text = self._read(text_page)
        self.text = self._without_guesses(text) if _SUSPECT.search(text) else text
        self.codes = np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), np.uint32)

    def _read(self, text_page: Any) -> str:
        """The page's characters, each at its index."""
        count = max(raw.FPDFText_CountChars(text_page), 0)
        buffer = (ctypes.c_ushort * (count + 1))()
        written = raw.FPDFText_GetText(text_page, 0, count, buffer)
        text = bytes(buffer)[: 2 * max(written - 1, 0)].decode("utf-16-le", "surrogatepass")
        if len(text) == count:
            return text
        # Its text leaves out what it can't map and writes some characters as two, so that indexes don't fit.
        codes = map(_unicode, repeat(self._text_page), range(count))
        return "".join(HYPHEN if code == 2 else chr(code) if code <= 0x10FFFF else "\0" for code in codes)

    def _without_guesses(self, text: str) -> str:
        """The text with U+FFFD for each glyph that its font has no letter for, where it has some for others.

        PDFium takes such a glyph's number for a letter. That may be right in a font that has none for any, as many
        Type 3 fonts number their glyphs by their letters.
        """
        everywhere = range(len(text))
        unmapped = list(map(_is_unmapped, repeat(self._text_page), everywhere))
        # Most often it is a sign of a formula that has no letter, which comes as a control and isn't shown.
        if not any(char > " " for char in compress(text, unmapped)):
            return text
        fonts = self._fonts(everywhere)
        telling = {font for font, missing in zip(fonts, unmapped, strict=True) if not missing}
        return "".join(
            _UNKNOWN if missing and char > " " and font in telling else char
            for char, font, missing in zip(text, fonts, unmapped, strict=True)
        )

    def boxes(self, indexes: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 4): left, top, right, bottom of these characters, as high as their font, in PDF units.

        Each of the four lies in one piece, which makes computing with them several times as fast.
        """
        slots = _slots.of(len(indexes))
        deque(map(_loose_box, repeat(self._text_page), indexes.tolist(), slots), 0)
        return np.array(_slots.boxes[: len(indexes)], order="F")

    def angles(self, indexes: Iterable[int]) -> NDArray[np.float64]:
        """By how much these characters are turned, clockwise on an unturned page: radians."""
        return np.array(list(map(_angle, repeat(self._text_page), indexes)))

    def bold(self, indexes: Iterable[int]) -> NDArray[np.bool]:
        """Whether these characters are set in bold type."""
        fonts = self._fonts(indexes)
        is_bold = {font: font is not None and _is_bold(ctypes.cast(font, raw.FPDF_FONT)) for font in set(fonts)}
        return np.array([is_bold[font] for font in fonts])

    def marks(self, indexes: Iterable[int]) -> list[int]:
        """The id of the marked content that each of these characters is in; -1 for none."""
        return list(map(_mark, self.objects(indexes)))

    def objects(self, indexes: Iterable[int]) -> list[int | None]:
        """What of the page's content shows each of these characters; None for one that PDFium added."""
        return list(map(_text_object, repeat(self._text_page), indexes))

    def _fonts(self, indexes: Iterable[int]) -> list[int | None]:
        """The font of each of these characters, None for one that PDFium added."""
        return list(map(_font, self.objects(indexes)))


def _is_bold(font: Any) -> bool:
    if raw.FPDFFont_GetWeight(font) >= 600 or raw.FPDFFont_GetFlags(font) & _FORCE_BOLD:
        return True
    name = ctypes.create_string_buffer(64)
    raw.FPDFFont_GetBaseFontName(font, name, len(name))
    return bool(_BOLD.search(name.value))


class _Slots:
    """Room for boxes, with the address of each; it is kept, as making it takes longer than filling it."""

    def __init__(self) -> None:
        self.boxes = np.zeros((0, 4), np.float32)
        self._addresses: list[ctypes.c_void_p] = []

    def of(self, count: int) -> list[ctypes.c_void_p]:
        if count > len(self.boxes):
            self.boxes = np.zeros((2 * count, 4), np.float32)
            start, size = self.boxes.ctypes.data, self.boxes.strides[0]
            self._addresses = [ctypes.c_void_p(start + size * index) for index in range(2 * count)]
        return self._addresses


_slots = _Slots()
