"""Work on what comes in one after another, several at a time, with the results in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_order(
    work: Callable[[Item], Coroutine[Any, Any, Result]], items: AsyncIterable[Item], at_a_time: int
) -> AsyncGenerator[Result]:
    """What `work` returns for each item, as soon as it is there for that one and all before it.

    An error comes in its place in the order, and breaks off what is under way.
    """
    coming = aiter(items)
    next_item: asyncio.Future[Item | None] | None = asyncio.ensure_future(anext(coming, None))
    under_way: deque[asyncio.Task[Result]] = deque()
    try:
        while under_way or next_item:
            if next_item and next_item.done():
                item = next_item.result()
                next_item = None
                if item is not None:
                    under_way.append(asyncio.create_task(work(item)))
                    next_item = asyncio.ensure_future(anext(coming, None))
            while under_way and under_way[0].done():
                yield under_way.popleft().result()
            waiting: list[asyncio.Future[Any]] = [under_way[0]] if under_way else []
            if next_item and len(under_way) < at_a_time:
                waiting.append(next_item)
            if waiting:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _break_off([*under_way, *([next_item] if next_item else [])])


async def _break_off(futures: list[asyncio.Future[Any]]) -> None:
    for future in futures:
        future.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
