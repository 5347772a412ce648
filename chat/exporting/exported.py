"""An answer as it may be taken away: with its footnotes, as far as whoever takes it may read them now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.utils.formats import date_format
from django.utils.timezone import localtime

from chat.erasure import without_quotations
from chat.lasting import Standing, State, standings
from chat.marking import Mark
from chat.models import Citation, Claim, Message, Verdict
from documents.models import User
from documents.rag.claims import plain
from documents.rag.parsing.grids import CELL_BREAK


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote: where it is taken from, what is quoted of it, and what else is to be known of it.

    `place` is the document with page and version; `doubts` are what the source says otherwise; `hash` is that of a file
    that was erased.
    """

    number: int
    place: str
    quote: str = ""
    verdict: str = ""
    doubts: tuple[str, ...] = ()
    remark: str = ""
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """`text` is Markdown with the markers of its notes, [1]; `marks` are what of it is doubted."""

    question: str
    text: str
    notes: tuple[Note, ...]
    origin: str
    remarks: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()

    @property
    def numbers(self) -> set[int]:
        return {note.number for note in self.notes}


def exported(message: Message, user: User | AnonymousUser) -> Exported:
    """The answer for this reader: of what they may not read now, not a word that was quoted."""
    citations = list(message.citations.select_related("version"))
    stand = standings(citations, user)
    closed = {each.number for each, standing in zip(citations, stand, strict=True) if not standing.is_open}
    claims = [claim for claim in message.claims.all() if claim.is_doubted]
    told = [claim for claim in claims if not closed.intersection(claim.numbers)]
    return Exported(
        question=message.parent.text if message.parent else "",
        text=without_quotations(message.text, closed) if message.quoted else message.text,
        notes=tuple(_note(each, standing, told) for each, standing in zip(citations, stand, strict=True)),
        origin=_origin(message),
        remarks=tuple(_remarks(message, claims)),
        marks=tuple(_mark(message, claim) for claim in claims),
    )


def _origin(message: Message) -> str:
    by = f" by {message.model}" if message.model else ""
    return f"Answered{by} on {date_format(localtime(message.created), 'j M Y, H:i')}."


def _remarks(message: Message, claims: Sequence[Claim]) -> Iterator[str]:
    yield from message.notices
    if message.status in _BROKEN_OFF:
        yield _BROKEN_OFF[message.status]
    if uncited := sum(claim.verdict == Verdict.UNCITED for claim in claims):
        yield f"{uncited} statement{'s' if uncited > 1 else ''} without a source."


_BROKEN_OFF: dict[str, str] = {
    Message.Status.STOPPED: "Stopped before its end.",
    Message.Status.INTERRUPTED: "Interrupted before its end.",
}


def _mark(message: Message, claim: Claim) -> Mark:
    """Without a word of its source."""
    sentence = plain(message.text[claim.start : claim.end])
    return Mark(sentence, claim.verdict, claim.get_verdict_display().capitalize(), claim.doubt)


def _note(citation: Citation, standing: Standing, doubted: Sequence[Claim]) -> Note:
    if standing.state == State.CLOSED:
        return Note(citation.number, standing.sentence)
    if standing.state == State.ERASED:
        return Note(citation.number, _place(citation, standing.sentence.rstrip(".")), hash=citation.sha256)
    return Note(
        number=citation.number,
        place=_place(citation, citation.title),
        quote=_quote(citation),
        verdict=citation.get_verdict_display().lower() if citation.verdict else "",
        doubts=tuple(_doubt(claim) for claim in doubted if citation.number in claim.numbers and claim.reason),
        remark=standing.sentence,
    )


def _quote(citation: Citation) -> str:
    """Without the ends of lines that only the page's width made; a table keeps its rows."""
    return citation.quote if CELL_BREAK in citation.quote else " ".join(citation.quote.split())


def _doubt(claim: Claim) -> str:
    return f"“{claim.doubt}”: {claim.reason}" if claim.doubt else claim.reason


def _place(citation: Citation, title: str) -> str:
    """The title, page or heading, and version."""
    page = f"page {citation.page}" if citation.paged else ""
    heading = citation.heading if citation.heading not in ("", title) and not page else ""
    version = f"version {citation.version.number}" if citation.version else ""
    return ", ".join(filter(None, (title, page, heading, version)))
