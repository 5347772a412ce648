"""Bytes of unknown encoding → text."""

from __future__ import annotations

import codecs
import re

import charset_normalizer

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 65_536

# What browsers read under these labels: https://encoding.spec.whatwg.org/#names-and-labels
_ALIASES = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}


def decode(data: bytes, declared: str = "") -> str:
    """The text of `data`: by its byte-order mark, as UTF-8 where it is that, as declared, else by what it looks like.

    What the encoding can't explain becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if wide := _unmarked_utf16(data):
        return data.decode(wide, "replace")
    declared = _codec(declared)
    if declared.startswith("iso2022") and data.isascii():
        return data.decode(declared, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data.decode(declared or _detected(data, error.start), "replace")


def _unmarked_utf16(data: bytes) -> str:
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 <= len(head) // 2:
        return ""
    return "utf-16-be" if even > odd else "utf-16-le"


def _codec(label: str) -> str:
    """Python's name for a declared encoding that reads bytes as text, "" for any other."""
    try:
        name = codecs.lookup(label.strip().lower()).name
        b"a".decode(name)
    except (LookupError, ValueError):
        return ""
    return "" if name.startswith(("utf-16", "utf-32", "utf-7", "idna", "punycode")) else _ALIASES.get(name, name)


def _detected(data: bytes, start: int) -> str:
    """The likeliest encoding of the stretch around the first byte that isn't UTF-8."""
    sample = data[max(0, start - 1024) : start + _SAMPLE_BYTES]
    matches = list(charset_normalizer.from_bytes(sample))
    best = [match.encoding for match in matches if match.chaos == matches[0].chaos]
    # Western European text is often as good in a Central European encoding; by far more files are in cp1252.
    found = best[0] if best and "cp1252" not in best else "cp1252"
    # A stray byte in a text that is UTF-8 otherwise, such as a cut-off file.
    text = sample.decode("utf-8", "replace")
    return "utf-8" if text.count("\ufffd") * 10 < sum(not char.isascii() for char in text) else found


_META = re.compile(
    rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})",
    re.I,
)


def declared_by_html(data: bytes) -> str:
    """The encoding that a page declares in its first 1,024 bytes, "" where it declares none."""
    found = _META.search(data[:1024])
    return (found[1] or found[2]).decode("ascii") if found else ""
