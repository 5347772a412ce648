"""Postgres and Valkey from their wheels, for an installation that names no servers of its own.

The first process that needs them starts them, the last one out stops them. Everything is found from the data folder
alone, so that settings can name the addresses while nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import postgres, valkey
from config.embedded.locks import Users
from config.embedded.processes import ServiceFailed, kept_in, kept_secret, make_data_folder, random_secret

__all__ = ["ServiceFailed", "database_url", "kept_in", "kept_secret", "random_secret", "redis_url", "services"]

database_url = postgres.url
redis_url = valkey.url


@contextmanager
def services(data: Path, *, with_postgres: bool, with_valkey: bool) -> Iterator[Callable[[], bool]]:
    """The services run while inside. Yields a function that starts what has died meanwhile and tells whether it had to.

    Raises ServiceFailed with a sentence for the user when one doesn't start.
    """
    parts = [part for part, wanted in ((postgres, with_postgres), (valkey, with_valkey)) if wanted]

    def start() -> bool:
        started = [part.start(data) for part in parts]
        return any(started)

    def stop() -> None:
        for part in parts:
            part.stop(data)

    make_data_folder(data)
    with Users(data / "services.lock", first=start, last=stop) as users:
        yield users.again
