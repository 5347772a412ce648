"""The process in which a PDF is opened with its password: `python -m documents.rag.parsing.unlocker …`.

The password comes by standard input, as everybody on the machine may see a process' arguments. As in `child`, it keeps
to its limits and ends when its parent does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pypdfium2.raw as raw

from documents.rag.errors import PasswordNeeded, UnreadableDocument, WrongPassword
from documents.rag.parsing.caps import end_with_parent, grant, keep_to, say
from documents.rag.parsing.pdf import open_pdf
from documents.rag.parsing.wire import dump


def main(path: str, copy: str, name: str, memory: int, seconds: int) -> None:
    """Unlock the PDF, with `memory` bytes and `seconds` of processor time; say nothing but what went wrong."""
    password = json.loads(sys.stdin.buffer.readline())
    end_with_parent()
    keep_to(memory)
    grant(seconds)
    try:
        unlock(Path(path), password, Path(copy), name=name)
    except UnreadableDocument as error:
        say(dump(error))


def unlock(path: Path, password: str, copy: Path, *, name: str) -> None:
    """Write a copy of the PDF that needs no password, unless it needs none itself."""
    try:
        with open_pdf(path, name):
            return
    except PasswordNeeded:
        pass
    try:
        with open_pdf(path, name, password) as document:
            document.save(copy, flags=raw.FPDF_REMOVE_SECURITY)
    except PasswordNeeded as error:
        raise WrongPassword(f"This password does not open {name}. Try another one.") from error
    with open_pdf(copy, name):
        pass


if __name__ == "__main__":
    path, copy, name, memory, seconds = sys.argv[1:]
    main(path, copy, name, int(memory), int(seconds))
