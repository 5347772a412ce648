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
_USUAL = (
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)

_DECLARED = re.compile(rb"<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)

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
    if max(even, odd) * 2 < max(len(head) // 2, 1):
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
    matches = list(charset_normalizer.from_bytes(sample, cp_isolation=list(_USUAL)))
    # By far more files are in cp1252 than in any other that reads Western European text about as well.
    western = any(
        match.encoding == "cp1252" and match.chaos < matches[0].chaos + 0.1 and match.coherence >= matches[0].coherence
        for match in matches
    )
    found = "cp1252" if western or not matches else matches[0].encoding
    # A stray byte in a text that is UTF-8 otherwise, such as a cut-off file.
    text = sample.decode("utf-8", "replace")
    return "utf-8" if text.count("\ufffd") * 10 < sum(not char.isascii() for char in text) else found


def declared_by_html(data: bytes) -> str:
    """The encoding that a page declares in its first 1,024 bytes, "" where it declares none."""
    found = _DECLARED.search(data[:1024])
    return found[1].decode("ascii") if found else ""
