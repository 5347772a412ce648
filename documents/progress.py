"""How far a version's reading has come, in words, and how the pages that show it hear of it."""

from __future__ import annotations

import logging
from itertools import groupby
from typing import Any

from channels.layers import get_channel_layer
from django.core.cache import cache
from redis import RedisError

from documents.models import Version

logger = logging.getLogger(__name__)

PULSE = "worker"
PULSE_SECONDS = 15

_WAITING: dict[str, str] = {Version.Status.QUEUED: "queued", Version.Status.RECOGNISING: "waiting for text recognition"}


def describe(version: Version, *, worker: bool = True) -> str:
    """`reading page 12 of 80`, and so on; of what waits, that there is no worker to take it."""
    if not worker and version.status in _WAITING:
        return f"{_WAITING[version.status]}; no worker is running"
    match version.status:
        case Version.Status.READING if version.pages_total:
            return f"reading page {version.pages_read:,} of {version.pages_total:,}"
        case Version.Status.EMBEDDING if version.chunks_total:
            return f"embedding {version.chunks_indexed:,} of {version.chunks_total:,}"
        case Version.Status.QUEUED | Version.Status.RECOGNISING if version.attempts:
            return "waiting to be tried again"
        case Version.Status.RECOGNISING if not (version.lease or version.pages_recognised):
            return _WAITING[version.status]
        case Version.Status.RECOGNISING:
            page = min(version.pages_recognised + 1, version.pages_to_recognise)
            return f"recognising page {page:,} of {version.pages_to_recognise:,}"
        case Version.Status.FAILED if version.needs_password:
            return "needs a password"
    return str(version.status)


def share(version: Version) -> float | None:
    """Which part of the present step is done, 0–1; None where that says nothing."""
    match version.status:
        case Version.Status.READING if version.pages_total:
            return version.pages_read / version.pages_total
        case Version.Status.EMBEDDING if version.chunks_total:
            return version.chunks_indexed / version.chunks_total
        case Version.Status.RECOGNISING if version.pages_to_recognise:
            return version.pages_recognised / version.pages_to_recognise
    return None


def group(library_id: int) -> str:
    """The channel-layer group that hears of a library's documents."""
    return f"library.{library_id}"


async def announce(*versions: Version) -> None:
    """Tell whoever looks at the versions' libraries how far they are; their `document` must be loaded."""
    layer = get_channel_layer()
    assert layer is not None
    for library_id, members in groupby(versions, lambda version: version.document.library_id):
        message = {"type": "progress", "documents": [_message(version) for version in members]}
        try:
            await layer.group_send(group(library_id), message)
        except (RedisError, OSError) as error:  # Reading goes on; the page asks again by itself.
            logger.warning("Nobody could be told how far library %s is: %s", library_id, error)


def _message(version: Version) -> dict[str, Any]:
    return {
        "document": version.document_id,
        "status": version.status,
        "text": describe(version),
        "share": share(version),
    }


def beat() -> None:
    """Say that a worker is running."""
    cache.set(PULSE, True, PULSE_SECONDS)


def worker_is_running() -> bool:
    """Whether one has said so lately."""
    try:
        return bool(cache.get(PULSE))
    except (RedisError, OSError):
        return False
