"""The process in which a file that nobody vouches for is parsed: `python -m documents.rag.parsing.child …`.

It writes lines of `wire`, keeps to its limits, and ends when its parent does.
"""

from __future__ import annotations

import sys
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import parse
from documents.rag.parsing.caps import end_with_parent, grant, keep_to, say
from documents.rag.parsing.wire import dump

_RANGE = 16
"""Pages that share the seconds granted; one that runs out of them because of the others gets a child of its own."""


def main(path: str, media_type: str, first: int, name: str, memory: int, seconds: int) -> None:
    """Parse the file from page `first` on, with `memory` bytes, and `seconds` of processor time for each range."""
    end_with_parent()
    keep_to(memory)
    grant(seconds)
    try:
        for count, item in enumerate(parse(Path(path), media_type, first, name=name)):
            say(dump(item))
            if count % _RANGE == 0:
                grant(seconds)
    except UnreadableDocument as error:
        say(dump(error))


if __name__ == "__main__":
    path, media_type, first, name, memory, seconds = sys.argv[1:]
    main(path, media_type, int(first), name, int(memory), int(seconds))
