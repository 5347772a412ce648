"""An answer as a Markdown file, with footnotes as many programs read them: [^1]."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial
from itertools import groupby

from chat.exporting.exported import Exported, Note
from chat.markdown import blocks, parse_block

_CODE = frozenset({"fence", "code_block"})

_TELLING = re.compile(
    r"(?P<left>\\[^\w\s]|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|`+|(?<!!)\[[^\[\]]*\]\([^()\s]*\))"
    r"|\[(?P<number>\d{1,3})\]|(?P<live><(?=[a-z/!?])|!\[(?:[^\[\]]|\[[^\[\]]*\])*\](?=\())",
    re.IGNORECASE | re.DOTALL,
)
"""What is left as it stands (escapes, code, links), markers, and what may fetch or run something where it is opened."""

_SPECIAL = re.compile(r"[\\`*_\[\]<>#|~$!]")


def markdown(answer: Exported) -> str:
    """The question as heading, the answer as it was written, then its notes."""
    text = "".join(_with_footnotes(block, answer.numbers) for block in blocks(answer.text))
    remarks = [f"> {_plain(remark)}" for remark in answer.remarks]
    notes = "\n\n".join(map(_note, answer.notes))
    parts = [f"# {_plain(answer.question)}", *remarks, text.strip(), f"*{_plain(answer.origin)}*", notes]
    return "\n\n".join(filter(None, parts)) + "\n"


def _with_footnotes(block: str, known: Collection[int]) -> str:
    """A block with its markers as footnotes, but for what of it is code."""
    lines = block.splitlines(keepends=True)
    code = {line for token in parse_block(block) if token.type in _CODE and token.map for line in range(*token.map)}
    runs = groupby(enumerate(lines), key=lambda numbered: numbered[0] in code)
    texts = ((is_code, "".join(line for _, line in run)) for is_code, run in runs)
    return "".join(text if is_code else _TELLING.sub(partial(_told, known), text) for is_code, text in texts)


def _told(known: Collection[int], found: re.Match[str]) -> str:
    if found["live"]:
        return f"\\{found.group()}"
    is_note = found["number"] and int(found["number"]) in known
    return f"[^{found['number']}]" if is_note else found.group()


def _note(note: Note) -> str:
    """The place, with the verdict, then what is quoted and to be known."""
    place = f"**{_plain(note.place)}**{f' ({note.verdict})' if note.verdict else ''}"
    quote = f"“{_plain(note.quote)}”" if note.quote else ""
    said = [quote, *map(_plain, note.doubts), _plain(note.remark), note.hash and f"SHA-256 {note.hash}"]
    return f"[^{note.number}]: " + ". ".join(filter(None, [place, " ".join(filter(None, said))]))


def _plain(text: str) -> str:
    """Words on one line that mean nothing but themselves."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
