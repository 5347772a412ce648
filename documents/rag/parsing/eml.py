"""E-mail as it is sent (RFC 5322, MIME), by Python's own parser."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from pathlib import Path
from typing import cast

from documents.rag.parsing import mail
from documents.rag.parsing.decoding import decode
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.packed import Packed, from_bytes
from documents.rag.types import Page

_BODY = ("text/html", "text/plain")


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The header and the body; the title is the subject."""
    yield from mail.parse(_mail(_message(path)), first)


def members(path: Path, *, name: str) -> list[Packed]:
    """What is attached, without the pictures that belong to the body."""
    message = _message(path)
    bodies = {id(body) for body in _bodies(message).values()}
    return [_packed(part, number) for number, part in enumerate(_attached(message, bodies), 1)]


def _message(path: Path) -> EmailMessage:
    data = path.read_bytes()
    if b"\0" in data[:64]:
        data = decode(data).encode()
    return message_from_bytes(data.lstrip(), policy=policy.default)


def _mail(message: EmailMessage) -> mail.Mail:
    bodies = {kind: _text(part) for kind, part in _bodies(message).items()}
    header = mail.header((name, _field(message, name)) for name in mail.SHOWN)
    return mail.Mail(header, bodies.get("text/html", ""), bodies.get("text/plain", ""))


def _field(message: Message, name: str) -> str:
    """A field of the header, its encoded words read; as it stands where they make no sense."""
    try:
        return str(message.get(name, ""))
    except (MessageError, ValueError, IndexError, LookupError, AttributeError):
        return next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _bodies(message: EmailMessage) -> dict[str, Message]:
    """The first part of each kind that is no attachment: Content-Type → part."""
    found: dict[str, Message] = {}
    for part in _leaves(message):
        if part.get_content_type() in _BODY and not _is_attachment(part):
            found.setdefault(part.get_content_type(), part)
    return found


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something themselves, in order; an e-mail in this e-mail counts as one."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in cast(list[Message], message.get_payload()):
            yield from _leaves(part)
    else:
        yield message


def _attached(message: EmailMessage, bodies: set[int]) -> Iterator[Message]:
    for part in _leaves(message):
        if id(part) not in bodies and part is not message and not _belongs_to_the_body(part):
            yield part


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _belongs_to_the_body(part: Message) -> bool:
    """Whether it is a picture in it, or a further stretch of it, such as a mailing list's footer or an invitation."""
    if part.get_content_maintype() == "image":
        return part["Content-ID"] is not None and part.get_content_disposition() != "attachment"
    return part.get_content_maintype() in ("text", "multipart") and not _is_attachment(part)


def _text(part: Message) -> str:
    return decode(_data(part), part.get_content_charset("") or "")


def _data(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _packed(part: Message, number: int) -> Packed:
    if part.get_content_type() == "message/rfc822" and part.is_multipart():
        [inner] = cast(list[EmailMessage], part.get_payload())
        return from_bytes(part.get_filename() or f"{_field(inner, 'Subject') or f'message {number}'}.eml", bytes(inner))
    suffix = mimetypes.guess_extension(part.get_content_type()) or ""
    return from_bytes(part.get_filename() or f"attachment {number}{suffix}", _data(part))
