"""Kinds of files, as people tell them apart: what each is called, by what words it is asked for, and what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from documents.rag.parsing.recognising import (
    ASCIIDOC,
    CAPTIONS,
    CODE,
    CSV,
    DOC,
    DOCX,
    EML,
    EPUB,
    HTML,
    JSON,
    MARKDOWN,
    MSG,
    NOTEBOOK,
    ODP,
    ODS,
    ODT,
    ORG,
    PDF,
    PICTURES,
    PPT,
    PPTX,
    RST,
    RTF,
    SUFFIXES,
    TEXT,
    XLS,
    XLSX,
    XML,
    ZIP,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of files: its name, the words for it (lower case, the one to show first), and its media types."""

    label: str
    words: tuple[str, ...]
    media_types: tuple[str, ...]


KINDS = (
    Kind("PDF", ("pdf",), (PDF,)),
    Kind("Word", ("word", "document", "opendocument"), (DOCX, DOC, ODT, RTF)),
    Kind("Excel", ("excel", "spreadsheet", "sheet"), (XLSX, XLS, ODS)),
    Kind("PowerPoint", ("powerpoint", "presentation", "slides"), (PPTX, PPT, ODP)),
    Kind("Web page", ("html", "web", "webpage"), (HTML,)),
    Kind("Markdown", ("markdown",), (MARKDOWN, RST, ASCIIDOC, ORG)),
    Kind("Text", ("text", "plain"), (TEXT,)),
    Kind("E-mail", ("email", "e-mail", "mail", "message", "outlook"), (EML, MSG)),
    Kind("Picture", ("picture", "image", "photo", "scan"), tuple(sorted(PICTURES))),
    Kind("Table", ("csv", "table"), (CSV,)),
    Kind("E-book", ("ebook", "e-book", "book"), (EPUB,)),
    Kind("Code", ("code", "source"), (CODE, NOTEBOOK)),
    Kind("Data", ("data",), (JSON, XML)),
    Kind("Subtitles", ("subtitles", "captions"), (CAPTIONS,)),
    Kind("Archive", ("archive", "zip"), (ZIP,)),
)

_BY_WORD = {word: kind.media_types for kind in KINDS for word in kind.words}
_BY_MEDIA_TYPE = {media_type: kind for kind in KINDS for media_type in kind.media_types}


def kind_of(media_type: str) -> Kind:
    """The kind that files of this media type, one of those that are read, belong to."""
    return _BY_MEDIA_TYPE[media_type]


def media_types(words: Iterable[str]) -> set[str]:
    """The media types that any of these words stands for: a kind's, or a suffix such as "docx", in any case."""
    return {media_type for word in words for media_type in _media_types(word.strip().lower().removeprefix("."))}


def _media_types(word: str) -> tuple[str, ...]:
    if f".{word}" in SUFFIXES and word not in _BY_WORD:
        return (SUFFIXES[f".{word}"],)
    return _BY_WORD.get(word) or _BY_WORD.get(word.removesuffix("s"), ())
