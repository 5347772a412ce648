"""What a child process does about its own limits, and how it says lines to its parent."""

from __future__ import annotations

import os
import resource
import sys
import threading

_FILES = 64

# Virtual memory is more than what is used: libraries, arenas, thread stacks. The parent watches what is used.
_VIRTUAL_MARGIN = 1 << 30


def keep_to(memory: int) -> None:
    """Keep to `memory` bytes from now on."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory + _VIRTUAL_MARGIN, memory + _VIRTUAL_MARGIN))


def grant(seconds: int) -> None:
    """Allow `seconds` of processor time from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def say(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def end_with_parent() -> None:
    """End when the parent does, whatever is being done; for those that are told nothing by standard input."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    """Wait for the end of standard input, which the parent holds open as long as it lives."""
    # Not by sys.stdin, whose lock this thread would still hold when the interpreter ends.
    os.read(0, 1)
    os._exit(1)
