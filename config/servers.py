"""Postgres and the Redis protocol, whoever runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import redis
from django.conf import settings

from config import embedded
from config.embedded import ServiceFailed

SECONDS = 15


@contextmanager
def services() -> Iterator[Callable[[], bool]]:
    """Both can be reached when it begins: our own, which run while inside, or those that the settings name.

    Yields what `embedded.services` does. Raises ServiceFailed with a sentence for the user.
    """
    with embedded.services(
        settings.DATA_DIR, with_postgres=settings.EMBEDDED_POSTGRES, with_valkey=settings.EMBEDDED_VALKEY
    ) as again:
        if not settings.EMBEDDED_POSTGRES:
            _reach_postgres(settings.DATABASE_URL)
        if not settings.EMBEDDED_VALKEY:
            _reach_redis(settings.REDIS_URL)
        yield again


def _reach_postgres(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=SECONDS).close()
    except psycopg.OperationalError as error:
        raise ServiceFailed(f"Postgres can't be reached by DATABASE_URL: {_first_line(error)}") from error


def _reach_redis(url: str) -> None:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise ServiceFailed(f"Redis can't be reached by REDIS_URL: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
