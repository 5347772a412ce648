"""How soon uploads can be found, beside a straight script with the same texts, and what each stage takes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.corpus import Corpus
from bench.figures import Figure, rounded, tell
from bench.programs import ModelServer, Product, fill
from bench.sizes import CHUNKS, LIBRARIES, PASSWORD, READER
from bench.visitor import File, Visitor
from config import embedded
from tests.installation import ROOT

LARGE_BYTES = 5_000_000
SMALL_FILES, SMALL_WORDS = 200, 300
ROUNDS = 3
OF_THE_FLOOR, OF_A_BARE_LOOP = 0.7, 0.8
"""The rates, as shares, that ingest and its embedding stage are to have at least."""
FOR_NAMES = 0.25
"""What names may add to an ingest without them, as a share."""
PATIENCE = 300.0


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder, ModelServer() as model:
        data = Path(folder)
        fill(data, model)
        with Product(data, model.settings) as product:
            visitor = Visitor(product.address, READER, PASSWORD)
            uploads = Uploads(data, product, model, visitor)
            uploads.upload([("warming up.txt", b"To begin with.")])
            uploads.measure("a text of 5 MB can be found", 7, [_large(number) for number in range(ROUNDS)])
            uploads.measure("200 small files can be found", 4, [_small(number) for number in range(ROUNDS)])
            uploads.tell_stages(_large(ROUNDS)[0])


class Uploads:
    """Files into new libraries, timed from the first byte sent to the last document told to be ready."""

    def __init__(self, data: Path, product: Product, model: ModelServer, visitor: Visitor) -> None:
        self._data = data
        self._product = product
        self._model = model
        self._visitor = visitor
        self._libraries = 0

    def measure(self, name: str, target: float, rounds: Sequence[Sequence[File]]) -> None:
        """The medians of the rounds, each with its floor run right after it."""
        spent: Counter[str] = Counter()
        seconds, floors = [], []
        for files in rounds:
            before = self._cpu()
            seconds.append(self.upload(files))
            spent += self._cpu() - before
            floors.append(self._floor(files))
        shares = [floor / own for floor, own in zip(floors, seconds, strict=True)]
        about: dict[str, Any] = {
            "rounds": [round(one, 2) for one in seconds],
            "files": len(rounds[0]),
            "bytes": sum(len(content) for _, content in rounds[0]),
            "chunks before": LIBRARIES * CHUNKS,
            "floor's seconds": [round(one, 2) for one in floors],
            "cpu seconds a round": rounded({side: cpu / len(rounds) for side, cpu in spent.items()}),
        }
        tell(Figure(name, median(seconds), "s", target), **about)
        tell(Figure(f"{name}: the floor's rate", median(shares), "×", OF_THE_FLOOR, at_least=True), shares=shares)

    def tell_stages(self, file: File) -> None:
        name, content = file
        path = self._data / name
        path.write_bytes(content)
        code = f"from bench.stages import main; main({str(path)!r})"
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--data", str(self._data)]
        done = subprocess.run(
            [*command, "--command", code], cwd=ROOT, env=self._product.settings, capture_output=True, check=True
        )
        on = json.loads(done.stdout.splitlines()[-1])
        share, names = on.pop("embedding"), on.pop("names")
        tell(Figure("embedding: a bare loop's rate", share, "×", OF_A_BARE_LOOP, at_least=True), **on)
        tell(Figure("names: what they add to an ingest's stages", names, "×", FOR_NAMES), **on)

    def upload(self, files: Sequence[File]) -> float:
        self._libraries += 1
        name = f"Uploads {self._libraries}"
        library = self._visitor.create_library(name)
        started = time.monotonic()
        documents = self._visitor.upload_and_watch(library, files)
        asyncio.run(asyncio.wait_for(documents, PATIENCE))
        seconds = time.monotonic() - started
        self._check(name, files[-1])
        return seconds

    def _check(self, library: str, file: File) -> None:
        """The end of the last file is really found, by the command."""
        name, content = file
        command = [sys.executable, "manage.py", "search", content.decode().split()[-1], "--library", library]
        command += ["--user", READER, "--json", "--data", str(self._data)]
        done = subprocess.run(command, cwd=ROOT, env=self._product.settings, capture_output=True, check=True)
        if name not in {hit["document"] for hit in json.loads(done.stdout)}:
            raise RuntimeError(f"{name} was told to be ready, and isn't found.")

    def _cpu(self) -> Counter[str]:
        return self._product.cpu() + self._model.cpu()

    def _floor(self, files: Sequence[File]) -> float:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name, _ in files]
            for path, (_, content) in zip(paths, files, strict=True):
                path.write_bytes(content)
            command = [sys.executable, "-m", "bench.floors.ingest", embedded.database_url(self._data)]
            command += [str(self._model.port), *map(str, paths)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        return float(json.loads(done.stdout)["seconds"])


def _large(number: int) -> list[File]:
    text = Corpus(seed=1_000 + number).text(LARGE_BYTES // 4)
    return [(f"large {number}.txt", text.encode()[:LARGE_BYTES] + b" endoflarge")]


def _small(number: int) -> list[File]:
    """Each ends with a word of its own."""
    corpus = Corpus(seed=2_000 + number)
    texts = [f"# Note {n}\n\n{corpus.text(SMALL_WORDS)} endofnote{n}" for n in range(SMALL_FILES)]
    return [(f"small {number}-{n}.md", text.encode()) for n, text in enumerate(texts)]


if __name__ == "__main__":
    main()
