"""Footnote's own processes: started together, looked after, stopped together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

GRACE_SECONDS = 5.0
"""For ending, or putting back, what is being done."""

LONGEST_PAUSE = 30.0


class Child:
    """A process in a group of its own, so that Ctrl-C in the terminal reaches it through us alone."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        self.name = name
        self.command = command
        self.folder = folder
        self.pause = 0.0
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.DEVNULL, start_new_session=True)
        self.started = time.monotonic()

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def restart_in_time(self) -> bool:
        """Start it again if it ended, later each time when it doesn't live long. Whether it was started."""
        if not self.ended or time.monotonic() < self.started + self.pause:
            return False
        lived_long = time.monotonic() - self.started > LONGEST_PAUSE * 2
        self.pause = 1.0 if lived_long else min(self.pause * 2 or 1.0, LONGEST_PAUSE)
        end_group(self.process.pid)
        self.start()
        return True

    def wait(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)


class Children:
    """The processes that are alive as long as we are; those that a killed predecessor left behind are ended first."""

    def __init__(self, record: Path) -> None:
        self.record = record
        self.all: list[Child] = []

    def __enter__(self) -> Children:
        self._end_left_behind()
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.all:
            if not child.ended:
                child.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self.all:
            child.wait(max(deadline - time.monotonic(), 0))
            end_group(child.process.pid)
            child.process.wait()
        self.record.unlink(missing_ok=True)

    def add(self, name: str, command: Sequence[str], folder: Path) -> Child:
        child = Child(name, command, folder)
        self.all.append(child)
        self.write()
        return child

    def write(self) -> None:
        """Remember who is running, for a successor in case we are killed."""
        living = [child.process.pid for child in self.all if not child.ended]
        self.record.write_text(json.dumps([[pid, psutil.Process(pid).create_time()] for pid in living]))

    def _end_left_behind(self) -> None:
        left = [process for pid, created in _read(self.record) if (process := _found(pid, created))]
        for process in left:
            end_group(process.pid)
        psutil.wait_procs(left, timeout=GRACE_SECONDS)  # Only then are their ports free.


def _read(record: Path) -> list[tuple[int, float]]:
    try:
        return [(pid, created) for pid, created in json.loads(record.read_text())]
    except (FileNotFoundError, ValueError):
        return []


def _found(pid: int, created: float) -> psutil.Process | None:
    """The process, unless it has ended or another one has its number by now."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 0.1 else None
    return None


def end_group(leader: int) -> None:
    """Kill what is left of a process group."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
