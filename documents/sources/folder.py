"""A folder on this machine, with all below it but what is hidden."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from documents.sources.types import Fetched, Item, Mark, Refused, Unreachable, Vanished

QUIET = 2.0
"""Seconds for which a file has to be left alone before it counts as written."""


class LeadsOut(Refused):
    """A link to somewhere outside its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} is a link that leads out of the folder, so it is passed over.")


def leads_out(path: Path, root: Path) -> bool:
    """Whether the path is one, or stands behind one; `root` is the folder without links."""
    return not Path(os.path.realpath(path)).is_relative_to(root)


class Folder:
    """The files of a folder; a link that leads out of it is an item that is refused."""

    at_a_time = 25

    def __init__(self, address: str) -> None:
        self._root = Path(address)

    async def items(self) -> list[Item]:
        return await asyncio.to_thread(lambda: sorted(self._found(), key=lambda item: item.source))

    def _found(self) -> Iterator[Item]:
        if not self._root.is_dir():
            raise Unreachable(f"There is no folder {self._root} just now. Is its disk mounted? Nothing was removed.")
        for folder, below, names in os.walk(self._root, onerror=_unlisted):
            below[:] = [name for name in below if not name.startswith(".")]
            for path in (Path(folder, name) for name in [*below, *names] if not name.startswith(".")):
                if leads_out(path, self._root):
                    yield Item(str(path))
                elif path.is_file():
                    yield self._item(path)

    def _item(self, path: Path) -> Item:
        folder = path.parent.relative_to(self._root).as_posix()
        return Item(str(path.resolve()), "" if folder == "." else folder, _mark(path.stat()))

    async def fetch(self, item: Item, known: Mark) -> Fetched | None:
        if item.modified and item.modified == known.modified:
            return None
        return await asyncio.to_thread(_opened, item, self._root)


def _unlisted(error: OSError) -> NoReturn:
    raise Unreachable(f"{error.filename} can't be listed: {error.strerror}. Nothing was removed.") from error


def _opened(item: Item, root: Path) -> Fetched:
    path = Path(item.source)
    if leads_out(path, root):
        raise LeadsOut(path)
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise Vanished(f"{path.name} was removed.") from error
    except OSError as error:
        raise Unreachable(f"{path.name} can't be opened: {error.strerror}.") from error
    status = os.fstat(file.fileno())
    if 0 <= time.time() - status.st_mtime < QUIET:
        file.close()
        raise Unreachable(f"{path.name} is still being written.", retry_after=QUIET)
    return Fetched(path.name, file, Mark(_mark(status)))


def _mark(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns}:{status.st_size}"
