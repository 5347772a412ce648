"""Files that aren't read, and what people call them."""

from __future__ import annotations

import re

_FOREIGN = (
    (rb"RIFF", "a sound or a film"),
    (rb"ID3[\x02-\x04]", "a sound file"),
    (rb".{4}ftyp", "a film"),
    (rb"\x1aE\xdf\xa3", "a film"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"BZh[1-9]1AY", "a bzip2 archive"),
    (rb"\xfd7zXZ\0", "an xz archive"),
    (rb"7z\xbc\xaf", "a 7-Zip archive"),
    (rb"Rar!", "a RAR archive"),
    (rb".{257}ustar", "a tar archive"),
    (rb"\x7fELF", "a program"),
    (rb"MZ.{2,}\0", "a program"),
    (rb"SQLite format 3\0", "an SQLite database"),
    (rb"\0\x01\0\0Standard (?:Jet|ACE) DB", "an Access database"),
    (rb"AC10[0-9]{2}\0", "an AutoCAD drawing"),
    (rb"8BPS\0", "a Photoshop picture"),
    (rb"AT&TFORM", "a DjVu document"),
    (rb".{60}(?:BOOKMOBI|TEXtREAd)", "a Kindle e-book"),
)
_PATTERNS = tuple((re.compile(pattern, re.S), what) for pattern, what in _FOREIGN)

APPLE = {".pages": "Pages", ".numbers": "Numbers", ".key": "Keynote"}
"""Apple's programs, whose files are ZIP archives of what nobody else reads."""


def foreign(head: bytes) -> str:
    """What the file that begins with `head` is, such as "a film"; empty where it isn't known."""
    return next((what for pattern, what in _PATTERNS if pattern.match(head)), "")
