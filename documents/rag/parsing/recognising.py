"""What a file is: by its content first, by its name where the content leaves it open."""

from __future__ import annotations

import re
from pathlib import PurePath

from documents.rag.errors import UnreadableDocument

PDF, HTML, MARKDOWN, TEXT = "application/pdf", "text/html", "text/markdown", "text/plain"

READ = {PDF: "pdf", HTML: "html", MARKDOWN: "markdown", TEXT: "text"}
"""Media type → the module of this package that reads it."""

HEAD_BYTES = 4096
"""How much of a file's beginning `media_type` wants to see."""

SUFFIXES = {
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    ".log": TEXT,
    "": TEXT,
}

SIGNATURES = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"RIFF", "an image, a sound or a film"),
    (b"ID3", "a sound file"),
    (b"\0\0\0\x18ftyp", "a film"),
    (b"\0\0\0\x20ftyp", "a film"),
    (b"\xd0\xcf\x11\xe0", "an old Microsoft Office file or an Outlook message"),
    (b"{\\rtf", "a Rich Text file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
)

ZIPPED = {
    ".docx": "a Word document",
    ".xlsx": "an Excel workbook",
    ".pptx": "a PowerPoint presentation",
    ".odt": "an OpenDocument text",
    ".ods": "an OpenDocument spreadsheet",
    ".odp": "an OpenDocument presentation",
    ".epub": "an EPUB book",
}

HTML_START = re.compile(rb"(?:<\?xml[^>]*>|<!--.{0,2000}?-->|\s)*<(?:!doctype html|html|head|body)\b", re.I | re.S)
UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def media_type(name: str, head: bytes) -> str:
    """The media type of the file that begins with `head` (HEAD_BYTES of it), a key of READ.

    Raises UnreadableDocument, with a sentence that names the file and what it is, for what isn't read.
    """
    if not head.strip(b"\0\t\n\r "):
        raise UnreadableDocument(f"{name} is empty. Upload a file with text in it.")
    suffix = PurePath(name).suffix.lower()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in head[:1024]):
        return PDF
    if foreign := _foreign(suffix, head):
        raise _refusal(f"{name} is {foreign}{', not a PDF' if suffix == '.pdf' else ''}.")
    if HTML_START.match(start):
        return HTML
    if suffix == ".pdf":
        raise _refusal(f"{name} is named as a PDF but does not hold one. Save it as a PDF again, or rename it.")
    if not _looks_like_text(head):
        raise _refusal(f"{name} is not text.")
    if suffix not in SUFFIXES:
        raise _refusal(f"{name} can't be read: it is a {suffix} file.")
    return SUFFIXES[suffix]


def _foreign(suffix: str, head: bytes) -> str:
    """What a file of another format is, in words; "" where its content doesn't tell."""
    for signature, what in SIGNATURES:
        if head.startswith(signature):
            return what
    if head.startswith(b"PK\x03\x04"):
        return ZIPPED.get(suffix, "a ZIP archive")
    return ""


def _looks_like_text(head: bytes) -> bool:
    """Whether these are the bytes of a text in some encoding; UTF-16 without a mark shows by NULs on one side only."""
    if head.startswith(UTF16_OR_32) or b"\0" not in head:
        return True
    even, odd = head[::2].count(0), head[1::2].count(0)
    return min(even, odd) * 20 < max(even, odd) and max(even, odd) * 2 >= len(head) // 2


def _refusal(sentence: str) -> UnreadableDocument:
    return UnreadableDocument(f"{sentence} Footnote reads PDF, HTML, Markdown and plain text files.")
