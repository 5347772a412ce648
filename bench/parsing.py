"""What becomes of the test files: each ready or refused with a sentence, its expected text found, at what cost.

Run from the project's root: `python -m bench.parsing [FILES]`, where FILES holds a manifest.tsv. A line for each file,
then the figures; how texts are compared is told in `bench.expected`. Files that need OCR are read without it, and not
counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from bench.expected import File, Texts, fairly, manifest, strictly
from bench.figures import Figure, tell
from bench.memory import Watched
from bench.speed import tell_speed
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type
from documents.rag.parsing.reading import read
from documents.rag.parsing.recognising import HEAD_BYTES
from documents.rag.types import HowRead, Page

FILES = Path(__file__).parents[2] / "shared/data/files"
MEGABYTES = 600
"""What a worker and its children may use while they read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: its pages by how they were read, or the sentence by which it was refused.

    `found` and `strictly` say whether the expected text is there; None where nothing is expected.
    """

    file: str
    seconds: float
    pages: dict[str, int]
    said: str
    found: bool | None
    strictly: bool | None

    @property
    def broke_down(self) -> bool:
        """Whether a reader had to be ended, or ended by itself."""
        return HowRead.FAILED in self.pages


def main(root: Path) -> None:
    if not (root / "manifest.tsv").exists():
        sys.exit(f"There are no test files in {root}. Name their folder: python -m bench.parsing FILES")
    files = list(manifest(root))
    with Watched() as watched:
        outcomes = [_outcome(root, file) for file in files]
    for outcome in outcomes:
        print(json.dumps(asdict(outcome), ensure_ascii=False))
    _tell_found(files, outcomes)
    _tell_bare(root, files)
    tell(Figure("files at which a reader broke down", sum(each.broke_down for each in outcomes), "files", 0))
    tell(Figure("peak memory over all of them", watched.peak / 2**20, "MB", MEGABYTES), counted=watched.counted)
    tell_speed(root)


def _tell_found(files: Sequence[File], outcomes: Sequence[Outcome]) -> None:
    plain = [each for file, each in zip(files, outcomes, strict=True) if not file.needs_ocr and each.found is not None]
    pdfs = [each for each in plain if each.file.startswith("pdf/")]
    _tell("PDFs with their expected text", pdfs, 66)
    _tell("files with their expected text", plain, 0.95 * len(plain))


def _tell(name: str, outcomes: Sequence[Outcome], target: float) -> None:
    missed = [each.file for each in outcomes if not each.found]
    strict = sum(each.strictly is True for each in outcomes)
    found = len(outcomes) - len(missed)
    tell(Figure(name, found, "files", target, at_least=True), of=len(outcomes), strictly=strict, missed=missed)


def _tell_bare(root: Path, files: Iterable[File]) -> None:
    """The same for PDFium's own text, as it comes."""
    found: Counter[str] = Counter()
    for file in files:
        if file.folder == "pdf" and file.expected and not file.needs_ocr:
            texts = _bare_texts(root / file.name, file.password)
            found.update(found=fairly(file, texts), strictly=strictly(file, texts))
    tell(Figure("PDFs with their expected text, bare PDFium", found["found"], "files"), strictly=found["strictly"])


def _bare_texts(path: Path, password: str) -> Texts:
    try:
        with pdfium.PdfDocument(path, password or None) as document:
            return {number: page.get_textpage().get_text_range() for number, page in enumerate(document, 1)}
    except pdfium.PdfiumError:
        return {}


# --- A file -----------------------------------------------------------------------------------


def _outcome(root: Path, file: File) -> Outcome:
    began = time.monotonic()
    said, pages = "", list[Page]()
    with _unlocked(root / file.name, file.password) as path:
        try:
            pages = asyncio.run(_pages(path))
        except UnreadableDocument as refusal:
            said = str(refusal)
    texts = {page.number: page.text for page in pages}
    found, strict = (fairly(file, texts), strictly(file, texts)) if file.expected else (None, None)
    how = Counter(page.how_read.value for page in pages)
    return Outcome(file.name, round(time.monotonic() - began, 2), dict(how), said, found, strict)


async def _pages(path: Path) -> list[Page]:
    with path.open("rb") as file:
        kind = media_type(path.name, file.read(HEAD_BYTES))
    return [page async for page in read(path, kind, name=path.name) if isinstance(page, Page)]


@contextmanager
def _unlocked(path: Path, password: str) -> Iterator[Path]:
    """The file, or a copy that needs no password."""
    if not password:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, pdfium.PdfDocument(path, password) as document:
        copy = Path(folder) / path.name
        document.save(copy, flags=raw.FPDF_REMOVE_SECURITY)
        yield copy


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FILES)
