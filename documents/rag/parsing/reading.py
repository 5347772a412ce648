"""Files read under caps of memory and time, so that no upload can take the worker down."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import parse
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.recognising import PDF
from documents.rag.parsing.wire import load
from documents.rag.types import HowRead, Page

# A child takes a sixth of a second to start, which for many small files is most of the work. The parsers of text
# formats are linear in the file's size and this many bytes take them some hundredths of a second, so that these
# files may be read in a thread. PDF is read by a large library in C that crashes now and then: always in a child.
SMALL_BYTES = 65_536

_PATIENCE, _ENDURANCE = 5, 30
"""How many pages' time a file may waste: after the one its pages get a tenth of it each, after the other none."""
_LINE_BYTES = 1 << 23
"""The most that a page may come to in JSON; twice as much is read ahead of whoever uses it."""
_POLL_SECONDS = 0.1
_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a parser may use: bytes of memory in all, and seconds for opening the file and for a range of pages."""

    memory: int = 512 << 20
    seconds: int = 20

    def after(self, wasted: float) -> Limits:
        """What is left to a file that has wasted so many seconds."""
        return self if wasted < _PATIENCE * self.seconds else replace(self, seconds=max(self.seconds // 10, 1))


class _Breakdown(Exception):
    """The child died or had to be killed; the message says why, as the rest of a sentence about a page."""


async def read(
    path: Path, media_type: str, first: int = 1, *, name: str, limits: Limits = Limits()
) -> AsyncGenerator[Opened | Page]:
    """What the file is (an Opened), then its pages from page `first` on, in order.

    A page at which the parser breaks down or exceeds its limits is yielded as FAILED, and reading goes on after it.
    `name` is what the user calls the file. Raises UnreadableDocument where nothing of it can be read.
    """
    if media_type != PDF and await asyncio.to_thread(os.path.getsize, path) <= SMALL_BYTES:
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
            async with _child(path, media_type, number, name=name, limits=limits.after(wasted)) as items:
                async for item in items:
                    if isinstance(item, Page):
                        number = item.number + 1
                        yield item
                    elif opened is None:
                        opened = item
                        yield item
                    waiting = time.monotonic()
            return
        except _Breakdown as breakdown:
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


@asynccontextmanager
async def _child(
    path: Path, media_type: str, first: int, *, name: str, limits: Limits
) -> AsyncIterator[AsyncIterator[Opened | Page]]:
    """A running child and what it says; killed at the end, whatever it is doing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "documents.rag.parsing.child"),
        *(str(path), media_type, str(first), name, str(limits.memory), str(limits.seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
        process_group=0,
        # Nothing of our own environment: a parser that is taken over shall find no keys there.
        env={"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )
    watch = asyncio.create_task(_watch(process.pid, limits.memory))
    try:
        yield _items(process, watch, limits)
    finally:
        watch.cancel()
        _kill(process.pid)
        await process.wait()


async def _items(
    process: asyncio.subprocess.Process, watch: asyncio.Task[None], limits: Limits
) -> AsyncIterator[Opened | Page]:
    """What the child says, to its end. Raises _Breakdown where it didn't come to its end by itself."""
    assert process.stdout is not None
    while True:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), limits.seconds)
        except TimeoutError as error:
            raise _Breakdown("takes too long") from error
        except ValueError as error:
            raise _Breakdown("holds too much") from error
        if not line.endswith(b"\n"):
            break
        yield load(line)
    code = await process.wait()
    if watch.done():
        raise _Breakdown("needs too much memory")
    if code:
        raise _Breakdown("takes too long" if code == -signal.SIGXCPU else "breaks the reader")


async def _watch(pid: int, memory: int) -> None:
    """Kill the process when it uses more than `memory` bytes; on systems that have no /proc, never."""
    with suppress(FileNotFoundError, ProcessLookupError):
        while _resident(pid) <= memory:  # noqa: ASYNC110 - the system tells nobody
            await asyncio.sleep(_POLL_SECONDS)
        _kill(pid)
        return
    await asyncio.Event().wait()


def _resident(pid: int) -> int:
    """The bytes of memory that the process uses."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
