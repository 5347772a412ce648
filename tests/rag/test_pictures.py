"""Picture files: their pages, and how they are shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type, parse, pictures
from documents.rag.parsing.images import render
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.recognising import HEIC, JPEG, PNG, TIFF
from documents.rag.types import HowRead, Page
from tests.rag.drawing import drawn, picture

PHOTOGRAPH = Path(__file__).parents[3] / "shared/data/files/images/DA-1p.heic"

LYING = 6
"""EXIF: the picture is to be turned by a quarter, clockwise."""


def write(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def pages_of(path: Path) -> list[Page]:
    kind = media_type(path.name, io.BytesIO(path.read_bytes()))
    opened, *pages = parse(path, kind, name=path.name)
    assert opened == Opened("", len(pages))
    return [page for page in pages if isinstance(page, Page)]


def shown(path: Path, media_type: str, number: int = 1, width: int = 300) -> Image.Image:
    return Image.open(io.BytesIO(render(path, media_type, number, width, name=path.name)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "AVIF"])
def test_a_picture_is_a_page_that_waits_to_be_recognised(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "photo"
    path.write_bytes(picture("Hello", kind=kind))
    assert pages_of(path) == [Page(1, "", width=900, height=600, how_read=HowRead.WAITING)]


@pytest.mark.skipif(not PHOTOGRAPH.exists(), reason="the test files are not here")
def test_a_photograph_of_a_telephone_is_read() -> None:
    [page] = pages_of(PHOTOGRAPH)
    assert (page.width, page.height) == (595, 842)
    assert shown(PHOTOGRAPH, HEIC).size[1] == 425


def test_each_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    first, second = drawn("One"), drawn("Two", turned=1)
    path = write(tmp_path / "fax.tiff", first, save_all=True, append_images=[second])
    assert [(page.number, page.width, page.height) for page in pages_of(path)] == [(1, 900, 600), (2, 600, 900)]
    assert shown(path, TIFF, 2).size == (300, 450)


def test_of_an_animation_the_first_picture_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gif", drawn("One"), save_all=True, append_images=[drawn("Two")])
    assert len(pages_of(path)) == 1


def test_a_picture_is_held_as_its_camera_was(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = LYING
    path = write(tmp_path / "a.jpg", drawn("Hello"), exif=exif)
    [page] = pages_of(path)
    assert (page.width, page.height) == (600, 900)
    assert shown(path, JPEG).size == (300, 450)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_a_picture_of_any_colours_is_shown_black_on_white(tmp_path: Path, mode: str) -> None:
    grey = drawn("HELLO").convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey, np.uint16) * 200)
    elif mode in ("LA", "RGBA"):
        image = Image.new(mode, grey.size, 0)
        image.putalpha(Image.eval(grey, lambda value: 255 - value))
    else:
        image = grey.convert("RGB").convert(mode)
    path = write(tmp_path / "a.tiff", image)
    pixels = np.asarray(shown(path, TIFF, width=900).convert("L"))
    assert pixels[0, 0] > 250
    assert pixels.min() < 60
    assert (pixels > 200).mean() > 0.9


def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(UnreadableDocument, match=r"^bomb\.png has 20,000 × 20,000 pixels; Footnote reads up to 100"):
        pages_of(path)


def test_a_damaged_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(UnreadableDocument, match=r"^a\.png is damaged"):
        pages_of(path)
    path.write_bytes(picture("Hello")[:2_000])
    with pytest.raises(UnreadableDocument, match=r"^Page 1 of a\.png is damaged"):
        pictures.draw(path, 1, lambda *_: 1, name="a.png")
    with pytest.raises(UnreadableDocument, match=r"has no page 3"):
        render(path, PNG, 3, 300, name="a.png")
