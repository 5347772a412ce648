"""ZIP archives, which say more of themselves than is true: nothing here trusts a name, a size or a place."""

from __future__ import annotations

import lzma
import shutil
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import charset_normalizer

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.packed import Packed, Unpackable
from documents.rag.parsing.sections import Piece, document
from documents.rag.types import BlockKind, Page

RATIO, SMALL = 200, 1 << 20
"""How many times its packed size a file may have, and how large it must be for that to matter."""

LONGEST_PATH = 900

LISTED = 1000
"""How many of its files an archive's own page names."""

_METHODS = (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA)
_ENCRYPTED, _UTF8 = 0x1, 0x800
_PIECE = 1 << 18
_LITTER = ("__macosx", "thumbs.db", "desktop.ini")
_DAMAGED = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, NotImplementedError, ValueError)
_EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "big5", "cp949")


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """What lies in it, a line a file, so that the archive of a file can be found; it has no title."""
    paths = [clean(packed.path) for packed in members(path, name=name)]
    more = [f"and {len(paths) - LISTED:,} more"] if len(paths) > LISTED else []
    items = [Piece(BlockKind.ITEM, line) for line in [*paths[:LISTED], *more] if line.strip()]
    yield from document("", [items], first)


def members(path: Path, *, name: str) -> list[Packed]:
    """The files in the archive, but for those that systems hide. Raises UnreadableDocument."""
    try:
        archive = ZipFile(path)
    except _DAMAGED as error:
        raise UnreadableDocument(
            f"{name} is cut off, or no ZIP archive. Download or pack it again, and upload that."
        ) from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    overlapping = _overlapping(archive, infos)
    taken: set[str] = set()
    return [
        Packed(member, info.file_size, _Writer(archive, info, _complaint(member, info, overlapping, taken)))
        for member, info in zip(_paths(infos), infos, strict=True)
        if not _is_hidden(member)
    ]


class _Writer:
    """Writes a file of the archive out, or says why not."""

    def __init__(self, archive: ZipFile, info: ZipInfo, complaint: str) -> None:
        self._archive = archive
        self._info = info
        self._complaint = complaint

    def __call__(self, out: BinaryIO) -> None:
        if self._complaint:
            raise Unpackable(self._complaint)
        try:
            with self._archive.open(self._info) as file:  # Never gives more than the size that was looked at.
                shutil.copyfileobj(file, out, _PIECE)
        except _DAMAGED as error:
            raise Unpackable("is damaged in the archive") from error


def _complaint(path: str, info: ZipInfo, overlapping: set[int], taken: set[str]) -> str:
    """What is wrong with a file, as the rest of a sentence; "" where nothing is."""
    if _leads_out(path):
        return "has a path that leads out of the archive"
    if len(path) > LONGEST_PATH:
        return "lies too deep: its path is too long"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is no file, but a link to one"
    if path in taken:
        return "is in the archive twice; the first was taken"
    taken.add(path)
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack the archive with its password and upload what is in it"
    if info.compress_type not in _METHODS:
        return "is packed by a method that Footnote can't unpack; pack it as plain ZIP"
    if info.header_offset in overlapping:
        return "shares its bytes with another file, as in a ZIP bomb"
    if info.file_size > max(SMALL, RATIO * info.compress_size):
        return f"would be more than {RATIO} times as large as it is packed, as in a ZIP bomb"
    return ""


def _overlapping(archive: ZipFile, infos: Iterable[ZipInfo]) -> set[int]:
    """Where the headers of files begin whose packed bytes run into the next."""
    starts = sorted((info.header_offset, info.compress_size) for info in infos)
    ends = [start for start, _ in starts[1:]] + [archive.start_dir]
    return {start for (start, size), end in zip(starts, ends, strict=True) if start + size >= end} if starts else set()


def _leads_out(path: str) -> bool:
    return path.startswith("/") or path[1:2] == ":" or ".." in PurePosixPath(path).parts


def _is_hidden(path: str) -> bool:
    parts = path.lower().split("/")
    return parts[0] in _LITTER or parts[-1] in _LITTER or any(part.startswith(".") and part != ".." for part in parts)


# --- Names ------------------------------------------------------------------------------------


def _paths(infos: Iterable[ZipInfo]) -> Iterator[str]:
    """The names, with slashes; those in no known encoding as what is likeliest for all of them together."""
    infos = list(infos)
    unmarked = [info for info in infos if not info.flag_bits & _UTF8 and not info.orig_filename.isascii()]
    encoding = _encoding([_bytes(info) for info in unmarked])
    for info in infos:
        known = info.flag_bits & _UTF8 or info.orig_filename.isascii()
        name = info.orig_filename if known else _bytes(info).decode(encoding, "replace")
        yield name.replace("\\", "/").replace("\0", "")


def _bytes(info: ZipInfo) -> bytes:
    return info.orig_filename.encode("cp437")


def _encoding(names: list[bytes]) -> str:
    """UTF-8 where all are that; else one of East Asia's where they look like it; else that of the format, cp437."""
    together = b"\n".join(names)
    try:
        together.decode("utf-8")
    except UnicodeDecodeError:
        found = charset_normalizer.from_bytes(together, cp_isolation=[*_EAST_ASIAN, "cp437"]).best()
        return found.encoding if found else "cp437"
    return "utf-8"
