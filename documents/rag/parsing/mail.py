"""An e-mail, however it is kept: its header and body as a document, and what is attached to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from documents.rag.parsing import html, text
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, by_heading, document
from documents.rag.types import BlockKind, Page

_ADDRESS = re.compile(r"https?://[^\s<>\])]+|mailto:\S+")

SHOWN = ("From", "To", "Cc", "Date", "Subject", "Message-ID")


@dataclass(frozen=True, slots=True)
class Mail:
    """What people see of an e-mail: `header` holds those of SHOWN that it has; a body that is missing is ""."""

    header: dict[str, str]
    html: str
    text: str

    @property
    def subject(self) -> str:
        return self.header.get("Subject", "")


def header(fields: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """The fields that are there, each on one line."""
    on_lines = ((name, " ".join(clean(value or "").split())) for name, value in fields)
    return {name: value for name, value in on_lines if value}


def parse(mail: Mail, first: int) -> Iterator[Opened | Page]:
    """The header as one block, then the body: of HTML and text the HTML, and what only the text says."""
    lines = "\n".join(f"{name}: {value}" for name, value in mail.header.items())
    head = [Piece(BlockKind.PARAGRAPH, lines)] if lines else []
    body = html.pieces(mail.html)
    said = "".join(_letters(piece.text) for piece in body)
    unsaid = [paragraph for paragraph in text.paragraphs(mail.text) if _letters(paragraph.text) not in said]
    yield from document(mail.subject, [[*head, *_as_one([*body, *unsaid])]], first)


def _letters(text: str) -> str:
    """What two versions of a paragraph have in common: nothing of how links and emphasis are written."""
    return "".join(filter(str.isalnum, _ADDRESS.sub("", text))).lower()


def _as_one(body: Sequence[Piece]) -> Iterator[Piece]:
    """The body without its headings' breaks: the header alone is no page."""
    return chain.from_iterable(by_heading(body))
