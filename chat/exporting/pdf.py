"""An answer as a PDF, with real footnotes: its text goes to Typst as data, never as markup."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Any

from django.conf import settings
from markdown_it.tree import SyntaxTreeNode

from chat.exporting.exported import Exported, Note
from chat.markdown import blocks, parse_block
from documents.rag.errors import PermanentError

LONGEST = 1_000_000
"""Characters of an answer that become a PDF, as data: some hundred pages."""

SECONDS = 30

_TEMPLATE = settings.BASE_DIR / "templates" / "chat" / "export.typ"

_AT_A_TIME = BoundedSemaphore(2)
"""Each weighs about 100 MB."""

_UNSEEN = re.compile(
    "[^\\x00-\u052f\u0590-\u06ff\u0750-\u077f\u1d00-\u2bff\u2e00-\u9fff\ua700-\ua7ff\uac00-\ud7af\uf900-\ufe0f"
    "\ufe20-\uffef\U00020000-\U0002ffff]"
)
"""What no font has that comes along: neither Latin, Greek, Cyrillic, Hebrew, Arabic, Chinese, Japanese nor Korean."""

_LACKING = "This PDF’s fonts lack some characters of this answer; exported as HTML, it has all of them."

_KANA, _HANGUL = re.compile("[\u3040-\u30ff]"), re.compile("[\uac00-\ud7af]")
_LONG_WORD = re.compile(r"\S{30}")


class NoPDF(PermanentError):
    """This answer can't be made a PDF just now. Export it as HTML, and print that."""


def pdf(answer: Exported) -> bytes:
    """Typeset in a process of its own. Raises NoPDF."""
    data = json.dumps(_data(answer), ensure_ascii=False)
    if len(data) > LONGEST:
        raise NoPDF("This answer is too long for a PDF. Export it as HTML, and print that.")
    try:
        with _AT_A_TIME:
            done = subprocess.run(
                [sys.executable, "-m", "chat.exporting.typesetter", str(_TEMPLATE)],
                cwd=settings.BASE_DIR,
                input=data.encode(),
                capture_output=True,
                timeout=SECONDS,
                check=True,
            )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise NoPDF from error
    return done.stdout


def _data(answer: Exported) -> dict[str, Any]:
    text = "".join(
        [
            answer.question,
            answer.text,
            *answer.remarks,
            *(f"{note.place}{note.quote}{note.doubts}" for note in answer.notes),
        ]
    )
    tree = _Tree()
    parsed = (parse_block(block, answer.numbers, answer.marks) for block in blocks(answer.text))
    return {
        "question": _breakable(answer.question),
        "remarks": [*answer.remarks, *([_LACKING] if _UNSEEN.search(text) else [])],
        "text": [tree.part(SyntaxTreeNode(tokens)) for tokens in parsed],
        "origin": answer.origin,
        "notes": {str(note.number): _told(note) for note in answer.notes},
        "uncited": [tree.citation(number) for number in sorted(answer.numbers - tree.cited)],
        "cjk": "JP" if _KANA.search(text) else "KR" if _HANGUL.search(text) else "SC",
    }


class _Tree:
    """The parser's tree as the template reads it, and which notes it has `cited` so far."""

    def __init__(self) -> None:
        self.cited: set[int] = set()

    def part(self, node: SyntaxTreeNode) -> dict[str, Any]:
        if node.type == "citation":
            return self.citation(int(node.content))
        return {
            "kind": node.type,
            "text": _breakable(node.content) if not node.children else "",
            "parts": [self.part(child) for child in node.children],
            **({"tag": node.tag, **node.attrs} if node.type != "root" else {}),
        }

    def citation(self, number: int) -> dict[str, Any]:
        first = number not in self.cited
        self.cited.add(number)
        return {"kind": "citation", "number": number, "first": first, "parts": []}


def _told(note: Note) -> dict[str, str]:
    return {name: _breakable(str(value)) for name, value in asdict(note).items()} | {"doubts": " ".join(note.doubts)}


def _breakable(text: str) -> str:
    """The text with places in its longest words where a line may end."""
    return _LONG_WORD.sub("\\g<0>\u200b", text)
