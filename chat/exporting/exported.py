"""An answer as it may be taken away: with its footnotes, as far as whoever takes it may read them now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.utils.formats import date_format
from django.utils.timezone import localtime

from chat.erasure import without_quotations
from chat.lasting import Standing, State, standings
from chat.models import Citation, Message
from documents.models import User


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote: where it is taken from, what is quoted of it, and what else is to be known of it.

    `place` is the document with page and version; `hash` is that of a file that was erased.
    """

    number: int
    place: str
    quote: str = ""
    verdict: str = ""
    remark: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """`text` is Markdown with the markers of its notes: [1]."""

    question: str
    text: str
    notes: tuple[Note, ...]
    origin: str
    remarks: tuple[str, ...] = ()

    @property
    def numbers(self) -> set[int]:
        return {note.number for note in self.notes}


def exported(message: Message, user: User | AnonymousUser) -> Exported:
    """The answer for this reader: of what they may not read now, not a word that was quoted."""
    citations = list(message.citations.select_related("version"))
    stand = standings(citations, user)
    closed = {each.number for each, standing in zip(citations, stand, strict=True) if not standing.is_open}
    return Exported(
        question=message.parent.text if message.parent else "",
        text=without_quotations(message.text, closed) if message.quoted else message.text,
        notes=tuple(map(_note, citations, stand)),
        origin=_origin(message),
        remarks=tuple(_remarks(message)),
    )


def _origin(message: Message) -> str:
    by = f" by {message.model}" if message.model else ""
    return f"Answered{by} on {date_format(localtime(message.created), 'j M Y, H:i')}."


def _remarks(message: Message) -> Sequence[str]:
    ended = {
        Message.Status.STOPPED: "Stopped before its end.",
        Message.Status.INTERRUPTED: "Interrupted before its end.",
    }
    early = ended.get(Message.Status(message.status))
    return [*message.notices, *([early] if early else [])]


def _note(citation: Citation, standing: Standing) -> Note:
    if standing.state == State.CLOSED:
        return Note(citation.number, standing.sentence)
    if standing.state == State.ERASED:
        return Note(citation.number, _place(citation, standing.sentence.rstrip(".")), hash=citation.sha256)
    place = _place(citation, citation.title)
    return Note(citation.number, place, citation.quote, citation.verdict, standing.sentence)


def _place(citation: Citation, title: str) -> str:
    """The title, page or heading, and version."""
    page = f"page {citation.page}" if citation.paged else ""
    heading = citation.heading if citation.heading not in ("", title) and not page else ""
    version = f"version {citation.version.number}" if citation.version else ""
    return ", ".join(filter(None, (title, page, heading, version)))
