"""The process in which pages are recognised: `python -m documents.rag.ocr.child …`.

It is told pages as lines of JSON, says each as a line of `wire`, keeps to its limits, and ends when it is told no more.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.ocr.engine import LONGEST, Engine
from documents.rag.ocr.paging import page_of
from documents.rag.parsing.caps import grant, keep_to, say
from documents.rag.parsing.images import draw
from documents.rag.parsing.wire import dump
from documents.rag.types import HowRead, Page

_POLITENESS = 5
"""Everything else goes before it: questions, and documents that have their text."""


def main(memory: int, seconds: int) -> None:
    """Recognise pages, with `memory` bytes, and `seconds` of processor time for each."""
    os.nice(_POLITENESS)
    keep_to(memory)
    grant(seconds)
    engine = Engine()
    for line in sys.stdin.buffer:
        grant(seconds)
        say(dump(_recognised(engine, *json.loads(line))))


def _recognised(engine: Engine, path: str, media_type: str, number: int, name: str) -> Page:
    try:
        pixels = draw(Path(path), media_type, number, LONGEST, name=name)
    except UnreadableDocument as error:
        return Page(number, "", how_read=HowRead.FAILED, error=str(error))
    height, width, _ = pixels.shape
    return page_of(number, engine.lines(pixels[:, :, ::-1]), width, height)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
