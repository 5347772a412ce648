"""An answer as its reader may see it now: the rights to its sources may have changed, and these as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import AnonymousUser
from django.db.models import prefetch_related_objects

from chat.erasure import without_quotations
from chat.knowledge_gaps import who_might_know
from chat.lasting import State, standings
from chat.models import Citation, Message
from documents.models import Document, User
from documents.rag.conflicts import tells_of_conflict

_REMARKS = {State.REMOVED: "removed since", State.MOVED: "moved since", State.CHANGED: "changed since"}


def as_readable(messages: Iterable[Message], user: User | AnonymousUser) -> list[Message]:
    """The messages, not to be saved: footnotes with a `remark`, nothing of sources that the reader may not open, and
    who might know where there is no answer."""
    messages = list(messages)
    prefetch_related_objects(messages, "citations", "claims")
    known = who_might_know(messages, user)
    for message in messages:
        message.might_know = known.get(message.pk)
    citations = [citation for message in messages for citation in message.citations.all()]
    stand = standings(citations, user) if citations else []
    for citation, standing in zip(citations, stand, strict=True):
        citation.remark = _REMARKS.get(standing.state, "")
        if standing.state == State.CLOSED:
            _close(citation, standing.sentence)
    _hide_conflicts(messages, user)
    for message in messages:
        _without(message, [citation for citation in message.citations.all() if citation.closed])
    return messages


def _close(citation: Citation, sentence: str) -> None:
    citation.closed = True
    citation.title, citation.heading, citation.paged = sentence.rstrip("."), "", False


def _hide_conflicts(messages: Sequence[Message], user: User | AnonymousUser) -> None:
    """What they say of documents that differ, where the reader may not read all that they rest on."""
    telling = [message for message in messages if any(map(tells_of_conflict, message.notices))]
    rested = {document for message in telling for document in message.documents}
    hidden = rested - set(Document.objects.readable_by(user).filter(pk__in=rested).values_list("pk", flat=True))
    for message in telling:
        if hidden.intersection(message.documents):
            message.notices = [notice for notice in message.notices if not tells_of_conflict(notice)]


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
