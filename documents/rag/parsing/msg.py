"""Outlook's messages, by python-oxmsg."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import cast

from oxmsg import Message
from oxmsg.attachment import Attachment
from oxmsg.domain.constants import (
    PID_ATTACH_CONTENT_ID,
    PID_ATTACH_FILENAME,
    PID_BODY_HTML,
    PID_DISPLAY_NAME,
    PID_HTML,
    PID_INTERNET_MESSAGE_ID,
)
from oxmsg.properties import Properties
from oxmsg.storage import Storage

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import mail
from documents.rag.parsing.decoding import declared_by_html, decode
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.packed import Packed, from_bytes
from documents.rag.types import Page

_RECIPIENT_TYPE, _TO, _CC = 0x0C15, 1, 2
_MESSAGE_INSIDE = "__substg1.0_3701000D"
_HEADER_INSIDE = 24
"""Bytes before the properties of a message that is attached to another: [MS-OXMSG] 2.4.1.2."""


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The header and the body; the title is the subject."""
    with _read(name):
        found = _mail(Message.load(str(path)))
    yield from mail.parse(found, first)


def members(path: Path, *, name: str) -> list[Packed]:
    """What is attached, without the pictures that belong to the body."""
    with _read(name):
        return list(_members(Message.load(str(path))))


@contextmanager
def _read(name: str) -> Iterator[None]:
    """What the library raises over a damaged file, as a sentence."""
    try:
        yield
    except (LookupError, ValueError, TypeError, AssertionError, struct.error, OSError, RecursionError) as error:
        raise UnreadableDocument(
            f"{name} is damaged, or no Outlook message. Save it again in Outlook, as .msg or .eml."
        ) from error


class _Attached(Message):
    """A message that is attached to another."""

    @property
    def properties(self) -> Properties:
        return Properties(self._storage, properties_header_offset=_HEADER_INSIDE)


def _mail(message: Message) -> mail.Mail:
    fields = {
        "From": _plain(message.sender),
        "To": _recipients(message, _TO),
        "Cc": _recipients(message, _CC),
        "Date": format_datetime(message.sent_date) if message.sent_date else "",
        "Subject": message.subject,
        "Message-ID": message.properties.str_prop_value(PID_INTERNET_MESSAGE_ID),
    }
    return mail.Mail(mail.header(fields.items()), _html(message), message.body or "")


def _plain(field: str | None) -> str:
    """A field of an Internet header, its encoded words read."""
    return str(make_header(decode_header(field or "")))


def _recipients(message: Message, kind: int) -> str:
    who = [each for each in message.recipients if each.properties.int_prop_value(_RECIPIENT_TYPE) in (kind, None)]
    names = ((_plain(each.name), each.email_address) for each in who)
    return ", ".join(_addressed(*each) for each in names if any(each))


def _addressed(name: str, address: str) -> str:
    return f"{name} <{address}>" if name and address and name != address else name or address


def _html(message: Message) -> str:
    data = message.properties.binary_prop_value(PID_HTML)
    if data:
        return decode(data, declared_by_html(data) or message.properties.body_encoding)
    return message.properties.str_prop_value(PID_BODY_HTML) or ""


def _members(message: Message) -> Iterator[Packed]:
    for number, attachment in enumerate(message.attachments, 1):
        if (inner := _message_inside(attachment)) is not None:
            given = attachment.properties.str_prop_value(PID_DISPLAY_NAME) or inner.subject or f"message {number}"
            yield from_bytes(f"{given}.eml", bytes(_as_sent(inner)))
        elif not _belongs_to_the_body(attachment):
            yield from_bytes(_file_name(attachment) or f"attachment {number}", attachment.file_bytes or b"")


def _message_inside(attachment: Attachment) -> Message | None:
    storages = cast(Storage, attachment._storage).storages
    inside = (storage for storage in storages if storage.name == _MESSAGE_INSIDE)
    return next(map(_Attached, inside), None)


def _belongs_to_the_body(attachment: Attachment) -> bool:
    named = attachment.properties.str_prop_value(PID_ATTACH_CONTENT_ID)
    return bool(named) and (attachment.mime_type or "").startswith("image/")


def _file_name(attachment: Attachment) -> str | None:
    return attachment.file_name or attachment.properties.str_prop_value(PID_ATTACH_FILENAME)


def _as_sent(message: Message) -> EmailMessage:
    """A message of Outlook's as other programs keep it."""
    found = _mail(message)
    sent = EmailMessage(policy=SMTPUTF8)
    for name, value in found.header.items():
        sent[name] = value
    sent.set_content(found.text)
    if found.html:
        sent.add_alternative(found.html, subtype="html")
    for packed in _members(message):
        packed.write(data := BytesIO())
        sent.add_attachment(data.getvalue(), maintype="application", subtype="octet-stream", filename=packed.path)
    return sent
