"""Text as people and databases can take it."""

from __future__ import annotations

import re
import unicodedata

# Control characters, lone surrogates, soft hyphens, byte-order marks and zero-width spaces carry no text;
# a joiner (U+200C, U+200D) does, in Persian and in emoji.
_INVISIBLE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff"
_WIDTHS = "\x85\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_JOINED = "\ufb00-\ufb06"
_UNREADABLE, _SPACES, _LIGATURES = (re.compile(f"[{kind}]") for kind in (_INVISIBLE, _WIDTHS, _JOINED))
_UNKNOWN = re.compile(r"[\ufffd\ue000-\uf8ff]")
_ANY = re.compile(f"[\r{_INVISIBLE}{_WIDTHS}{_JOINED}]")


def clean(text: str) -> str:
    """The text without characters that can't be stored or seen, ligatures as letters, composed (NFC)."""
    if text.isascii() and text.isprintable():
        return text
    if not _ANY.search(text):
        return unicodedata.normalize("NFC", text)
    text = _UNREADABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SPACES.sub(" ", text)
    text = _LIGATURES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return unicodedata.normalize("NFC", text)


SCANT_CHARACTERS = 100


def is_scant(text: str) -> bool:
    """Whether it is no more than a stamp, or a page's number and footer."""
    return len(text) < SCANT_CHARACTERS


def is_legible(text: str) -> bool:
    """Whether there is a text, and it isn't almost all made of characters that stand for nothing known."""
    if text.isascii():
        return bool(text.strip())
    unknown, shown = len(_UNKNOWN.findall(text)), len(text) - text.count(" ") - text.count("\n")
    return unknown * 5 < shown * 4
