"""What the worker and its children weigh while they take in all test files: a figure for `make bench`.

Run from the project's root: `python -m bench.weight [FILES]`, where FILES holds a manifest.tsv. Files that need OCR are
left out, and the process that recognises text, which has a cap of its own, isn't counted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from bench.expected import manifest
from bench.figures import Figure, tell
from bench.memory import Watched
from bench.pages import COUNTED, MEGABYTES, working
from bench.parsing import FILES
from bench.programs import Product, rows
from tests.installation import ROOT

AT_WORK = "SELECT count(*) FROM documents_version WHERE status IN ('queued', 'reading', 'embedding')"
ENDED = "SELECT status FROM documents_version"
RECOGNISER = "documents.rag.ocr.child"


def main(root: Path) -> None:
    if not (root / "manifest.tsv").exists():
        sys.exit(f"There are no test files in {root}. Name their folder: python -m bench.weight FILES")
    files = [str(root / file.name) for file in manifest(root) if not file.needs_ocr]
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder, Product(Path(folder)) as product:
        with Watched(lambda: _reading(product)) as watched:
            _ingest(product, files)
            while rows(product.data, AT_WORK) != [(0,)]:
                time.sleep(0.5)
        ended = Counter(status for (status,) in rows(product.data, ENDED))
        about = {"counted": COUNTED, "documents": dict(ended)}
        tell(Figure("peak memory of the worker over all files", watched.peak / 2**20, "MB", MEGABYTES), **about)


def _ingest(product: Product, files: list[str]) -> None:
    command = [sys.executable, "manage.py", "ingest", *files, "--library", "Files", "--data", str(product.data)]
    subprocess.run(command, cwd=ROOT, env=product.settings, stdout=subprocess.DEVNULL, check=True)


def _reading(product: Product) -> list[psutil.Process]:
    return [process for process in working(product) if not _recognises(process)]


def _recognises(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return RECOGNISER in process.cmdline()
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FILES)
