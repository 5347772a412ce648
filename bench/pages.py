"""How a PDF of 1,600 pages is taken in: how soon its beginning can be found, how fast, and at what memory."""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import LiteralString

import psutil

from bench.corpus import Corpus
from bench.figures import Figure, tell
from bench.memory import Watched
from bench.programs import ModelServer, Product, kind, rows
from bench.visitor import Visitor

PAGES, WORDS = 1600, 400
IMAGE_EVERY, IMAGE_SIDE = 20, 200
FONTS = ("Helvetica", "Times-Roman", "Courier")
MEGABYTES = 600
PATIENCE = 500.0
OTHERS = {"Postgres", "Valkey", "web", "supervisor"}

_CHUNKS: LiteralString = """
    SELECT chunk.id FROM documents_chunk AS chunk JOIN documents_version AS version ON version.id = version_id
    JOIN documents_document AS document ON document.id = document_id WHERE library_id = %s"""

COUNTED = "resident sizes of the worker's processes and the readers they start, added up every 20 ms"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder, ModelServer() as model:
        data = Path(folder)
        with Product(data, model.settings) as product:
            visitor = Visitor(product.address, product.email, product.password)
            content = pdf()
            with Watched(lambda: working(product)) as watched:
                first, whole = asyncio.run(asyncio.wait_for(_taken_in(data, visitor, content), PATIENCE))
            about = {"pages": PAGES, "bytes": len(content), "seconds": round(whole, 1)}
            tell(Figure(f"the first of {PAGES:,} pages can be found", first, "s"), **about)
            tell(Figure(f"a PDF of {PAGES:,} pages", PAGES / whole, "pages/s"), **about)
            tell(Figure("its peak memory", watched.peak / 2**20, "MB", MEGABYTES), counted=COUNTED)


async def _taken_in(data: Path, visitor: Visitor, content: bytes) -> tuple[float, float]:
    """Seconds from the first byte sent until a passage can be found, and until the document is ready."""
    library = visitor.create_library("Manuals")
    began = time.monotonic()
    ready = asyncio.create_task(visitor.upload_and_watch(library, [("manual.pdf", content)]))
    while not ready.done() and not rows(data, _CHUNKS + " LIMIT 1", [library]):  # noqa: ASYNC110 - we ask as its users do
        await asyncio.sleep(0.1)
    first = time.monotonic() - began
    await ready
    seconds = time.monotonic() - began
    if len(rows(data, _CHUNKS, [library])) < PAGES:
        raise RuntimeError("The document was told to be ready, and isn't whole.")
    return first, seconds


def working(product: Product) -> list[psutil.Process]:
    """The worker and its children."""
    return [process for process in product.tree() if kind(process) not in OTHERS]


# --- The PDF ----------------------------------------------------------------------------------


def pdf() -> bytes:
    """Pages of prose under headings, in several fonts, with a picture on some."""
    corpus = Corpus(seed=3_000)
    fonts = [f"<</Type/Font/Subtype/Type1/BaseFont/{name}>>".encode() for name in FONTS]
    image = _stream(f"/Type/XObject/Subtype/Image/Width {IMAGE_SIDE}/Height {IMAGE_SIDE}" + GREY, _shades())
    kids = " ".join(f"{FIRST + 2 * number} 0 R" for number in range(PAGES))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {PAGES}/Kids[{kids}]>>".encode(), image, *fonts]
    for number in range(PAGES):
        objects += [_page(number), _stream("", b"\n".join(_lines(number, corpus)))]
    return _written(objects)


GREY = "/ColorSpace/DeviceGray/BitsPerComponent 8"
FIRST = 4 + len(FONTS)
"""The number of the first page's object."""


def _page(number: int) -> bytes:
    fonts = "".join(f"/F{font} {4 + font} 0 R" for font in range(len(FONTS)))
    resources = f"<</Font<<{fonts}>>/XObject<</I 3 0 R>>>>"
    content = FIRST + 2 * number + 1
    return f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources{resources}/Contents {content} 0 R>>".encode()


def _lines(number: int, corpus: Corpus) -> Iterator[bytes]:
    yield f"BT /F1 18 Tf 60 740 Td (Chapter {number + 1}) Tj ET".encode()
    yield f"BT /F{number % len(FONTS)} 9 Tf 12 TL 60 710 Td".encode()
    for paragraph in corpus.text(WORDS).split("\n\n"):
        for line in wrap(paragraph, 88):
            yield f"({line}) Tj T*".encode()
        yield b"T*"
    yield b"ET"
    if number % IMAGE_EVERY == 0:
        yield b"q 150 0 0 150 60 60 cm /I Do Q"


def _shades() -> bytes:
    return bytes((x * y) % 256 for y in range(IMAGE_SIDE) for x in range(IMAGE_SIDE))


def _stream(entries: str, content: bytes) -> bytes:
    return f"<<{entries}/Length {len(content)}>>stream\n".encode() + content + b"\nendstream"


def _written(objects: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = list[int]()
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


if __name__ == "__main__":
    main()
