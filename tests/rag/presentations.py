"""PowerPoint files of before 2007 written by hand, so that a test says what is in them: [MS-CFB] and [MS-PPT]."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

LOCKED = 0xF3D1C4DF
_OPEN = 0xE391C05F
_SECTOR, _END, _NONE, _OF_TABLE = 512, 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_TITLE, _BODY, _NOTE, _OTHER = 0, 1, 2, 4


def atom(kind: int, content: bytes = b"", *, instance: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4, kind, len(content)) + content


def container(kind: int, *within: bytes, instance: int = 0) -> bytes:
    content = b"".join(within)
    return struct.pack("<HHI", instance << 4 | 15, kind, len(content)) + content


def text(said: str, kind: int = _OTHER) -> bytes:
    """A text as records: in one byte a letter where that is enough."""
    wide = any(ord(char) > 255 for char in said)
    written = atom(0xFA0, said.encode("utf-16-le")) if wide else atom(0xFA8, said.encode("latin-1"))
    return atom(0xF9F, struct.pack("<I", kind)) + written


def title(said: str) -> bytes:
    return text(said, _TITLE)


def body(said: str) -> bytes:
    return text(said, _BODY)


def in_list(number: int) -> bytes:
    """What a box holds whose text stands in the list of slides."""
    return atom(0xF9E, struct.pack("<I", number))


def shape(said: bytes, *about: bytes) -> bytes:
    return container(0xF004, *about, container(0xF00D, said))


def grid(rows: Sequence[Sequence[str]]) -> bytes:
    """A table: a group of cells, each with its place."""
    options = atom(0xF122, struct.pack("<HI", 0x39F, 1), instance=1)
    cells = (
        shape(text(cell), atom(0xF00F, struct.pack("<iiii", 100 * column, 50 * row, 100 * column + 99, 50 * row + 49)))
        for row, line in enumerate(rows)
        for column, cell in enumerate(line)
    )
    return container(0xF003, container(0xF004, options), *cells)


def slide(*shapes: bytes, notes: int = 0) -> bytes:
    return container(0x3EE, atom(0x3EF, struct.pack("<16xII", notes, 0)), _drawing(*shapes))


def notes(said: str) -> bytes:
    return container(0x3F0, _drawing(shape(text(said, _NOTE)), shape(text("*"))))


def _drawing(*shapes: bytes) -> bytes:
    return container(0x40C, container(0xF002, container(0xF003, container(0xF004), *shapes)))


def presentation(
    slides: Sequence[bytes],
    *,
    listed: Sequence[bytes] = (),
    noted: Sequence[bytes] = (),
    before: Sequence[bytes] = (),
    token: int = _OPEN,
) -> bytes:
    """A file with these slides, whose texts in the list are `listed`.

    The slides of an edit `before` stand in the file too. The id of each page of notes is its place from 1.
    """
    stream, edit = b"\0" * 8, 0
    for state in filter(None, (before, slides)):
        stream, edit = _edited(stream, edit, state, listed, noted)
    user = atom(0xFF6, struct.pack("<III", 20, token, edit))
    return ole({"Current User": user, "PowerPoint Document": stream})


def _edited(
    stream: bytes, earlier: int, slides: Sequence[bytes], listed: Sequence[bytes], noted: Sequence[bytes]
) -> tuple[bytes, int]:
    """The stream with another edit at its end, and where that stands."""
    lists = (
        container(0xFF0, *(_place(2 + at, 256 + at) + said for at, said in enumerate(_padded(listed, len(slides))))),
        container(0xFF0, *(_place(2 + len(slides) + at, 1 + at) for at in range(len(noted))), instance=2),
    )
    offsets = []
    for record in (container(0x3E8, *lists), *slides, *noted):
        offsets.append(len(stream))
        stream += record
    directory = len(stream)
    stream += atom(0x1772, struct.pack(f"<I{len(offsets)}I", 1 | len(offsets) << 20, *offsets))
    edit = atom(0xFF5, struct.pack("<IIIIIII", 0, 0, earlier, directory, 1, 0, 0))
    return stream + edit, len(stream)


def _place(number: int, slide_id: int) -> bytes:
    return atom(0x3F3, struct.pack("<IIIII", number, 0, 0, slide_id, 0))


def _padded(listed: Sequence[bytes], count: int) -> list[bytes]:
    return [*listed, *(b"" for _ in range(count - len(listed)))]


# --- The file around it -----------------------------------------------------------------------


def ole(contents: Mapping[str, bytes]) -> bytes:
    """An OLE file of up to three streams; each is long enough to have sectors of its own."""
    streams = [_filled(content, max(len(content), 4096)) for content in contents.values()]
    table, entries = [_OF_TABLE, _END], [entry("Root Entry", 5, below=1)]
    for number, (name, stream) in enumerate(zip(contents, streams, strict=True), 1):
        beside = number + 1 if number < len(contents) else _NONE
        entries.append(entry(name, 2, beside=beside, start=len(table), size=len(stream)))
        table += [*range(len(table) + 1, len(table) + len(stream) // _SECTOR), _END]
    assert len(table) <= _SECTOR // 4, "one sector tells where all others are"
    table += [_NONE] * (_SECTOR // 4 - len(table))
    places = struct.pack("<IIIIIIIII", 1, 1, 0, 4096, _END, 0, _END, 0, 0) + b"\xff" * 4 * 108
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + struct.pack("<16xHHHHH6xI", 0x3E, 3, 0xFFFE, 9, 6, 0) + places
    return b"".join((head, struct.pack("<128I", *table), _filled(b"".join(entries), _SECTOR), *streams))


def entry(name: str, kind: int, *, beside: int = _NONE, below: int = _NONE, start: int = _END, size: int = 0) -> bytes:
    written = name.encode("utf-16-le")
    about = struct.pack("<HBBIII", len(written) + 2, kind, 1, _NONE, beside, below)
    return written.ljust(64, b"\0") + about + bytes(36) + struct.pack("<IQ", start, size)


def _filled(content: bytes, least: int) -> bytes:
    """The content in whole sectors."""
    return content.ljust(-(-least // _SECTOR) * _SECTOR, b"\0")
