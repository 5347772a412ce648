"""Files in, pages out: one module a format, each a plain generator that any process may run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from documents.rag.parsing.opened import Opened
from documents.rag.parsing.recognising import READ, media_type
from documents.rag.types import Page

__all__ = ["READ", "Opened", "media_type", "parse"]


def parse(path: Path, media_type: str, first: int = 1, *, name: str) -> Iterator[Opened | Page]:
    """What the file is (an Opened), then its pages from page `first` on, in order.

    `name` is what the user calls the file. Raises UnreadableDocument where nothing of it can be read. For a file that
    nobody vouches for, use `reading.read`, which does this under caps of memory and time.
    """
    # A parser child starts in half the time when it imports its own format only.
    module = import_module(f"{__name__}.{READ[media_type]}")
    yield from module.parse(path, first, name=name)
