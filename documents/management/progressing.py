"""How far a command is, on standard error."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

EVERY = 0.2
EVERY_PLAIN = 5.0
"""Seconds between two lines."""


class ProgressLine:
    """Tells what is being done, how far it is and how long it will take: on a terminal in one line that changes."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._on_terminal = out.isatty()
        self._what = ""
        self._from = 0
        self._began = self._told = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what != self._what:
            self._what, self._from, self._began, self._told = what, done, now, 0.0
        if done < total and now - self._told < (EVERY if self._on_terminal else EVERY_PLAIN):
            return
        self._told = now
        self._say(f"{what}: {done:,} of {total:,}{self._left(done, total, now)}", ends=done >= total)

    def _left(self, done: int, total: int, now: float) -> str:
        """Estimated by what was done since it began, here and now."""
        if done == self._from or done >= total:
            return ""
        seconds = round((now - self._began) / (done - self._from) * (total - done))
        return f", about {seconds // 60}:{seconds % 60:02} left"

    def _say(self, line: str, *, ends: bool) -> None:
        if self._on_terminal:
            self._out.write(f"\r{line:<70}", str, ending="\n" if ends else "")
        else:
            self._out.write(line, str)
        self._out.flush()
