"""The records of a PowerPoint file before 2007, and the objects they make, as [MS-PPT] tells them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

_IS_CONTAINER = 15
_DEEPEST = 50
"""Containers within one another that are looked into: groups of shapes, mostly."""

_LOCKED = 0xF3D1C4DF


@dataclass(frozen=True, slots=True)
class Record:
    """A record's type, its version and instance, and what it holds."""

    kind: int
    version: int
    instance: int
    content: memoryview


def objects(user: bytes, stream: bytes) -> tuple[Record, Mapping[int, Record]]:
    """The document and all objects by number, as the last of the edits that are appended to the file leaves them.

    `user` is what stands in Current User, `stream` in PowerPoint Document. Raises ValueError for a file that has a
    password, struct.error or LookupError for one that is damaged.
    """
    token, edit = struct.unpack_from("<II", user, 12)
    if token == _LOCKED:
        raise ValueError("locked")
    whole = memoryview(stream)
    _, _, document = _edit(whole, edit)
    offsets: dict[int, int] = {}
    while edit:
        earlier, directory, _ = _edit(whole, edit)
        offsets = dict(_directory(_record(whole, directory).content)) | offsets
        edit = earlier if earlier < edit else 0
    # Many numbers for one place would have it read as many times.
    numbers = {offset: number for number, offset in offsets.items()}
    found = {number: _record(whole, offset) for offset, number in numbers.items()}
    return found[document], found


def _edit(stream: memoryview, at: int) -> tuple[int, int, int]:
    """Where the edit before this one stands, and its directory; the document's number."""
    earlier, directory, document = struct.unpack_from("<III", _record(stream, at).content, 8)
    return earlier, directory, document


def _directory(content: memoryview) -> Iterator[tuple[int, int]]:
    """Objects' numbers, and where they stand."""
    at = 0
    while at < len(content):
        (head,) = struct.unpack_from("<I", content, at)
        first, count = head & 0xFFFFF, head >> 20
        yield from enumerate(struct.unpack_from(f"<{count}I", content, at + 4), first)
        at += 4 + 4 * count


def records(content: memoryview) -> Iterator[Record]:
    """Those that follow one another here."""
    while len(content) >= 8:
        record = _record(content, 0)
        yield record
        content = content[8 + len(record.content) :]


def _record(content: memoryview, at: int) -> Record:
    head, kind, length = struct.unpack_from("<HHI", content, at)
    return Record(kind, head & 15, head >> 4, content[at + 8 : at + 8 + length])


def below(record: Record, wanted: Callable[[Record], bool]) -> Iterator[Record]:
    """Those that are wanted of all records in this one, without what these hold."""
    above = [records(record.content)]
    while above:
        found = next(above[-1], None)
        if found is None:
            above.pop()
        elif wanted(found):
            yield found
        elif found.version == _IS_CONTAINER and len(above) < _DEEPEST:
            above.append(records(found.content))
