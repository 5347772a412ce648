"""What waits, handed to the workers."""

from __future__ import annotations

from collections.abc import Iterable

from celery import current_app
from django.db import transaction

from documents import short
from documents.models import Version

INDEX, RECOGNISE, REEMBED = "documents.tasks.index", "documents.tasks.recognise", "documents.tasks.reembed"
RELATE = "documents.tasks.relate"


def queue(versions: Iterable[Version]) -> None:
    """Have those indexed that wait for it, short ones together, once they are committed."""
    waiting = [version for version in versions if version.status == Version.Status.QUEUED]
    # Where Redis is away, upkeep finds them later.
    transaction.on_commit(lambda: send(waiting), robust=True)


def queue_recognition() -> None:
    """Have somebody see to the pages that wait for text recognition, once they are committed."""
    transaction.on_commit(lambda: current_app.send_task(RECOGNISE), robust=True)


def send(versions: Iterable[Version]) -> None:
    for lot in short.lots(versions):
        # By its name: what the task does may itself find something to queue.
        current_app.send_task(INDEX, [version.pk for version in lot])
