"""The fault run: `python -m bench.faults [ROUNDS]` kills processes with -9 while files come in and answers stream.

In each round some dozens of files are uploaded, questions are asked, and the worker, the web server, Postgres and
Valkey are killed in a random order. Then every document must be ready, once; no answer may be left unended, or be told
otherwise than it is stored; and `doctor` must be content.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any
from zipfile import ZipFile

import httpx2
import psutil
import psycopg
from PIL import Image, ImageDraw, ImageFont

from bench.client import Load, Read
from bench.corpus import Corpus
from bench.figures import Figure, tell
from bench.model_server import Pace
from bench.programs import ModelServer, Product, doctor, kind, read_answers, rows
from bench.visitor import File, Visitor
from tests.rag.pdfs import pdf, text

ROUNDS = 5
VICTIMS = ("worker", "web", "Postgres", "Valkey")
FILES, MEMBERS = 36, 10
"""What is uploaded in a round, and what lies in each of its archives."""

PATIENCE = 180.0
"""Seconds that an installation has to mend itself."""

TIDIED = 240.0
"""Seconds after which a worker has looked for files of no document, and found those of the last crash old enough."""

LEASE = 16.0
"""Seconds after which an answer whose writer was killed counts as left alone."""

UNFINISHED = "SELECT count(*) FROM documents_version WHERE status NOT IN ('ready', 'failed')"
NOT_READY = """
SELECT document.name, version.status, version.error FROM documents_document AS document
LEFT JOIN documents_version AS version ON version.id = document.latest_id
WHERE document.current_id IS DISTINCT FROM document.latest_id OR version.status <> 'ready'
"""
TWICE = """
SELECT name, library_id, count(*) FROM documents_document GROUP BY name, library_id HAVING count(*) > 1
"""


def main(rounds: int) -> None:
    chance = random.Random()
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder, ModelServer() as model:
        model.pace(Pace(tokens=300, rate=50))
        product = Product(Path(folder), model.settings)
        faults = [fault for number in range(rounds) for fault in Round(number, product, chance).run()]
        faults += left_lying(product)
        tell(Figure("faults left by kill -9 of anything", len(faults), "", 0), rounds=rounds, faults=faults[:10])


def left_lying(product: Product) -> list[str]:
    """The files of no document that are still there after a worker has had the time to take them away."""
    known = "SELECT file FROM documents_version"
    deadline = time.monotonic() + PATIENCE + TIDIED
    with product:
        while time.monotonic() < deadline:
            stored = {path.name for path in product.data.glob("*/documents/*")}
            left = stored - {Path(file).name for (file,) in rows(product.data, known)}
            if not left:
                return []
            time.sleep(5)
    return [f"a file of no document: {name}" for name in sorted(left)]


class Round:
    """One upload, questions all the while, and a kill of everything in turn."""

    def __init__(self, number: int, product: Product, chance: random.Random) -> None:
        self._number = number
        self._product = product
        self._chance = chance
        self._corpus = Corpus(seed=number)
        self._answers: list[Read] = []
        self._over = Event()

    def run(self) -> list[str]:
        """What is wrong after it."""
        with self._product:
            visitor = Visitor(self._product.address, self._product.email, self._product.password)
            library = visitor.create_library(f"Round {self._number}")
            threads = [Thread(target=self._upload, args=[visitor, library]), Thread(target=self._ask, args=[visitor])]
            for thread in threads:
                thread.start()
            self._kill_everything()
            self._over.set()
            for thread in threads:
                thread.join()
            self._wait_for_documents()
        time.sleep(LEASE)
        with self._product:
            faults = list(self._faults())
        endings = [answer.ending for answer in self._answers]
        self._say(f"{len(endings)} answers, {endings.count('done')} of them whole; faults: {faults or 'none'}")
        return faults

    def _kill_everything(self) -> None:
        for victim in self._chance.sample(VICTIMS, len(VICTIMS)):
            time.sleep(self._chance.uniform(0.5, 4))
            living = self._living(victim)
            chosen = self._chance.choice((living[:1], [self._chance.choice(living)], living))
            self._say(f"kill -9 of {len(chosen)} of {len(living)} processes of {victim}")
            for process in chosen:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def _living(self, victim: str) -> list[psutil.Process]:
        """Its processes, waiting for them where another kill ended them a moment ago."""
        while not (living := [process for process in self._product.tree() if kind(process) == victim]):
            time.sleep(0.1)
        return living

    def _upload(self, visitor: Visitor, library: int) -> None:
        """As somebody who tries again when the page says that the upload broke off."""
        deadline = time.monotonic() + PATIENCE
        for at in range(0, FILES, 6):
            files = [self._file(number) for number in range(at, at + 6)]
            while time.monotonic() < deadline:
                with suppress(httpx2.HTTPError):
                    visitor.upload(library, files)
                    break
                time.sleep(0.5)

    def _file(self, number: int) -> File:
        """Every sixth is long, every twelfth an archive, and the last a picture."""
        words = self._corpus.text(40_000 if number % 6 == 0 else 700)
        match number % 12:
            case 0 | 3 | 6 | 9:
                return f"{number}.txt", words.encode()
            case 5:
                return f"{number}.zip", self._archive(number)
            case 11 if number == FILES - 1:
                return f"{number}.png", self._picture()
            case 11:
                return f"{number}.pdf", self._pdf()
            case 1 | 4 | 7 | 10:
                return f"{number}.md", f"# Note {number}\n\n{words}".encode()
            case _:
                return f"{number}.html", f"<h1>Note {number}</h1><p>{words}</p>".encode()

    def _archive(self, number: int) -> bytes:
        packed = io.BytesIO()
        with ZipFile(packed, "w") as archive:
            for member in range(MEMBERS):
                archive.writestr(f"notes/{number}.{member}.txt", self._corpus.text(300))
        return packed.getvalue()

    def _pdf(self) -> bytes:
        pages = (self._corpus.text(400).split("\n\n") for _ in range(60))
        return pdf(*(text(*((40, 760 - 20 * at, line[:90]) for at, line in enumerate(lines))) for lines in pages))

    def _picture(self) -> bytes:
        drawn = io.BytesIO()
        image = Image.new("L", (700, 120), "white")
        ImageDraw.Draw(image).text((20, 40), self._corpus.text(6), "black", ImageFont.load_default(24))
        image.save(drawn, "PNG")
        return drawn.getvalue()

    def _ask(self, visitor: Visitor) -> None:
        asked = 0
        while not self._over.is_set():
            questions = [self._corpus.question(1_000 * self._number + asked + more) for more in range(4)]
            asked += len(questions)
            load = Load(self._product.port, "/ws/chat/", questions, [0, 0.5, 1, 1.5], visitor.cookie, patience=30)
            with suppress(RuntimeError):  # Nobody listens just now.
                answers, _ = read_answers(load)
                self._answers += answers
            self._over.wait(0.5)

    def _wait_for_documents(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(psycopg.OperationalError):
                if rows(self._product.data, UNFINISHED) == [(0,)]:
                    return
            time.sleep(0.5)

    def _faults(self) -> Iterator[str]:
        data = self._product.data
        yield from (f"not ready: {row}" for row in rows(data, NOT_READY))
        yield from (f"there twice: {row}" for row in rows(data, TWICE))
        expected = (FILES + MEMBERS * len(range(5, FILES, 12))) * (self._number + 1)
        documents = rows(data, "SELECT count(*) FROM documents_document WHERE name ~ '^[0-9]+[.]'")
        if documents != [(expected,)]:
            yield f"documents: {documents}, not {expected}"
        yield from (f"unended: {row}" for row in rows(data, "SELECT id FROM chat_message WHERE status = 'streaming'"))
        stored: dict[int, Any] = dict(rows(data, "SELECT id, text FROM chat_message WHERE status = 'complete'"))
        for answer in self._answers:
            if answer.ending == "done" and stored.get(answer.message) != answer.text:
                yield f"answer {answer.message} is stored otherwise"
        yield from doctor(self._product)

    def _say(self, line: str) -> None:
        print(json.dumps({"round": self._number, "time": time.strftime("%H:%M:%S"), "log": line}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS)
