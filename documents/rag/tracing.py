"""What leaves for models while an answer is made, noted where it leaves; nobody needs to hand the notes on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from documents.rag.types import Call, Part

_notes: ContextVar[list[Call] | None] = ContextVar("notes", default=None)


def note_calls(notes: list[Call] | None = None) -> list[Call]:
    """What is sent from now on, in this task and in those that it begins, as it is sent; into `notes`, where given."""
    notes = [] if notes is None else notes
    _notes.set(notes)
    return notes


@contextmanager
def calling(kind: str, model: str, host: str, sent: Sequence[Part], *, own: bool = False) -> Iterator[Call]:
    """A call of a model, from before it leaves until its reply has come or failed."""
    call = Call(kind, model, host, tuple(sent), own)
    began = time.monotonic()
    if (notes := _notes.get()) is not None:
        notes.append(call)
    try:
        yield call
    except Exception as error:
        call.error = str(error)
        raise
    finally:
        call.milliseconds = round((time.monotonic() - began) * 1000)
