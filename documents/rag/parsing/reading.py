"""Files read under caps of memory and time, so that no upload can take the worker down."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import parse
from documents.rag.parsing.children import Breakdown, Child
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.recognising import LIGHT
from documents.rag.parsing.wire import load
from documents.rag.types import HowRead, Page

# A child takes a sixth of a second to start, which for many small files is most of the work. This many bytes of a
# light format take some hundredths of a second, so that they may be read in a thread. The others are read by large
# libraries in C that crash now and then, or are archives that may hold more than they seem to: always in a child.
SMALL_BYTES = 65_536

_PATIENCE, _ENDURANCE = 5, 30
"""How many pages' time a file may waste: after the one its pages get a tenth of it each, after the other none."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a parser may use: bytes of memory in all, and seconds for opening the file and for a range of pages."""

    memory: int = 512 << 20
    seconds: int = 20

    def after(self, wasted: float) -> Limits:
        """What is left to a file that has wasted so many seconds."""
        return self if wasted < _PATIENCE * self.seconds else replace(self, seconds=max(self.seconds // 10, 1))


async def read(
    path: Path, media_type: str, first: int = 1, *, name: str, limits: Limits = Limits()
) -> AsyncGenerator[Opened | Page]:
    """What the file is (an Opened), then its pages from page `first` on, in order.

    A page at which the parser breaks down or exceeds its limits is yielded as FAILED, and reading goes on after it.
    `name` is what the user calls the file. Raises UnreadableDocument where nothing of it can be read.
    """
    if media_type in LIGHT and await asyncio.to_thread(os.path.getsize, path) <= SMALL_BYTES:
        for item in await asyncio.to_thread(lambda: list(parse(path, media_type, first, name=name))):
            yield item
        return
    async with aclosing(_by_children(path, media_type, first, name=name, limits=limits)) as items:
        async for item in items:
            yield item


async def _by_children(
    path: Path, media_type: str, first: int, *, name: str, limits: Limits
) -> AsyncGenerator[Opened | Page]:
    """The same by one child, and by another after each breakdown.

    A page at which a child breaks down after it has read others is tried again by a fresh one: what they left behind
    may have been too much. Where that breaks down as well, the page has failed.
    """
    opened: Opened | None = None
    number, wasted = first, 0.0
    while True:
        begun, waiting = number, time.monotonic()
        try:
            said = _said(path, media_type, number, name=name, limits=limits.after(wasted))
            async with aclosing(said) as items:
                async for item in items:
                    if isinstance(item, Page):
                        number = item.number + 1
                        yield item
                    elif opened is None:
                        opened = item
                        yield item
                    waiting = time.monotonic()
            return
        except Breakdown as breakdown:
            if opened is None:
                raise UnreadableDocument(f"{name} can't be read: it {breakdown}.") from breakdown
            wasted += time.monotonic() - waiting
            if number > opened.page_count or wasted > _ENDURANCE * limits.seconds:
                break
            if number == begun:
                yield _failed(number, f"Page {number} can't be read: it {breakdown}.")
                number += 1
    for left in range(number, opened.page_count + 1):
        yield _failed(left, f"Page {left} was not read, because the pages before it took too long.")


def _failed(number: int, error: str) -> Page:
    return Page(number, "", how_read=HowRead.FAILED, error=error)


async def _said(path: Path, media_type: str, first: int, *, name: str, limits: Limits) -> AsyncGenerator[Opened | Page]:
    """What a child says of the file, to its end."""
    arguments = (str(path), media_type, str(first), name, str(limits.memory), str(limits.seconds))
    async with Child("documents.rag.parsing.child", *arguments, memory=limits.memory) as child:
        while line := await child.line(limits.seconds):
            yield load(line)
