"""PDFs that need a password, opened with it under caps of memory and time."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.children import Breakdown, Child
from documents.rag.parsing.reading import Limits
from documents.rag.parsing.wire import load

_LIMITS = Limits()


async def write_unlocked(path: Path, password: str, copy: Path, *, name: str, limits: Limits = _LIMITS) -> bool:
    """Write a copy of a PDF that needs no password; False where the PDF itself needs none.

    The password is kept nowhere. Raises WrongPassword, or UnreadableDocument where the file is damaged.
    """
    arguments = (str(path), str(copy), name, str(limits.memory), str(limits.seconds))
    try:
        async with Child("documents.rag.parsing.unlocker", *arguments, memory=limits.memory) as child:
            # What isn't text opens nothing, and the complaint of it would show a part of the password.
            child.tell(json.dumps(password.encode(errors="replace").decode()).encode() + b"\n")
            if complaint := await child.line(limits.seconds):
                load(complaint)
    except Breakdown as breakdown:
        raise UnreadableDocument(f"{name} can't be unlocked: it {breakdown}.") from breakdown
    return await asyncio.to_thread(copy.exists)
