"""Who uses the services: a lock shared by all of them, which the last one out finds free."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType


class Users:
    """The users of something: `first` runs before anyone uses it, `last` when the last has gone.

    The kernel drops a lock with its process, however that ends, so none is ever stale. Starting and stopping take turns
    under a second lock; `first` must be content to find the thing there already.
    """

    def __init__(self, path: Path, *, first: Callable[[], bool], last: Callable[[], None]) -> None:
        self.path = path
        self.first = first
        self.last = last

    def __enter__(self) -> Users:
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with self._turn():
            fcntl.flock(self.file, fcntl.LOCK_SH)
            try:
                self.first()
            except BaseException:
                self._leave()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._turn():
            self._leave()

    def again(self) -> bool:
        """Run `first` once more; whether it found anything to do."""
        with self._turn():
            return self.first()

    def _leave(self) -> None:
        try:
            if take(self.file):
                self.last()
        finally:
            os.close(self.file)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        file = os.open(self.path.with_suffix(".turn"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def take(file: int) -> bool:
    """Whether the lock of this open file could be had for ourselves alone, at once."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
