"""The names of what lies at the top of a ZIP archive or an OLE file, from a few of its bytes, however large it is."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO

_END_OF_ZIP, _LONGEST_END, _ZIP_BYTES = struct.Struct("<16xI2x"), 65_557, 1 << 20
_ZIP_ENTRY = struct.Struct("<4s24xHHH12x")

_OLE_BYTES, _OLE_ENTRY_SIZE, _TABLES_IN_HEADER = 1 << 18, 128, 109
_OLE_ENTRY = struct.Struct("<64sHxxIII")
_INT = struct.Struct("<I")


def in_zip(file: IO[bytes]) -> list[str]:
    """The paths that the first megabyte of the archive's directory names; none where it is cut off."""
    beginning = max(file.seek(0, os.SEEK_END) - _LONGEST_END, 0)
    tail = _bytes(file, beginning, _LONGEST_END)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < _END_OF_ZIP.size:
        return []
    (start,) = _END_OF_ZIP.unpack_from(tail, end)
    return list(_zip_names(_bytes(file, start, min(beginning + end - start, _ZIP_BYTES))))


def _zip_names(directory: bytes) -> Iterator[str]:
    at = 0
    while at + _ZIP_ENTRY.size <= len(directory):
        signature, name, extra, comment = _ZIP_ENTRY.unpack_from(directory, at)
        if signature != b"PK\x01\x02":
            return
        at += _ZIP_ENTRY.size
        yield directory[at : at + name].decode("cp437")
        at += name + extra + comment


def in_ole(file: IO[bytes]) -> set[str]:
    """The names of the streams and storages: [MS-CFB] 2.6; none where the directory can't be found."""
    directory = b"".join(_ole_directory(file))
    names, seen = set[str](), set[int]()
    waiting = [_OLE_ENTRY.unpack_from(directory)[-1]] if directory else []
    while waiting:
        at = waiting.pop()
        if at not in seen and (at + 1) * _OLE_ENTRY_SIZE <= len(directory):
            name, length, left, right, _ = _OLE_ENTRY.unpack_from(directory, at * _OLE_ENTRY_SIZE)
            names.add(name[: max(length - 2, 0)].decode("utf-16-le", "replace"))
            waiting += left, right
        seen.add(at)
    return names


def _ole_directory(file: IO[bytes]) -> Iterator[bytes]:
    """The sectors of the directory, each of which the file's tables say the next of."""
    end = file.seek(0, os.SEEK_END)
    header = _bytes(file, 0, 512).ljust(512, b"\xff")
    size = 4096 if header[30] == 12 else 512
    (sector,) = _INT.unpack_from(header, 48)
    for _ in range(_OLE_BYTES // size):
        if (sector + 1) * size >= end:
            return
        yield _sector(file, sector, size)
        table, place = divmod(sector, size // _INT.size)
        (sector,) = _INT.unpack_from(_sector(file, _table(file, header, table, size), size), place * _INT.size)


def _table(file: IO[bytes], header: bytes, number: int, size: int) -> int:
    """The sector of one of the tables: the header lists the first ones, and a chain of sectors the others."""
    if number < _TABLES_IN_HEADER:
        return int(_INT.unpack_from(header, 76 + number * _INT.size)[0])
    listed = size // _INT.size - 1
    further, place = divmod(number - _TABLES_IN_HEADER, listed)
    (sector,) = _INT.unpack_from(header, 68)
    for _ in range(further):
        (sector,) = _INT.unpack_from(_sector(file, sector, size), listed * _INT.size)
    return int(_INT.unpack_from(_sector(file, sector, size), place * _INT.size)[0])


def _sector(file: IO[bytes], number: int, size: int) -> bytes:
    """A sector; beyond the file's end, one that says that nothing follows."""
    return _bytes(file, (number + 1) * size, size).ljust(size, b"\xff")


def _bytes(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(max(count, 0))
