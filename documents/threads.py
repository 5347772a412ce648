"""The ORM from async code: on a few threads of its own, so that nobody waits behind everyone else's queries."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_threads = ThreadPoolExecutor(8, thread_name_prefix="orm")


async def in_thread(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """What `function` returns; its database connection goes back to the pool."""
    return await database_sync_to_async(function, thread_sensitive=False, executor=_threads)(*args, **kwargs)
