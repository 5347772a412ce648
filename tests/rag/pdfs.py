"""PDFs written by hand, so that a test says what is in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

_COLUMNS = (
    "<< /Type /Font /Subtype /Type0 /BaseFont /Gothic /Encoding /UniJIS-UTF16-V /DescendantFonts [<< /Type /Font"
    " /Subtype /CIDFontType0 /BaseFont /Gothic /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 6 >>"
    " >>] >>"
)


def pdf(
    *pages: str,
    box: str = "0 0 600 800",
    extra: str = "",
    fonts: str = "",
    objects: Sequence[str] = (),
    catalog: str = "",
) -> bytes:
    """A PDF of pages with these content streams; `extra` goes into each page, `fonts` beside its fonts, `catalog` into
    what is said of all.

    `objects` are further ones, whose numbers begin at 5 + 2 × pages. The fonts are /F1 (Helvetica), /F2 (bold) and /F3
    (Japanese in columns, UTF-16).
    """
    kids = " ".join(f"{5 + 2 * index} 0 R" for index in range(len(pages)))
    whole = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    for index, content in enumerate(pages):
        whole.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents {6 + 2 * index} 0 R {extra}"
            f" /Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 {_COLUMNS} {fonts} >> >> >>"
        )
        whole.append(stream(content))
    return _assembled([*whole, *objects])


def tagged(parts: Sequence[str], *elements: str, about: str = "") -> bytes:
    """A PDF of a page whose parts are marked content 0, 1, …, and its structure.

    Element n is object 8 + n, of the /S and /K it is given; unless it has a /P, that is the root, 7, told `about` too.
    """
    content = "\n".join(f"/Part << /MCID {mark} >> BDC\n{part}\nEMC" for mark, part in enumerate(parts))
    places = " ".join(f"{8 + index} 0 R" for index in range(len(elements)))
    root = f"<< /Type /StructTreeRoot /K [{places}] /ParentTree << /Nums [0 [{places}]] >> {about} >>"
    whole = (each if re.search(r"/P \d", each) else f"{each} /P 7 0 R" for each in elements)
    return pdf(
        content,
        extra="/StructParents 0",
        objects=[root, *(f"<< /Type /StructElem /Pg 5 0 R {each} >>" for each in whole)],
        catalog="/MarkInfo << /Marked true >> /StructTreeRoot 7 0 R",
    )


def stream(content: str, about: str = "") -> str:
    return f"<< /Length {len(content)} {about} >>\nstream\n{content}\nendstream"


def locked(password: str, content: str) -> bytes:
    """A PDF of one page that only opens with the password: by RC4 with 40 bits, as in PDF 1.1."""
    padding = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
    padded = (password.encode("latin-1") + padding)[:32]
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + (0xFFFFFFFC).to_bytes(4, "little") + padding[:16]).digest()[:5]
    number = 4
    hidden = _rc4(hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()[:10], content.encode("latin-1"))
    user = _rc4(key, padding)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(hidden)} >>\nstream\n{hidden.decode('latin-1')}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P -4 >>",
    ]
    return _assembled(objects, f"/Encrypt 6 0 R /ID [<{padding[:16].hex()}> <{padding[:16].hex()}>]")


def text(*lines: tuple[int, int, str], font: str = "F1", size: int = 12) -> str:
    """A content stream that writes each (x, y, text), from the page's bottom left."""
    return "\n".join(f"BT /{font} {size} Tf {x} {y} Td ({line}) Tj ET" for x, y, line in lines)


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def _assembled(objects: list[str], trailing: str = "") -> bytes:
    out = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer << /Size {size} /Root 1 0 R {trailing} >>"
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}\nstartxref\n{len(out)}\n%%EOF"
    return out + end.encode("latin-1")
