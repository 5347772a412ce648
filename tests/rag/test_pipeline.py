"""Work on what comes in, several at a time, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from documents.rag.pipeline import in_order

pytestmark = pytest.mark.asyncio


async def numbers(until: int) -> AsyncIterator[int]:
    for number in range(until):
        yield number


async def test_results_come_in_order_of_work_that_goes_on_side_by_side() -> None:
    gates = [asyncio.Event() for _ in range(6)]
    under_way, most = 0, 0

    async def work(number: int) -> int:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        # The later ones end first.
        if number % 3 < 2:
            await gates[number + 1].wait()
        gates[number].set()
        under_way -= 1
        return number

    assert [number async for number in in_order(work, numbers(6), 3)] == list(range(6))
    assert most == 3


async def test_a_result_does_not_wait_for_the_next_item() -> None:
    more = asyncio.Event()

    async def items() -> AsyncIterator[int]:
        yield 1
        await more.wait()
        yield 2

    async def work(number: int) -> int:
        return number

    results = in_order(work, items(), 3)
    assert await anext(results) == 1
    more.set()
    assert [number async for number in results] == [2]


async def test_an_error_comes_in_its_place_and_breaks_off_the_rest() -> None:
    began, broken_off = asyncio.Event(), asyncio.Event()

    async def work(number: int) -> int:
        if number == 1:
            await began.wait()
            raise ValueError(number)
        if number == 2:
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                broken_off.set()
                raise
        return number

    results = in_order(work, numbers(9), 3)
    assert await anext(results) == 0
    with pytest.raises(ValueError, match="1"):
        await anext(results)
    assert broken_off.is_set()
