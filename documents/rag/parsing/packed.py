"""Something that holds files: what is in it, and how it is written out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


class Unpackable(Exception):
    """Why a file can't be taken out: the rest of a sentence that begins with its path."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A file in another: its path there, its bytes by what is said of it, and how to write it out.

    `write` raises Unpackable.
    """

    path: str
    size: int
    write: Callable[[BinaryIO], None]


def from_bytes(path: str, data: bytes) -> Packed:
    """A file whose bytes are there already. An attachment has a name, and no path."""

    def write(out: BinaryIO) -> None:
        out.write(data)

    return Packed(path.replace("\\", "/").rpartition("/")[2] or "unnamed", len(data), write)
