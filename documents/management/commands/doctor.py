"""Whether everything that Footnote needs is there and in order."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.core.cache import cache
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from redis import RedisError

from documents import leases, spaces, strays
from documents.evaluating import index
from documents.models import Block, Document, EmbeddingSpace, Page, Receipt, Version
from documents.progress import worker_is_running
from documents.rag.errors import FootnoteError
from documents.rag.terms import ANALYSIS
from documents.rag.types import HowRead, Passage, Span
from documents.removing import KEPT
from documents.wiring import open_system

State = EmbeddingSpace.State

FREE_MEGABYTES = 512
TIDIED = timedelta(minutes=10)
"""After how long a worker has certainly taken away what a crash left."""

LONG = timedelta(hours=2)
"""How long documents may wait for a worker, with a warning: nobody runs one just to ask the doctor."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and what was found, in a sentence; a warning is of what may be so on purpose."""

    name: str
    ok: bool
    detail: str
    is_warning: bool = False

    @property
    def mark(self) -> str:
        return "WARN " if self.is_warning else "ok   " if self.ok else "WRONG"

    @property
    def as_json(self) -> dict[str, str | bool]:
        return {"name": self.name, "ok": self.ok, "detail": self.detail}


class Command(BaseCommand):
    help = "Check that everything Footnote needs is there and in order. Exits with 1 when something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, json: bool, **options: Any) -> None:
        checks = [checked(name, look) for name, look in LOOKS.items()]
        self.say(checks, as_json=json)
        if not all(check.ok for check in checks):
            sys.exit(1)

    def say(self, checks: Sequence[Check], *, as_json: bool) -> None:
        if as_json:
            ok = all(check.ok for check in checks)
            self.stdout.write(json.dumps({"ok": ok, "checks": [check.as_json for check in checks]}))
        else:
            for check in checks:
                self.stdout.write(f"{check.mark} {check.name}: {check.detail}")


class Wrong(Exception):
    """What is wrong, and what to do about it, in a sentence."""


class Warned(Exception):
    """What may be on purpose, and what to do if it isn't, in a sentence."""


def checked(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except Warned as warning:
        return Check(name, True, str(warning), is_warning=True)
    except (Wrong, FootnoteError, DatabaseError, RedisError, OSError) as error:
        return Check(name, False, str(error).strip())


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"Postgres {cursor.fetchone()[0]} answers."


def pgvector() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        row = cursor.fetchone()
    if row is None:
        raise Wrong("The extension pgvector is missing. Install it, then run `manage.py migrate`.")
    return f"pgvector {row[0]} is there."


def redis() -> str:
    cache.set("doctor", "ok", 10)
    if cache.get("doctor") != "ok":
        raise Wrong("Redis answers, but does not keep what it is given. Check its memory.")
    return "Redis answers and keeps what it is given."


def worker() -> str:
    waiting = leases.free()
    count = waiting.count()
    if worker_is_running():
        return f"A worker is running; {_wait(count, 'document')} for it."
    if not count:
        return "No worker is running; nothing waits for one."
    return _unattended(waiting, f"{_wait(count, 'document')} for one")


def recognition() -> str:
    pages = Page.objects.filter(how_read=HowRead.WAITING, version__in=leases.wanted()).count()
    if not pages or worker_is_running():
        return f"{_wait(pages, 'page')} for text recognition."
    return _unattended(leases.recognisable(), f"{_wait(pages, 'page')} for text recognition")


def _wait(count: int, what: str) -> str:
    """`1 page waits`, `2 pages wait`."""
    return f"{count:,} {what}s wait" if count != 1 else f"1 {what} waits"


def _unattended(waiting: QuerySet[Version], what: str) -> NoReturn:
    """Warn at once; it is wrong when it has lasted."""
    sentence = f"No worker is running, and {what}. Start Footnote with `make run`."
    raise (Wrong if waiting.filter(created__lt=timezone.now() - LONG).exists() else Warned)(sentence)


def embedding_model() -> str:
    return asyncio.run(embed_something())


async def embed_something() -> str:
    async with open_system() as wiring:
        model = await wiring.embedding_model()
        vectors = await model.embed(["Is anybody there?"], query=True)
    return f"{model.name} answers with {vectors.shape[1]} numbers."


def reranker() -> str:
    return asyncio.run(rerank_something())


async def rerank_something() -> str:
    async with open_system() as wiring:
        model = await wiring.reranker()
        if model is None:
            return "There is none; passages stand in the order in which they are found."
        passage = Passage(0, "Somebody is there.", (Span(1, 0, 18),), 4, 1.0, {"source": "doctor"})
        await model.relevance("Is anybody there?", [passage])
    return f"{model.name} reads passages again."


def embedding_space() -> str:
    live, building = spaces.in_state(State.LIVE), spaces.in_state(State.BUILDING)
    if live is None:
        return "There is no embedding space yet; the first document makes one."
    if building and building.error:
        raise Warned(f"{live} serves. {building} is not being built just now: {building.error}")
    if building:
        return f"Documents are embedded by {live}. {building} is being built: see `manage.py reembed`."
    if sentence := spaces.differs_from_setting():
        raise Wrong(sentence)
    return f"Documents are embedded by {live}."


def orphans() -> str:
    if found := strays.rows():
        raise Wrong("; ".join(f"{count:,} {name}" for name, count in found.items()) + ". Please report this.")
    return "Every chunk has its vectors and words, and nothing is left of what was removed."


def words() -> str:
    blocks = Block.objects.aggregate(all=Count("pk"), old=Count("pk", filter=Q(analysis__lt=ANALYSIS)))
    if not blocks["old"]:
        return "All texts are indexed as this version of Footnote does it."
    raise Warned(
        f"{blocks['old']:,} of {blocks['all']:,} parts of the index were made by an earlier version of Footnote. They "
        "are searched, less well; a worker is making them anew."
    )


def files() -> str:
    known, kept = strays.known(), strays.stored()  # In this order: what comes in meanwhile is no stray.
    if missing := known - kept:
        raise Wrong(f"{len(missing):,} files are gone, such as {min(missing)}. Restore them from your backup.")
    left = strays.files()
    if old := [name for name, age in left.items() if age > TIDIED]:
        raise Wrong(
            f"{len(old):,} files belong to no document, such as {min(old)}. What a crash left is removed by a worker; "
            "delete what is older than a day."
        )
    soon = f"; {len(left):,} that a crash left are removed in a few minutes" if left else ""
    return f"{len(kept) - len(left):,} files, each of a document{soon}."


def pictures() -> str:
    if left := strays.pictures():
        raise Wrong(
            f"{len(left):,} pictures of pages belong to no document, such as {left[0].name}; a worker removes them."
        )
    return "Every picture of a page is of a document."


def removed() -> str:
    """What should have been erased by now, a day being allowed for."""
    due = timezone.now() - KEPT - timedelta(days=1)
    overdue = Document.objects.filter(deleted_at__lt=due).count()
    late = Receipt.objects.filter(finished=None, ordered__lt=timezone.now() - LONG).count()
    if overdue or late:
        raise Wrong(f"{overdue:,} removed documents and {late:,} orders to erase are overdue. Start a worker.")
    waiting = Document.objects.filter(deleted_at__isnull=False).count()
    return f"{waiting:,} removed documents can be restored, or wait to be erased; none is overdue."


def evaluations() -> str:
    if left := index.abandoned().count():
        raise Warned(f"Evaluations that were broken off have left {left:,} of their indexes. A worker removes them.")
    return "No evaluation has left its index behind."


def stuck() -> str:
    expired = leases.free().exclude(lease=None).count()
    if expired and worker_is_running():
        raise Wrong(f"{expired:,} documents are held by a worker that is gone. Another takes them within a minute.")
    return "No document is held by a worker that is gone."


def disk() -> str:
    free = shutil.disk_usage(settings.DATA_DIR).free // 2**20
    if free < FREE_MEGABYTES:
        raise Wrong(f"Only {free:,} MB are left on the disk of {settings.DATA_DIR}. Make room.")
    return f"{free:,} MB are left."


LOOKS: dict[str, Callable[[], str]] = {
    "database": database,
    "pgvector": pgvector,
    "redis": redis,
    "worker": worker,
    "text recognition": recognition,
    "embedding model": embedding_model,
    "reranker": reranker,
    "embedding space": embedding_space,
    "index": orphans,
    "words": words,
    "files": files,
    "pictures": pictures,
    "removed": removed,
    "evaluations": evaluations,
    "leases": stuck,
    "disk": disk,
}
