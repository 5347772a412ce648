"""What a file is: by its content first, by its name where the content leaves it open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.entries import in_ole, in_zip
from documents.rag.parsing.foreign import APPLE, foreign

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

PDF, HTML, MARKDOWN, TEXT = "application/pdf", "text/html", "text/markdown", "text/plain"
DOCX = f"{_OOXML}wordprocessingml.document"
PPTX = f"{_OOXML}presentationml.presentation"
XLSX = f"{_OOXML}spreadsheetml.sheet"
DOC, PPT, XLS = "application/msword", "application/vnd.ms-powerpoint", "application/vnd.ms-excel"
ODT, ODP, ODS = (f"{_ODF}{kind}" for kind in ("text", "presentation", "spreadsheet"))
RTF, EPUB, XML = "application/rtf", "application/epub+zip", "application/xml"
RST, ORG, ASCIIDOC = "text/x-rst", "text/x-org", "text/asciidoc"
NOTEBOOK, JSON = "application/x-ipynb+json", "application/json"
CSV, CAPTIONS, CODE = "text/csv", "text/vtt", "text/x-source"
EML, MSG, ZIP = "message/rfc822", "application/vnd.ms-outlook", "application/zip"
PNG, JPEG, TIFF, WEBP, GIF, BMP = (f"image/{kind}" for kind in ("png", "jpeg", "tiff", "webp", "gif", "bmp"))
HEIC, AVIF = "image/heic", "image/avif"


@dataclass(frozen=True, slots=True)
class Format:
    """What is read: the module of this package that reads it, what people call it, and how its files' names end."""

    media_type: str
    module: str
    what: str
    suffixes: tuple[str, ...]


FORMATS = (
    Format(PDF, "pdf", "PDF", (".pdf",)),
    Format(DOCX, "office", "Word", (".docx", ".docm", ".dotx")),
    Format(PPTX, "slides", "PowerPoint", (".pptx", ".pptm", ".ppsx")),
    Format(XLSX, "sheets", "Excel", (".xlsx", ".xlsm", ".xlsb")),
    Format(ODT, "opendocument", "OpenDocument text", (".odt", ".ott")),
    Format(ODP, "opendocument", "OpenDocument presentation", (".odp", ".otp")),
    Format(ODS, "sheets", "OpenDocument spreadsheet", (".ods",)),
    Format(DOC, "office", "Word before 2007", (".doc", ".dot")),
    Format(PPT, "ppt", "PowerPoint before 2007", (".ppt", ".pps")),
    Format(XLS, "sheets", "Excel before 2007", (".xls",)),
    Format(RTF, "office", "Rich Text", (".rtf",)),
    Format(EPUB, "office", "EPUB book", (".epub",)),
    Format(HTML, "html", "HTML", (".html", ".htm", ".xhtml")),
    Format(MARKDOWN, "markdown", "Markdown", (".md", ".markdown")),
    Format(RST, "office", "reStructuredText", (".rst",)),
    Format(ASCIIDOC, "asciidoc", "AsciiDoc", (".adoc", ".asciidoc")),
    Format(ORG, "office", "Org", (".org",)),
    Format(NOTEBOOK, "office", "Jupyter notebook", (".ipynb",)),
    Format(EML, "eml", "e-mail", (".eml",)),
    Format(MSG, "msg", "Outlook message", (".msg",)),
    Format(ZIP, "archive", "ZIP archive", (".zip",)),
    Format(JPEG, "pictures", "JPEG picture", (".jpg", ".jpeg", ".jpe", ".jfif")),
    Format(PNG, "pictures", "PNG picture", (".png",)),
    Format(TIFF, "pictures", "TIFF picture", (".tif", ".tiff")),
    Format(WEBP, "pictures", "WebP picture", (".webp",)),
    Format(HEIC, "pictures", "HEIC photograph", (".heic", ".heif")),
    Format(AVIF, "pictures", "AVIF picture", (".avif",)),
    Format(GIF, "pictures", "GIF picture", (".gif",)),
    Format(BMP, "pictures", "BMP picture", (".bmp", ".dib")),
    Format(CSV, "separated", "CSV", (".csv", ".tsv", ".tab")),
    Format(CAPTIONS, "captions", "subtitles", (".vtt", ".srt")),
    Format(JSON, "code", "JSON", (".json", ".jsonl", ".ndjson", ".geojson")),
    Format(XML, "xml", "XML", (".xml", ".xsd", ".xsl", ".xslt", ".rss", ".atom", ".nxml")),
    Format(
        CODE,
        "code",
        "source code",
        (
            *(
                ".py",
                ".pyi",
                ".js",
                ".mjs",
                ".cjs",
                ".jsx",
                ".ts",
                ".tsx",
                ".css",
                ".scss",
                ".sql",
                ".sh",
                ".bash",
                ".zsh",
            ),
            *(
                ".c",
                ".h",
                ".cc",
                ".cpp",
                ".cxx",
                ".hpp",
                ".cs",
                ".go",
                ".java",
                ".kt",
                ".kts",
                ".rs",
                ".rb",
                ".php",
                ".pl",
            ),
            *(".swift", ".scala", ".lua", ".r", ".jl", ".hs", ".ex", ".exs", ".erl", ".clj", ".dart", ".ps1", ".bat"),
            *(".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".env", ".tf", ".proto", ".graphql"),
            *(".tex", ".bib", ".diff", ".patch", ".vue", ".svelte", ".mk", ".cmake", ".gradle", ".groovy", ".m", ".vb"),
        ),
    ),
    Format(TEXT, "text", "plain text", (".txt", ".text", ".log", "")),
)

READ = {kind.media_type: kind.module for kind in FORMATS}
"""Media type → the module of this package that reads it."""

SUFFIXES = {suffix: kind.media_type for kind in FORMATS for suffix in kind.suffixes}

PICTURES = {PNG, JPEG, TIFF, WEBP, HEIC, AVIF, GIF, BMP}
"""Those of them that have no text but what is recognised in them."""

CONTAINERS = (EML, MSG, ZIP)
"""Those of them that hold files, which become documents of their own."""

READABLE = (
    "PDF, Office and OpenDocument files, pictures, e-mail, e-books, HTML, Markdown, tables, notebooks, subtitles, code "
    "and text, and ZIP archives of these"
)
"""In a few words, for those who choose a file."""

LIGHT = {HTML, MARKDOWN, TEXT, ASCIIDOC, CSV, CAPTIONS, JSON, CODE}
"""Read by code of ours, or of well-kept parsers, in a time that grows with the file's size and no faster."""

_HEAD_BYTES = 4096

_ZIPPED = {DOCX, PPTX, XLSX, ODT, ODP, ODS, EPUB}
_OLD = {DOC, PPT, XLS, MSG}
_OLD_SIGNATURE = b"\xd0\xcf\x11\xe0"

_PACKAGE = {"[Content_Types].xml", "_rels/.rels"}
_MANIFESTS = {"META-INF/manifest.xml", "META-INF/container.xml"}
_PARTS = {"word": DOCX, "ppt": PPTX, "xl": XLSX}
_STREAMS = {
    "WordDocument": DOC,
    "PowerPoint Document": PPT,
    "Workbook": XLS,
    "Book": XLS,
    "__properties_version1.0": MSG,
}

_PICTURES = (
    (re.compile(rb"\x89PNG\r\n"), PNG),
    (re.compile(rb"\xff\xd8\xff"), JPEG),
    (re.compile(rb"GIF8"), GIF),
    (re.compile(rb"II\*\0|MM\0\*"), TIFF),
    (re.compile(rb"RIFF....WEBP", re.S), WEBP),
    (re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.S), BMP),
    (re.compile(rb"....ftyp(?:hei|hev|mif1|msf1)", re.S), HEIC),
    (re.compile(rb"....ftyp(?:avi[fs])", re.S), AVIF),
)

HTML_START = re.compile(rb"(?:<\?xml[^>]*>|<!--.{0,2000}?-->|\s)*<(?:!doctype html|html|head|body)\b", re.I | re.S)
UTF16_OR_32 = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def media_type(name: str, file: IO[bytes]) -> str:
    """The media type of the file, a key of READ; some kilobytes of it are looked at, wherever they are.

    Raises UnreadableDocument, with a sentence that names the file and what it is, for what isn't read.
    """
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not head.strip(b"\0\t\n\r "):
        raise UnreadableDocument(f"{name} is empty. Upload a file with text in it.")
    suffix = PurePath(name).suffix.lower()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"%PDF-") or (suffix == ".pdf" and b"%PDF-" in head[:1024]):
        return PDF
    if start.startswith(b"{\\rtf"):
        return RTF
    by_name = SUFFIXES.get(suffix, "")
    if program := APPLE.get(suffix, "") if head.startswith(b"PK") else "":
        raise UnreadableDocument(f"{name} is a file of {program}. Export it there as a PDF, and upload that.")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(name, by_name, head, file)
    if head.startswith(_OLD_SIGNATURE):
        return _old(name, by_name, file)
    if picture := next((kind for signature, kind in _PICTURES if signature.match(head)), ""):
        if suffix == ".pdf":
            raise _refusal(f"{name} is a {_what(picture)}, not a PDF. Give it its right name.")
        return picture
    if what := foreign(head):
        raise _refusal(f"{name} is {what}{', not a PDF' if suffix == '.pdf' else ''}.")
    if by_name != XML and HTML_START.match(start):
        return HTML
    if by_name in {PDF, ZIP, *PICTURES, *_ZIPPED, *_OLD}:
        what = _what(by_name)
        raise _refusal(f"{name} has the name of another type ({what}) than its content. Save it again, or rename it.")
    if not _looks_like_text(head):
        raise _refusal(f"{name} is not text.")
    if not by_name:
        raise _refusal(f"{name} can't be read: it is a {suffix} file.")
    return by_name


def _what(media_type: str) -> str:
    """What people call it."""
    return next(kind.what for kind in FORMATS if kind.media_type == media_type)


def _zipped(name: str, by_name: str, head: bytes, file: IO[bytes]) -> str:
    """The format of a ZIP archive: as it declares itself, as EPUB and OpenDocument do, by its parts, or by its name."""
    declared = next((kind for kind in (ODT, ODP, ODS, EPUB) if b"mimetype" + kind.encode() in head[:200]), "")
    if declared:
        return declared
    paths = in_zip(file)
    is_package = not _PACKAGE.isdisjoint(paths)
    if is_package and (part := next((path for path in paths if path.split("/")[0] in _PARTS), "")):
        return _PARTS[part.split("/")[0]]
    if by_name in _ZIPPED and (is_package or not paths or not _MANIFESTS.isdisjoint(paths)):
        return by_name
    if is_package:
        raise _refusal(f"{name} is packed like an Office file, but is none of Word, PowerPoint or Excel.")
    return ZIP


def _old(name: str, by_name: str, file: IO[bytes]) -> str:
    """The format of a file of Outlook, or Office before 2007; today's Office packs what has a password like these."""
    names = in_ole(file)
    if "EncryptedPackage" in names:
        raise UnreadableDocument(f"{name} is protected by a password. Save it without one and upload that.")
    kind = next((kind for stream, kind in _STREAMS.items() if stream in names), by_name)
    if kind not in _OLD:
        raise _refusal(f"{name} is an old Microsoft Office file of an unknown kind.")
    return kind


def _looks_like_text(head: bytes) -> bool:
    """Whether these are the bytes of a text in some encoding; UTF-16 without a mark shows by NULs on one side only."""
    if head.startswith(UTF16_OR_32) or b"\0" not in head:
        return True
    even, odd = head[::2].count(0), head[1::2].count(0)
    return min(even, odd) * 20 < max(even, odd) and max(even, odd) * 2 >= len(head) // 2


def _refusal(sentence: str) -> UnreadableDocument:
    return UnreadableDocument(f"{sentence} Footnote reads {READABLE}.")
