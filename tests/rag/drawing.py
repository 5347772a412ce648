"""Pictures with text in them, drawn for a test."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

SIZE = 900, 600


def drawn(*lines: str, turned: int = 0) -> Image.Image:
    """A white sheet that begins with these lines, turned by quarters clockwise."""
    sheet = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(sheet)
    for row, line in enumerate(lines):
        pen.text((60, 60 + 70 * row), line, "black", ImageFont.load_default(40))
    return sheet.rotate(-90 * turned, expand=True)


def picture(*lines: str, kind: str = "PNG", turned: int = 0) -> bytes:
    """The same as a file."""
    out = io.BytesIO()
    drawn(*lines, turned=turned).save(out, kind)
    return out.getvalue()
