"""An answer as its reader may see it now: the rights to its sources may have changed, and these as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import AnonymousUser
from django.db.models import prefetch_related_objects

from chat.erasure import without_quotations
from chat.lasting import State, standings
from chat.models import Citation, Message
from documents.models import User

_REMARKS = {State.REMOVED: "removed since", State.MOVED: "moved since", State.CHANGED: "changed since"}


def as_readable(messages: Iterable[Message], user: User | AnonymousUser) -> list[Message]:
    """The messages, not to be saved: footnotes with a `remark`, and nothing of sources that the reader may not open."""
    messages = list(messages)
    prefetch_related_objects(messages, "citations", "claims")
    citations = [citation for message in messages for citation in message.citations.all()]
    stand = standings(citations, user) if citations else []
    for citation, standing in zip(citations, stand, strict=True):
        citation.remark = _REMARKS.get(standing.state, "")
        if standing.state == State.CLOSED:
            _close(citation, standing.sentence)
    for message in messages:
        _without(message, [citation for citation in message.citations.all() if citation.closed])
    return messages


def _close(citation: Citation, sentence: str) -> None:
    citation.closed = True
    citation.title, citation.heading, citation.paged = sentence.rstrip("."), "", False


def _without(message: Message, closed: Sequence[Citation]) -> None:
    """Take out of an answer what was quoted from these."""
    numbers = {citation.number for citation in closed}
    if not numbers:
        return
    for claim in message.claims.all():
        if numbers.intersection(claim.numbers):
            claim.reason = ""
        if message.quoted:
            claim.start = claim.end = 0  # Its text is cut, and nothing of it can be marked.
    if message.quoted:
        message.text = without_quotations(message.text, numbers)
