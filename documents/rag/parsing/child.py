"""The process in which a file that nobody vouches for is parsed: `python -m documents.rag.parsing.child …`.

It writes lines of `wire`, keeps to its limits, and ends when its parent does.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import parse
from documents.rag.parsing.wire import dump

_FILES = 64
_RANGE = 16
"""Pages that share the seconds granted; one that runs out of them because of the others gets a child of its own."""

# Virtual memory is more than what is used: libraries, arenas, thread stacks. The parent watches what is used.
_VIRTUAL_MARGIN = 1 << 30


def main(path: str, media_type: str, first: int, name: str, memory: int, seconds: int) -> None:
    """Parse the file from page `first` on, with `memory` bytes, and `seconds` of processor time for each range."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory + _VIRTUAL_MARGIN, memory + _VIRTUAL_MARGIN))
    _grant(seconds)
    try:
        for count, item in enumerate(parse(Path(path), media_type, first, name=name)):
            _write(dump(item))
            if count % _RANGE == 0:
                _grant(seconds)
    except UnreadableDocument as error:
        _write(dump(error))


def _end_with_parent() -> None:
    """Wait for the end of standard input, which the parent holds open as long as it lives."""
    # Not by sys.stdin, whose lock this thread would still hold when the interpreter ends.
    os.read(0, 1)
    os._exit(1)


def _grant(seconds: int) -> None:
    """Allow `seconds` of processor time from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    path, media_type, first, name, memory, seconds = sys.argv[1:]
    main(path, media_type, int(first), name, int(memory), int(seconds))
