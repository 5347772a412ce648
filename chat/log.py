"""Numbered events in memory: those of an answer, or the answers of a conversation."""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

ENDINGS = frozenset({"done", "stopped", "failed", "interrupted"})
"""The types of event after which none comes."""

_UNHURRIED = frozenset({"text", "block"})


def storable(text: str) -> str:
    """The text without what Postgres and sockets refuse: NULs and lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()


@dataclass(frozen=True, slots=True)
class Entry:
    """Event n as JSON; `ends` when none comes after it."""

    n: int
    json: str
    ends: bool = False

    @classmethod
    def of(cls, n: int, event: Mapping[str, Any]) -> Entry:
        text = storable(json.dumps({"n": n, **event}, ensure_ascii=False, separators=(",", ":")))
        return cls(n, text, ends=event["type"] in ENDINGS)

    @classmethod
    def read(cls, text: str) -> Entry:
        event = json.loads(text)
        return cls(event["n"], text, ends=event["type"] in ENDINGS)


class Log:
    """Numbered events in memory, and a way to wait for the next."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._news = asyncio.Event()

    @property
    def last(self) -> int:
        return self.entries[-1].n if self.entries else 0

    @property
    def ended(self) -> bool:
        return bool(self.entries) and self.entries[-1].ends

    def add(self, entry: Entry) -> None:
        """Add an entry, unless it is here already."""
        if entry.n > self.last:
            self.entries.append(entry)
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def follow(self, have: int, *, patience: float) -> AsyncIterator[list[str]]:
        """The events after number `have` to the end, several at a time; [] when `patience` seconds brought none."""
        while True:
            news = self._news
            new = self.entries[bisect_right(self.entries, have, key=lambda entry: entry.n) :]
            if new:
                have = new[-1].n
                yield [entry.json for entry in new]
            elif self.ended:
                return
            elif not await _happens(news, within=patience):
                yield []


async def _happens(news: asyncio.Event, *, within: float) -> bool:
    with suppress(TimeoutError):
        return await asyncio.wait_for(news.wait(), within)
    return False


class Draft(Log):
    """The log of an answer that is written here; `on_news(urgent)` is called for each event.

    Text that comes between two calls of `seal` becomes one event. The first text, and all events that are neither text
    nor block, don't wait for it. Only the first text is urgent for those who follow from elsewhere.
    """

    def __init__(self, on_news: Callable[[bool], None]) -> None:
        super().__init__()
        self._on_news = on_news
        self._waiting: list[dict[str, Any]] = []
        self._has_text = False

    def append(self, event: Mapping[str, Any]) -> None:
        is_text = event["type"] == "text"
        is_first = is_text and not self._has_text
        self._has_text = self._has_text or is_text
        if is_text and self._waiting and self._waiting[-1]["type"] == "text":
            self._waiting[-1]["text"] += event["text"]
        else:
            self._waiting.append(dict(event))
        if is_first or event["type"] not in _UNHURRIED:
            self.seal()
        self._on_news(is_first)

    def seal(self) -> None:
        """Number what waits and show it to the followers."""
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self.add(Entry.of(self.last + 1, event))
