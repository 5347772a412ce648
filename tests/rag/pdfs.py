"""PDFs written by hand, so that a test says what is in them."""

from __future__ import annotations


def pdf(*pages: str, box: str = "0 0 600 800", extra: str = "") -> bytes:
    """A PDF of pages with these content streams; fonts /F1 (Helvetica) and /F2 (bold); `extra` goes into each page."""
    kids = " ".join(f"{5 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    for index, content in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {6 + 2 * index} 0 R {extra}"
            " /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    return _assembled(objects)


def text(*lines: tuple[int, int, str], font: str = "F1", size: int = 12) -> str:
    """A content stream that writes each (x, y, text), from the page's bottom left."""
    return "\n".join(f"BT /{font} {size} Tf {x} {y} Td ({line}) Tj ET" for x, y, line in lines)


def _assembled(objects: list[str]) -> bytes:
    out = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer << /Size {size} /Root 1 0 R >>"
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}\nstartxref\n{len(out)}\n%%EOF"
    return out + end.encode("latin-1")
