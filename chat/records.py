"""What is stored of questions and answers, in short transactions; nothing here waits for a model."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, connection, transaction
from django.db.models import Prefetch, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator

from chat.erasure import without_quotations
from chat.models import Citation, Claim, Conversation, Gap, Message, Prompt
from chat.reading import as_readable
from documents import spending
from documents.endpoints import chat_models
from documents.erasure import hold
from documents.models import Document, Library, User, Version
from documents.places import boxes, heading
from documents.questions import check_question
from documents.rag.errors import PermanentError
from documents.rag.metering import Allowance
from documents.rag.strategies import find_strategy
from documents.rag.types import Call, Turn

LEASE = timedelta(seconds=15)
"""How long an answer counts as being written after its writer last said so."""

_TURNS = 8
"""Messages that are handed on as they are."""

_RECEIPTS = 20
"""Questions before them that are told in short."""

_NO_ANSWER = "This answer is not there any more."
_GONE = "This conversation is not there any more. Begin a new one."


class Refused(PermanentError):
    """This question can't be asked."""


class SignedOut(Refused):
    """You are signed out. Sign in again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came in; no `conversation` begins one, no `libraries` are all that the user may read.

    `model` is asked first, where one is chosen. With `deeper`, an answer, the question of that one is asked again, by
    another strategy.
    """

    text: str
    strategy: str
    libraries: frozenset[int] = frozenset()
    conversation: uuid.UUID | None = None
    deeper: int | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What an answer will stand on: its ids, what may be read for it, and what was said before.

    `stale` is an answer of the conversation whose writer may be gone; `found` are the chunks of one that is gone deeper
    than. What was said `stays` where it may go to own endpoints only.
    """

    asked: Asked
    owner: int
    conversation: uuid.UUID
    question: int
    answer: int
    libraries: tuple[int, ...]
    history: tuple[Turn, ...] = ()
    stale: int | None = None
    found: tuple[int, ...] = ()
    receipts: tuple[str, ...] = ()
    allowance: Allowance | None = None
    warning: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended: the message's fields, its footnotes and claims as theirs, and its calls of models."""

    status: Message.Status
    fields: dict[str, Any]
    citations: Sequence[Mapping[str, Any]] = ()
    calls: Sequence[Call] = ()
    prompt: str = ""
    claims: Sequence[Mapping[str, Any]] = ()
    searched: Sequence[int] = ()


# --- Before the answer ------------------------------------------------------------------------


def look_up(session: str, asked: Asked) -> Ground:
    """Everything an answer needs, as this session's user may see it now. Raises a PermanentError otherwise."""
    find_strategy(asked.strategy)
    user = signed_in(session)
    earlier = _earlier(user, asked)
    if earlier and earlier.parent:
        asked = replace(asked, text=earlier.parent.text)
    check_question(asked.text)
    if asked.model and asked.model not in {model.name for model in chat_models()}:
        raise Refused(f"The model “{asked.model}” is not connected any more. Choose another.")
    messages = _latest(user, asked.conversation, before=earlier) if asked.conversation else []
    as_readable([message for message in messages if message.quoted], user)
    question, answer = _new_ids()
    allowance, warning = spending.allowance(user)
    return Ground(
        asked,
        owner=user.pk,
        conversation=asked.conversation or uuid.uuid4(),
        question=question,
        answer=answer,
        libraries=_readable(user, asked),
        history=tuple(Turn(message.role, message.text) for message in messages if message.text),
        receipts=_receipts(user, messages),
        stale=_stale(messages),
        found=tuple(earlier.found) if earlier else (),
        allowance=allowance,
        warning=warning,
        stays=bool(asked.conversation) and Conversation(pk=asked.conversation).stays,
    )


def _earlier(user: User, asked: Asked) -> Message | None:
    """The answer that is gone deeper than. Raises Refused where there is none of that number in the conversation."""
    if asked.deeper is None:
        return None
    own = Message.objects.filter(conversation__in=Conversation.objects.of(user)).select_related("parent")
    found = own.filter(pk=asked.deeper, conversation=asked.conversation, role=Message.Role.ASSISTANT).first()
    if found is None:
        raise Refused(_NO_ANSWER)
    return found


def signed_in(session: str) -> User:
    """Whose session this is, looked up again. Raises SignedOut."""
    user = get_user(cast(HttpRequest, SimpleNamespace(session=SessionStore(session))))
    if not isinstance(user, User):
        raise SignedOut
    return user


def _latest(user: User, conversation: uuid.UUID, *, before: Message | None) -> list[Message]:
    """The last messages; where it is gone deeper than an answer, those before its question."""
    if not Conversation.objects.of(user).filter(pk=conversation).exists():
        raise Refused(_GONE)
    messages = Message.objects.filter(conversation=conversation)
    if before:
        messages = messages.filter(Q(pk__lt=before.parent_id) | Q(status=Message.Status.STREAMING))
    return list(messages.order_by("-pk")[:_TURNS])[::-1]


def _receipts(user: User, messages: Sequence[Message]) -> tuple[str, ...]:
    """What was asked before the first of the messages, the last of it, with the documents that its answers cite.

    Only such documents are named as the user may read now.
    """
    if len(messages) < _TURNS:
        return ()
    first = messages[0]
    answers = Message.objects.filter(conversation=first.conversation, pk__lt=first.pk, parent__isnull=False)
    readable = Prefetch(
        "citations", Citation.objects.filter(document__in=Document.objects.readable_by(user)), to_attr="readable"
    )
    told = answers.select_related("parent").prefetch_related(readable).order_by("-pk")[:_RECEIPTS]
    return tuple(map(_receipt, reversed(told)))


def _receipt(answer: Message) -> str:
    titles = dict.fromkeys(citation.title for citation in answer.readable)  # type: ignore[attr-defined]
    question = Truncator(" ".join(answer.parent.text.split())).chars(200) if answer.parent else ""
    return f"{question} ({', '.join(titles) or 'nothing cited'})"


def _stale(messages: Sequence[Message]) -> int | None:
    for message in messages:
        if message.status == Message.Status.STREAMING:
            if message.lease_until and message.lease_until > timezone.now():
                raise Refused("An answer is still being written here. Wait for its end, or stop it.")
            return message.pk
    return None


def _readable(user: User, asked: Asked) -> tuple[int, ...]:
    readable = set(Library.objects.readable_by(user).values_list("pk", flat=True))
    chosen = readable & asked.libraries if asked.libraries else readable
    if asked.libraries and not chosen:
        raise Refused("You may not read the libraries chosen here. Choose others.")
    return tuple(sorted(chosen))


def _new_ids() -> tuple[int, int]:
    """Ids for question and answer, known before either is stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('chat_message', 'id')) FROM generate_series(1, 2)")
        (question,), (answer,) = cursor.fetchall()
    return question, answer


def store(ground: Ground) -> None:
    """Keep the question, and that its answer is being written. Raises Refused."""
    try:
        with transaction.atomic():
            _keep_conversation(ground)
            Message.objects.bulk_create(_messages(ground))
    except IntegrityError as error:
        raise Refused("An answer is still being written here, or the conversation was deleted.") from error


def _keep_conversation(ground: Ground) -> None:
    asked = ground.asked
    if asked.conversation is None:
        title = Truncator(" ".join(asked.text.split())).chars(80)
        Conversation.objects.create(
            pk=ground.conversation, owner_id=ground.owner, title=title, strategy=asked.strategy, model=asked.model
        )
    else:
        chosen = {} if asked.deeper else {"strategy": asked.strategy, "model": asked.model}
        Conversation.objects.filter(pk=ground.conversation).update(updated=timezone.now(), **chosen)
    if asked.libraries or asked.conversation:
        Conversation(pk=ground.conversation).libraries.set(asked.libraries & set(ground.libraries))


def _messages(ground: Ground) -> list[Message]:
    question = Message(
        pk=ground.question, conversation_id=ground.conversation, role=Message.Role.USER, text=ground.asked.text
    )
    answer = Message(
        pk=ground.answer,
        conversation_id=ground.conversation,
        parent=question,
        role=Message.Role.ASSISTANT,
        status=Message.Status.STREAMING,
        strategy=ground.asked.strategy,
        lease_until=timezone.now() + LEASE,
    )
    return [question, answer]


# --- While it is written, and after -----------------------------------------------------------


def renew(answers: Sequence[int]) -> None:
    """Say that these answers are still being written."""
    Message.objects.filter(pk__in=answers, status=Message.Status.STREAMING).update(lease_until=timezone.now() + LEASE)


def orphans() -> list[int]:
    """Answers whose writer is gone."""
    found = Message.objects.filter(status=Message.Status.STREAMING, lease_until__lt=timezone.now())
    return list(found.values_list("pk", flat=True))


def own_conversation(session: str, conversation: uuid.UUID) -> Conversation:
    """Raises Refused where it isn't the session's user's own."""
    if found := Conversation.objects.of(signed_in(session)).filter(pk=conversation).first():
        return found
    raise Refused(_GONE)


def own_answer(session: str, answer: int) -> Message:
    """Raises Refused where it stands in no conversation of the session's user."""
    own = Conversation.objects.of(signed_in(session))
    if found := Message.objects.filter(pk=answer, role=Message.Role.ASSISTANT, conversation__in=own).first():
        return found
    raise Refused(_NO_ANSWER)


def finish(answer: int, outcome: Outcome) -> None:
    """Commit an answer's end and its footnotes together; an answer that has ended stays as it is.

    One that others took for interrupted has not ended as long as its writer goes on.
    """
    interrupts = outcome.status == Message.Status.INTERRUPTED
    unended = [Message.Status.STREAMING] if interrupts else [Message.Status.STREAMING, Message.Status.INTERRUPTED]
    with transaction.atomic():
        message = Message.objects.select_for_update().filter(pk=answer, status__in=unended).first()
        if message is None:
            return
        message.citations.all().delete()
        message.claims.all().delete()
        spending.keep(message.conversation.owner_id, outcome.calls, answer)
        for name, value in outcome.fields.items():
            setattr(message, name, value)
        message.status = outcome.status
        message.lease_until = None
        hold(fields["version"] for fields in outcome.citations)
        footnotes = citations(message, outcome.citations)
        erased = {note.number for note in footnotes if note.erased_at}
        if message.quoted:
            message.text = without_quotations(message.text, erased)
        message.save()
        if message.abstained and message.status == Message.Status.COMPLETE:
            _file_gap(message, outcome.searched)
        if outcome.prompt:
            Prompt.objects.update_or_create(message=message, defaults={"text": outcome.prompt})
        Citation.objects.bulk_create(footnotes)
        if not erased:
            Claim.objects.bulk_create(Claim(message=message, **fields) for fields in outcome.claims)


def _file_gap(message: Message, searched: Sequence[int]) -> None:
    """Tell the owners of what was searched that it has no answer."""
    libraries = Library.objects.filter(pk__in=searched)
    if libraries:
        gap, _ = Gap.objects.get_or_create(message=message)
        gap.libraries.set(libraries)


def citations(message: Message, cited: Sequence[Mapping[str, Any]]) -> list[Citation]:
    """Footnotes, not saved yet; of what was erased meanwhile the place alone."""
    versions = Version.objects.select_related("document__library").in_bulk({fields["version"] for fields in cited})
    return [_citation(message, fields, versions.get(fields["version"])) for fields in cited]


def _citation(message: Message, fields: Mapping[str, Any], version: Version | None) -> Citation:
    citation = Citation(message=message, **{name: fields[name] for name in _OWN_FIELDS})
    citation.verdict = fields.get("verdict", "")
    if version:
        citation.version, citation.document, citation.library = version, version.document, version.document.library
        citation.sha256 = version.sha256
        if page := version.pages.filter(number=citation.page).first():
            citation.heading = heading(page, citation.start, citation.end)[:500]
            citation.boxes = [list(astuple(box)) for box in boxes(page, citation.start, citation.end)]
    else:
        citation.title, citation.quote, citation.erased_at = "", "", timezone.now()
    return citation


_OWN_FIELDS = ("number", "title", "page", "paged", "start", "end", "quote")
