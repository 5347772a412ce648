"""The process in which a container is unpacked: `python -m documents.rag.parsing.unpacker …`.

It writes files, and lines of JSON about them; as in `child`, it keeps to its limits and ends when its parent does.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.caps import end_with_parent, grant, keep_to, say
from documents.rag.parsing.members import Room, members

_RANGE = 16
"""Files that share the seconds granted."""


def main(path: str, media_type: str, first: int, into: str, name: str, room: Room, memory: int, seconds: int) -> None:
    """Unpack a lot from file `first` on, with `memory` bytes, and `seconds` of processor time for each range."""
    end_with_parent()
    keep_to(memory)
    grant(seconds)
    try:
        found = members(Path(path), media_type, first, Path(into), room, name=name)
        for count, member in enumerate(found):
            _say(asdict(member))
            if count % _RANGE == 0:
                grant(seconds)
    except UnreadableDocument as error:
        _say({"unreadable": str(error)})


def _say(values: dict[str, int | str]) -> None:
    say(json.dumps(values).encode() + b"\n")


if __name__ == "__main__":
    path, media_type, first, into, name, *numbers = sys.argv[1:]
    files, in_all, file_bytes, memory, seconds = map(int, numbers)
    main(path, media_type, int(first), into, name, Room(files, in_all, file_bytes), memory, seconds)
