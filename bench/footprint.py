"""How soon an installation is ready, and how much memory it holds when it has nothing to do.

It has no endpoint: the embedding model is the installed one, and web and worker have both used it.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.client import Load
from bench.figures import Figure, rounded, tell
from bench.programs import Product, read_answers
from bench.visitor import Visitor

IDLE_SECONDS = 30
NOTE = "Contractors send their invoice on the last working day of a month. It is paid within thirty days."
QUESTION = "When do contractors send their invoice?"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder:
        product = Product(Path(folder))
        started = time.monotonic()
        with product:
            _tell_ready("first", product, started)
        started = time.monotonic()
        with product:
            _tell_ready("second", product, started)
            _tell_memory(product)


def _tell_ready(start: str, product: Product, started: float) -> None:
    product.get("account/login/")
    tell(Figure(f"ready, {start} start", time.monotonic() - started, "s", 10))


def _tell_memory(product: Product) -> None:
    visitor = Visitor(product.address, product.email, product.password)
    library = visitor.create_library("Notes")
    asyncio.run(visitor.upload_and_watch(library, [("note.txt", NOTE.encode())]))
    [answer], _ = read_answers(Load(product.port, "/ws/chat/", [QUESTION], cookie=visitor.cookie))
    time.sleep(IDLE_SECONDS)
    sizes = {kind: size / 2**20 for kind, size in product.memory().items()}
    tell(
        Figure(f"idle {IDLE_SECONDS} s after an upload and an answer, PSS", sum(sizes.values()), "MB", 800),
        megabytes=rounded(sizes, 0),
        processes=len(product.tree()),
        answer=answer.text,
    )


if __name__ == "__main__":
    main()
