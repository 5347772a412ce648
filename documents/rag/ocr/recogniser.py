"""Pages read from their pictures under caps of memory and time, in one child that is kept for many pages."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from documents.rag.parsing.children import Breakdown, Child
from documents.rag.parsing.reading import Limits
from documents.rag.parsing.wire import load
from documents.rag.types import HowRead, Page

LIMITS = Limits(memory=1536 << 20, seconds=120)
"""A dense page takes 1.1 GB, and 10 to 15 seconds of a processor."""

PATIENCE = 5
"""How many times the processor time the child may take in all: whatever else runs goes before it."""


class Recogniser:
    """Recognises pages one after another; the child is started for the first one, and again after a breakdown."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._running = AsyncExitStack()
        self._child: Child | None = None
        self._pages = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def page(self, path: Path, media_type: str, number: int, *, name: str) -> Page:
        """The page as it was recognised: OCR, EMPTY or FAILED. Its width and height are not told.

        One at which the child breaks down after others is tried again by a fresh one: what they left behind may have
        been too much.
        """
        request = json.dumps([str(path), media_type, number, name]).encode() + b"\n"
        while True:
            try:
                return await self._asked(request)
            except Breakdown as breakdown:
                alone = self._pages == 0
                await self._stop()
                if alone:
                    sentence = f"Page {number} can't be recognised: it {breakdown}."
                    return Page(number, "", how_read=HowRead.FAILED, error=sentence)

    async def _asked(self, request: bytes) -> Page:
        if self._child is None:
            arguments = map(str, (self._limits.memory, self._limits.seconds))
            child = Child("documents.rag.ocr.child", *arguments, memory=self._limits.memory)
            self._child = await self._running.enter_async_context(child)
        self._child.tell(request)
        line = await self._child.line(PATIENCE * self._limits.seconds)
        if not line:
            raise Breakdown("breaks the reader")
        page = load(line)
        assert isinstance(page, Page)
        self._pages += 1
        return page

    async def _stop(self) -> None:
        self._child, self._pages = None, 0
        await self._running.aclose()
