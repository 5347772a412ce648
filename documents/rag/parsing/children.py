"""Processes that work for us under caps of memory and time, so that no file can take the worker down."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

LINE_BYTES = 1 << 23
"""The most that a line may hold; twice as much is read ahead of whoever uses it."""

_POLL_SECONDS = 0.1
_ROOT = Path(__file__).parents[3]


class Breakdown(Exception):
    """The child died or had to be killed; the message says why, as the rest of a sentence about a page."""


class Child:
    """A running `python -m module …` that is told lines and says lines; killed at the end, whatever it is doing.

    It may use `memory` bytes.
    """

    def __init__(self, module: str, *arguments: str, memory: int) -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._memory = memory

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            start_new_session=True,  # Not process_group, which uvloop doesn't know.
            # Nothing of our own environment: a parser that is taken over shall find no keys there.
            env={"PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )
        self._watch = asyncio.create_task(_watch(self._process.pid, self._memory))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watch.cancel()
        _kill(self._process.pid)
        # Its end is told only once its pipe has ended, and of a full one nothing is read until somebody asks.
        assert self._process.stdout is not None
        while await self._process.stdout.read(LINE_BYTES):
            pass
        await self._process.wait()

    def tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    async def line(self, seconds: float) -> bytes:
        """What it says next, within `seconds`; empty where it came to its end by itself. Raises Breakdown."""
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        except TimeoutError as error:
            raise Breakdown("takes too long") from error
        except ValueError as error:
            raise Breakdown("holds too much") from error
        if line.endswith(b"\n"):
            return line
        code = await self._process.wait()
        if self._watch.done():
            raise Breakdown("needs too much memory")
        if code:
            raise Breakdown("takes too long" if code == -signal.SIGXCPU else "breaks the reader")
        return b""


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
