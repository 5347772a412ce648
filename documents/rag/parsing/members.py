"""Containers in, files out: what an archive or e-mail holds, a lot at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import accumulate
from pathlib import Path

from documents.rag.parsing.packed import Packed, Unpackable
from documents.rag.parsing.recognising import READ

LOT, LOT_BYTES = 500, 64 << 20
"""Files, and bytes, that lie beside each other before they are taken in, about."""


@dataclass(frozen=True, slots=True)
class Room:
    """What may be taken out of a container: files, and bytes of one and of all together."""

    files: int
    bytes: int
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """File `number` of `count` in a container: where it was written, or the sentence that says why it wasn't."""

    number: int
    count: int
    path: str
    file: str = ""
    error: str = ""


def members(path: Path, media_type: str, first: int, into: Path, room: Room, *, name: str) -> Iterator[Member]:
    """The next lot of files, from number `first` on, written to the folder `into`.

    `name` is what the user calls the container. Raises UnreadableDocument where nothing of it can be read. For a file
    that nobody vouches for, use `unpacking.unpack`, which does this under caps of memory and time.
    """
    module = import_module(f"documents.rag.parsing.{READ[media_type]}")
    packed: list[Packed] = module.members(path, name=name)
    reached = list(accumulate(each.size for each in packed))
    written = 0
    for number, each in enumerate(packed[first - 1 : first - 1 + LOT], first):
        if number > room.files or reached[number - 1] > room.bytes:
            yield Member(number, number, each.path, error=_no_room(name, room, len(packed) - number + 1))
            return
        yield _written(each, number, len(packed), into, room, name)
        written += each.size
        if written > LOT_BYTES:
            return


def _written(packed: Packed, number: int, count: int, into: Path, room: Room, name: str) -> Member:
    file = into / str(number)
    try:
        if packed.size > room.file_bytes:
            raise Unpackable(
                f"has {packed.size >> 20:,} MB; Footnote takes files of up to {room.file_bytes >> 20:,} MB"
            )
        with file.open("wb") as out:
            packed.write(out)
    except Unpackable as error:
        file.unlink(missing_ok=True)
        return Member(number, count, packed.path, error=f"{_shown(packed.path)} in {name} {error}.")
    return Member(number, count, packed.path, os.fspath(file))


def _shown(path: str) -> str:
    """A path that may be very long, and lead anywhere, in a sentence."""
    return path if len(path) <= 200 else f"{path[:80]}…{path[-80:]}"


def _no_room(name: str, room: Room, left: int) -> str:
    return (
        f"The last {left:,} files in {name} were left out: with what it is in, Footnote takes {room.files:,} files and "
        f"{room.bytes >> 20:,} MB out of it. Upload them in smaller archives."
    )
