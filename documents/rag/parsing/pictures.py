"""Pictures by Pillow: each a page to be recognised, a TIFF of several frames several of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pi_heif import register_heif_opener  # type: ignore[import-untyped]
from PIL import Image, ImageOps, UnidentifiedImageError

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.opened import Opened
from documents.rag.types import HowRead, Page

Pixels = NDArray[np.uint8]
"""(rows, columns, 3): red, green and blue."""

Scale = Callable[[float, float], float]
"""A page's width and height → how many times as large it is wanted."""

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "HEIF", "AVIF")
MEGAPIXELS = 100
"""Of one picture: a sheet of A3 at 600 dots an inch has 70."""

_WHITE = (255, 255, 255, 255)
_ORIENTATION, _LYING = 0x0112, (5, 6, 7, 8)
"""The EXIF tag that says how a picture is held, and what of it says that its sides are exchanged."""

_DAMAGED = (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError)


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """A page for each frame, without text; of an animation only the first.

    Raises UnreadableDocument for a file that is damaged or too large.
    """
    with _open(path, name) as picture:
        frames = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
        yield Opened("", frames)
        for number in range(first, frames + 1):
            _turn_to(picture, number, name)
            width, height = _size(picture)
            yield Page(number, "", width=width, height=height, how_read=HowRead.WAITING)


def draw(path: Path, number: int, scale: Scale, *, name: str) -> Pixels:
    """Page `number` as people see it, made smaller where `scale` of its width and height says so.

    Raises UnreadableDocument where it can't be shown.
    """
    with _open(path, name) as picture:
        _turn_to(picture, number, name)
        try:
            longest = round(max(picture.size) * min(scale(*_size(picture)), 1)) or 1
            picture.draft("RGB", (longest, longest))
            return np.asarray(_flat(picture, longest))
        except _DAMAGED as error:
            raise UnreadableDocument(f"Page {number} of {name} is damaged. Save it again and upload that.") from error


@contextmanager
def _open(path: Path, name: str) -> Iterator[Image.Image]:
    # We look at the size of each frame ourselves.
    Image.MAX_IMAGE_PIXELS = None
    register_heif_opener(thumbnails=False)
    try:
        picture = Image.open(path, formats=FORMATS)
    except _DAMAGED as error:
        raise UnreadableDocument(f"{name} is damaged and can't be read. Save it again and upload that.") from error
    with picture:
        yield picture


def _turn_to(picture: Image.Image, number: int, name: str) -> None:
    try:
        if number > 1:
            picture.seek(number - 1)
    except _DAMAGED as error:
        raise UnreadableDocument(f"{name} has no page {number}, or it is damaged.") from error
    width, height = picture.size
    if width * height > MEGAPIXELS * 1_000_000:
        raise UnreadableDocument(
            f"{name} has {width:,} × {height:,} pixels; Footnote reads up to {MEGAPIXELS} million. Save it smaller."
        )


def _size(picture: Image.Image) -> tuple[int, int]:
    """Width and height as it is to be held. (What Pillow says of a TIFF or HEIC is turned already.)"""
    width, height = picture.size
    lies = picture.format not in ("TIFF", "HEIF") and picture.getexif().get(_ORIENTATION) in _LYING
    return (height, width) if lies else (width, height)


def _levelled(values: NDArray[np.float32]) -> Pixels:
    """Shades of grey that go beyond 8 bits, from the darkest to the lightest."""
    values -= values.min()
    return (values * (255 / (values.max() or 1))).astype(np.uint8)


def _flat(picture: Image.Image, longest: int) -> Image.Image:
    """The picture in red, green and blue on white, upright, of at most `longest` pixels a side."""
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = Image.fromarray(_levelled(np.asarray(picture, np.float32)))
    elif picture.mode not in ("L", "RGB", "RGBA"):
        alpha = picture.has_transparency_data
        picture = picture.convert("RGBA" if alpha else "L" if picture.mode == "1" else "RGB")
    picture.thumbnail((longest, longest))
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture)
    return picture.convert("RGB")
