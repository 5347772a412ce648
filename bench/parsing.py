"""What becomes of the test files: each ready or refused with a sentence, its expected text found, at what cost.

Run from the project's root: `python -m bench.parsing [FILES]`, where FILES holds a manifest.tsv. A line for each file,
then the figures; how texts are compared is told in `bench.expected`. Pages without a text are recognised in those files
that need it. Files that need a password are unlocked as the product does, with theirs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pypdfium2 as pdfium

from bench.expected import ENOUGH, File, Texts, fairly, likeness, manifest, strictly
from bench.figures import Figure, tell
from bench.memory import Watched
from bench.speed import tell_speed
from documents.rag.errors import UnreadableDocument
from documents.rag.ocr.recogniser import Recogniser
from documents.rag.parsing import media_type
from documents.rag.parsing.reading import read
from documents.rag.parsing.unlocking import write_unlocked
from documents.rag.types import HowRead, Page

FILES = Path(__file__).parents[2] / "shared/data/files"
MEGABYTES = 600
"""What a worker and its children may use while they read."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: its pages by how they were read, or the sentence by which it was refused.

    `found` and `strictly` say whether the expected text is there, None where nothing is expected; `like` is how like it
    is what was recognised.
    """

    file: str
    seconds: float
    pages: dict[str, int]
    said: str
    found: bool | None
    strictly: bool | None
    like: float | None

    @property
    def broke_down(self) -> bool:
        """Whether a reader had to be ended, or ended by itself."""
        return HowRead.FAILED in self.pages


def main(root: Path) -> None:
    if not (root / "manifest.tsv").exists():
        sys.exit(f"There are no test files in {root}. Name their folder: python -m bench.parsing FILES")
    files = list(manifest(root))
    plain, pictured = [[file for file in files if file.needs_ocr is ocr] for ocr in (False, True)]
    outcomes, peak = _outcomes(root, plain)
    recognised, most = _outcomes(root, pictured)
    _tell_found(outcomes)
    _tell("files recognised", recognised, 7)
    expecting = {file.name for file in files if file.expected}
    every = [each for each in (*outcomes, *recognised) if each.file in expecting]
    _tell("files with their expected text, those recognised among them", every, 0.95 * len(every))
    pages = sum(sum(each.pages.values()) for each in recognised)
    tell(Figure("a recognised page", sum(each.seconds for each in recognised) / max(pages, 1), "s"), pages=pages)
    tell(Figure("peak memory while pages are recognised", most / 2**20, "MB"), counted=Watched.counted)
    _tell_bare(root, files)
    broken = sum(each.broke_down for each in (*outcomes, *recognised))
    tell(Figure("files at which a reader broke down", broken, "files", 0), of=len(files))
    tell(Figure("peak memory over all that need no OCR", peak / 2**20, "MB", MEGABYTES), counted=Watched.counted)
    tell_speed(root)


def _tell_found(outcomes: Sequence[Outcome]) -> None:
    plain = [each for each in outcomes if each.found is not None]
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


def _outcomes(root: Path, files: Iterable[File]) -> tuple[list[Outcome], int]:
    """What becomes of the files, told one by one, and the most bytes of memory."""
    outcomes = list[Outcome]()
    with Watched() as watched:
        for file in files:
            outcomes.append(asyncio.run(_outcome(root, file)))
            print(json.dumps(asdict(outcomes[-1]), ensure_ascii=False), flush=True)
    return outcomes, watched.peak


async def _outcome(root: Path, file: File) -> Outcome:
    began = time.monotonic()
    said, pages = "", list[Page]()
    try:
        async with _unlocked(root / file.name, file.password) as path:
            pages = await _pages(path, recognised=file.needs_ocr)
    except UnreadableDocument as refusal:
        said = str(refusal)
    seconds = round(time.monotonic() - began, 2)
    texts = {page.number: page.text for page in pages}
    how = Counter(page.how_read.value for page in pages)
    return Outcome(file.name, seconds, dict(how), said, *_comparison(file, texts))


def _comparison(file: File, texts: Texts) -> tuple[bool | None, bool | None, float | None]:
    """Whether the expected text is found, and strictly; where it is recognised, how like it is."""
    if file.needs_ocr:
        like = likeness(file, texts)
        return like >= ENOUGH, strictly(file, texts), round(like, 2)
    return (fairly(file, texts), strictly(file, texts), None) if file.expected else (None, None, None)


async def _pages(path: Path, *, recognised: bool) -> list[Page]:
    """The file's pages; those without a text are `recognised` from their pictures, or left."""
    with path.open("rb") as file:
        kind = media_type(path.name, file)
    pages = [page async for page in read(path, kind, name=path.name) if isinstance(page, Page)]
    async with Recogniser() as recogniser:
        for at, page in enumerate(pages):
            if recognised and page.how_read is HowRead.WAITING:
                pages[at] = await recogniser.page(path, kind, page.number, name=path.name)
    return pages


@asynccontextmanager
async def _unlocked(path: Path, password: str) -> AsyncIterator[Path]:
    """The file, or a copy that needs no password."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        locked = bool(password) and await write_unlocked(path, password, copy, name=path.name)
        yield copy if locked else path


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FILES)
