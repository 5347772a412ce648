"""What the sources have in common: they list what they hold, and fetch one thing of it at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol

from documents.rag.errors import PermanentError, TransientError


class Unreachable(TransientError):
    """This can't be reached just now. Nothing was taken out of the library."""


class Busy(Unreachable):
    """The server asks to be left alone for a while."""


class Vanished(PermanentError):
    """This is there no more."""


class Refused(PermanentError):
    """Footnote doesn't fetch from there."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells, without fetching, whether something changed; "" where there is nothing to tell by.

    `modified` is a file's time and size, a page's Last-Modified, or what its sitemap says; `etag` a page's ETag.
    """

    modified: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a source holds. `source` is its identity as a document: its path or address."""

    source: str
    folder: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The file of an item, open, under the name it is to have; whoever asked for it closes it.

    `address` is where on the web it was found in the end.
    """

    name: str
    file: BinaryIO
    mark: Mark
    address: str = ""


class Origin(Protocol):
    """A folder, a page or a sitemap."""

    at_a_time: int
    """How many items may be fetched side by side."""

    async def items(self) -> list[Item]:
        """All that it holds. Raises Unreachable, Vanished or Refused; never half a list."""
        ...

    async def fetch(self, item: Item, known: Mark) -> Fetched | None:
        """The item's file, or None where it is still as `known`.

        Raises Vanished where there is no such item any more, Unreachable, or Refused.
        """
        ...
