"""A library of 1,000 documents is removed and erased while questions are asked: what the receipt says, and who waits.

Its owner does it through the pages, as anybody would; the questions come over sockets, from before the removal to after
the erasing.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from bench.client import Load, Read
from bench.corpus import Corpus
from bench.figures import Figure, percentile, tell
from bench.model_server import Pace
from bench.programs import ModelServer, Product, doctor, read_answers, rows
from bench.visitor import File, Visitor

DOCUMENTS, WORDS = 1_000, 600
QUESTIONS = 4
"""Asked within a second, again and again."""

LIBRARY = "To be erased"

BEFORE = {
    "documents": "SELECT count(*) FROM documents_document WHERE library_id = %s",
    "versions": """SELECT count(*) FROM documents_version AS version
        JOIN documents_document AS document ON document.id = document_id WHERE library_id = %s""",
    "pages": """SELECT count(*) FROM documents_page AS page JOIN documents_version AS version ON version.id = version_id
        JOIN documents_document AS document ON document.id = document_id WHERE library_id = %s""",
    "chunks": "SELECT sum(chunks) FROM documents_block WHERE library_id = %s",
    "embeddings": "SELECT count(*) FROM documents_embedding WHERE library_id = %s",
    "postings": "SELECT sum(length(packed)) / 8 FROM documents_posting WHERE library_id = %s AND term <> ''",
    "files": """SELECT count(*) FROM documents_version AS version
        JOIN documents_document AS document ON document.id = document_id WHERE library_id = %s""",
    "bytes of files": """SELECT sum(bytes) FROM documents_version AS version
        JOIN documents_document AS document ON document.id = document_id WHERE library_id = %s""",
}

CITING = """
SELECT count(*) FROM chat_citation AS citation JOIN chat_message AS message ON message.id = message_id
WHERE message.created > %s AND (sha256 = ANY(%s) OR erased_at IS NOT NULL)
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder, ModelServer() as model:
        model.pace(Pace(tokens=60, rate=200))
        with Product(Path(folder), model.settings) as product:
            _run(product)


def _run(product: Product) -> None:
    owner = Visitor(product.address, product.email, product.password)
    library = owner.create_library(LIBRARY)
    kept = owner.create_library("To be kept")
    corpus = Corpus(seed=1)
    asyncio.run(owner.upload_and_watch(kept, list(_files(corpus, 100))))
    asyncio.run(owner.upload_and_watch(library, list(_files(corpus, DOCUMENTS))))
    before = {kind: int(rows(product.data, query, [library])[0][0]) for kind, query in BEFORE.items()}
    hashes = [sha256 for (sha256,) in rows(product.data, HASHES, [library])]

    quiet = _asked(product, owner, corpus, rounds=6)
    over = Event()
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(_ask_until, over, product, owner, corpus)
        time.sleep(3)
        started = time.monotonic()
        owner.post(f"/libraries/{library}/delete", name=LIBRARY)
        removed = time.monotonic() - started
        [(moment,)] = rows(product.data, "SELECT clock_timestamp()")
        started = time.monotonic()
        receipt = _finished(owner, owner.post(f"/libraries/{library}/erase"))
        erased = time.monotonic() - started
        time.sleep(3)
        over.set()
        busy = asking.result()

    print(json.dumps({**receipt, "versions": len(receipt["versions"])}), flush=True)
    wrong = {
        kind: (count, receipt["erased"].get(kind))
        for kind, count in before.items()
        if receipt["erased"].get(kind) != count
    }
    wrong |= {kind: (0, count) for kind, count in receipt["left"].items() if count}
    [(citing,)] = rows(product.data, CITING, [moment, hashes])
    faults = list(doctor(product))
    unended = sum(answer.ending != "done" for answer in busy)
    tell(Figure("counts of the receipt that are not those before", len(wrong), "", 0), wrong=wrong)
    tell(Figure("footnotes to it by answers begun after its removal", citing, "", 0), answers=len(busy))
    tell(Figure("orphans by doctor after it", len(faults), "", 0), faults=faults)
    tell(Figure(f"until nothing of {DOCUMENTS:,} documents is found", removed, "s", 1))
    tell(Figure(f"until {DOCUMENTS:,} documents are erased", erased, "s"))
    slower = percentile([answer.first for answer in busy], 95) / percentile([answer.first for answer in quiet], 95)
    tell(
        Figure("first token meanwhile, 95th percentile, of that before", slower, "×", lost=unended),
        before_ms=round(percentile([answer.first for answer in quiet], 95) * 1000),
        meanwhile_ms=round(percentile([answer.first for answer in busy], 95) * 1000),
    )


HASHES = """
SELECT sha256 FROM documents_version AS version JOIN documents_document AS document ON document.id = document_id
WHERE library_id = %s
"""


def _files(corpus: Corpus, count: int) -> Iterator[File]:
    for number in range(count):
        yield f"note {number}.md", f"# Note {number}\n\n{corpus.text(WORDS)}".encode()


def _asked(product: Product, visitor: Visitor, corpus: Corpus, *, rounds: int) -> list[Read]:
    return [answer for _ in range(rounds) for answer in _ask(product, visitor, corpus)]


def _ask_until(over: Event, product: Product, visitor: Visitor, corpus: Corpus) -> list[Read]:
    answers: list[Read] = []
    while not over.is_set():
        answers += _ask(product, visitor, corpus)
    return answers


def _ask(product: Product, visitor: Visitor, corpus: Corpus) -> list[Read]:
    questions = [corpus.question(number) for number in range(QUESTIONS)]
    at = [number / QUESTIONS for number in range(QUESTIONS)]
    answers, _ = read_answers(Load(product.port, "/ws/chat/", questions, at, visitor.cookie, patience=60))
    return answers


def _finished(owner: Visitor, address: str) -> dict[str, Any]:
    """The receipt, once it is told."""
    while True:
        answer = owner.http.get(re.sub(r"/$", ".json", address))
        if answer.status_code == 200:
            return dict(answer.json())
        time.sleep(0.1)


if __name__ == "__main__":
    main()
