"""The most memory that processes held together, as they come and go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

import psutil

_SECONDS = 0.02


class Watched:
    """While it is open, `peak` is the most bytes that `processes` held at a time, as their resident set sizes.

    By default they are this process and its children. What they share, such as libraries, counts for each of them, so
    that the figure is rather too large than too small.
    """

    counted = "resident sizes of the process and its children, added up every 20 ms"

    def __init__(self, processes: Callable[[], Iterable[psutil.Process]] | None = None) -> None:
        self._processes = processes or _family
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_SECONDS):
            self.peak = max(self.peak, sum(map(_resident, self._processes())))


def _family() -> list[psutil.Process]:
    this = psutil.Process()
    with suppress(psutil.NoSuchProcess):
        return [this, *this.children(recursive=True)]
    return [this]


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return 0 if _is_its_parent_still(process) else int(process.memory_info().rss)
    return 0


def _is_its_parent_still(process: psutil.Process) -> bool:
    """Whether it was forked and is about to become another program, as all our children do: it shares all memory."""
    parent = process.parent()
    return parent is not None and process.cmdline() == parent.cmdline()
