"""How well each strategy retrieves, on questions whose answers are known."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from documents.models import Document, Library, Version
from documents.rag.evaluation import documents as each_once
from documents.rag.evaluation import ndcg, recall, reciprocal_rank
from documents.rag.strategies import MEASURED
from documents.rag.system import DEFAULT_STRATEGY, RAGSystem
from documents.rag.types import Question, Turn
from documents.vector_db import merge, remove
from documents.wiring import Wiring, open_system

DEPTH = 100
AT_A_TIME = 512
"""Documents that are indexed in one call."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection in BEIR's layout: documents, questions, and which document answers which."""

    corpus: list[dict[str, Any]]
    queries: list[dict[str, Any]]
    relevance: dict[str, dict[str, int]]

    @classmethod
    def read(cls, directory: Path) -> Collection:
        """Raises CommandError where a file is missing or not of the layout, or no question has an answer."""
        try:
            relevance = _relevance(directory / "qrels.tsv")
            queries = [query for query in _lines(directory / "queries.jsonl") if query["id"] in relevance]
            corpus = list(_lines(directory / "corpus.jsonl"))
        except FileNotFoundError as error:
            raise CommandError(f"{error.filename} is missing; {directory} must be in BEIR's layout.") from error
        except (OSError, EOFError) as error:
            raise CommandError(f"{directory} can't be read: {error}.") from error
        if twice := [name for name, count in Counter(entry["id"] for entry in corpus).items() if count > 1]:
            raise CommandError(f"{directory} has the document {twice[0]} twice.")
        if not corpus or not queries:
            raise CommandError(f"There is no document in {directory}, or no question that qrels.tsv has an answer to.")
        return cls(corpus, queries, relevance)


class Command(BaseCommand):
    help = "Measure how well strategies retrieve, on a collection in BEIR's layout, in an index of its own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="holds corpus.jsonl, queries.jsonl, qrels.tsv")
        parser.add_argument("--strategy", action="append", choices=MEASURED, help="may be repeated (default: hybrid)")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(self, *, directory: Path, strategy: list[str] | None, json: bool, **options: Any) -> None:
        collection = Collection.read(directory)
        figures = asyncio.run(evaluate(collection, strategy or [DEFAULT_STRATEGY]))
        self.stdout.write(_json(figures) if json else _table(figures))


async def evaluate(collection: Collection, strategies: Sequence[str]) -> dict[str, dict[str, float]]:
    """Strategy → its figures. The index is made for this run, and removed after it."""
    async with open_system() as wiring:
        library, versions = await database_sync_to_async(_make_rows)(collection)
        try:
            system = await wiring.system([library.pk], cache=settings.DATA_DIR / "evaluation")
            await _index(system, wiring, library, versions, collection)
            return {strategy: await _measure(system, collection, strategy) for strategy in strategies}
        finally:
            async with wiring.pool.connection() as connection:
                await remove(connection, versions)
            await database_sync_to_async(library.delete)()


def _make_rows(collection: Collection) -> tuple[Library, list[int]]:
    library = Library.objects.create(name="Evaluation, removed when it ends")
    documents = Document.objects.bulk_create(
        Document(library=library, source=entry["id"], name=entry["id"][:255], title=entry.get("title", "")[:500])
        for entry in collection.corpus
    )
    versions = Version.objects.bulk_create(
        Version(document=document, media_type="text/plain", bytes=0, status=Version.Status.READY)
        for document in documents
    )
    for document, version in zip(documents, versions, strict=True):
        document.current = version
    Document.objects.bulk_update(documents, ["current"], batch_size=1000)
    return library, [version.pk for version in versions]


async def _index(
    system: RAGSystem, wiring: Wiring, library: Library, versions: Sequence[int], collection: Collection
) -> None:
    metadata = [
        {"source": entry["id"], "title": entry.get("title", ""), "library": library.pk, "version": version}
        for entry, version in zip(collection.corpus, versions, strict=True)
    ]
    texts = [entry["text"] for entry in collection.corpus]
    for start in range(0, len(texts), AT_A_TIME):
        await system.index_documents(texts[start : start + AT_A_TIME], metadata[start : start + AT_A_TIME])
    await merge(wiring.pool, library.pk)


async def _measure(system: RAGSystem, collection: Collection, strategy: str) -> dict[str, float]:
    rankings, seconds = [], []
    for query in collection.queries:
        started = time.perf_counter()
        found = await system.search(_question(query), strategy=strategy)
        seconds.append(time.perf_counter() - started)
        rankings.append(each_once([passage.source for passage in found]))
    judged = [(ranking, collection.relevance[q["id"]]) for ranking, q in zip(rankings, collection.queries, strict=True)]
    return {
        "ndcg@10": fmean(ndcg(*pair) for pair in judged),
        "recall@5": fmean(recall(*pair, 5) for pair in judged),
        "recall@10": fmean(recall(*pair, 10) for pair in judged),
        "recall@100": fmean(recall(*pair, 100) for pair in judged),
        "mrr": fmean(reciprocal_rank(*pair) for pair in judged),
        "p50_ms": _percentile(seconds, 50) * 1000,
        "p95_ms": _percentile(seconds, 95) * 1000,
    }


def _question(query: dict[str, Any]) -> Question:
    turns = tuple(Turn(turn["role"], turn["text"]) for turn in query.get("history", ()))
    return Question(query["text"], turns, top_k=DEPTH)


def _percentile(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


# --- Reading and printing ---------------------------------------------------------------------


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(path.name + ".gz").read_bytes())
    for number, line in enumerate(data.splitlines(), 1):
        yield _entry(line, f"{path}, line {number},")


def _entry(line: bytes, where: str) -> dict[str, Any]:
    """A document or a question. Raises CommandError."""
    try:
        entry = json.loads(line)
        # BEIR itself says _id.
        entry["id"] = entry["id"] if "id" in entry else entry["_id"]
        if entry["id"] and isinstance(entry["id"], str) and isinstance(entry["text"], str):
            return dict(entry)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise CommandError(f"{where} is not in BEIR's layout: it must be a JSON object with an id and a text.")


def _relevance(path: Path) -> dict[str, dict[str, int]]:
    """Query → document → grade, of the queries that any document answers."""
    found: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t")
        next(rows, None)
        for row in rows:
            try:
                query, document, grade = row[0], row[1], int(row[2])
            except (IndexError, ValueError):
                raise CommandError(
                    f"{path}, line {rows.line_num}, is not in BEIR's layout: a question, a document and a whole number."
                ) from None
            if grade > 0:
                found.setdefault(query, {})[document] = grade
    return found


def _json(figures: dict[str, dict[str, float]]) -> str:
    rounded = {
        strategy: {name: round(value, 4) for name, value in of_strategy.items()}
        for strategy, of_strategy in figures.items()
    }
    return json.dumps({"strategies": rounded})


def _table(figures: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(figures.values())))
    lines = ["strategy".ljust(12) + "".join(name.rjust(12) for name in names)]
    for strategy, values in figures.items():
        numbers = (f"{values[name]:.1f}" if name.endswith("_ms") else f"{values[name]:.3f}" for name in names)
        lines.append(strategy.ljust(12) + "".join(number.rjust(12) for number in numbers))
    return "\n".join(lines)
