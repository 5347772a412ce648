"""The names that stand in a text, found without a language model, and what they are known by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, takewhile

from documents.rag.stopwords import STOP_WORDS
from documents.rag.types import Chunk, Mention, Role

MOST = 64
"""Names that are kept of a chunk."""

LONGEST = 100
"""Characters of a key."""

_WORD = re.compile(r"[^\W_][\w’'.&/-]*[^\W_]|[^\W_]|[.!?;:,()\[\]\"“”„«»|\n]")
_ENGLISH_WITHIN = frozenset(("of", "the", "&", "for"))
_ROMANCE_WITHIN = frozenset(("de", "du", "des", "la", "le", "del", "della", "da", "di", "dos", "el", "al"))
_OTHER_WITHIN = frozenset(("von", "van", "der", "den", "für", "am", "bin", "ibn"))
_WITHIN = _ENGLISH_WITHIN | _ROMANCE_WITHIN | _OTHER_WITHIN
"""Words that may stand within a name, two at a time."""

_ENDS = frozenset(".!?:\n")
"""After these a word has a capital in any case."""

_COMMON = STOP_WORDS["en"] | STOP_WORDS.get("de", frozenset()) | STOP_WORDS.get("fr", frozenset())
_AROUND = re.compile(r"^(?:the|an?)\s+(?=\S)|['’]s?$", re.IGNORECASE)
_ENDING = re.compile(r"\.[a-z\d]{2,5}$|\s*\([^()]*\)$")


def key(name: str) -> str:
    """What a name is known by: without case, article, file ending, a remark in brackets at its end, or a genitive."""
    plain = " ".join(unicodedata.normalize("NFKC", name).split())
    bare = _ENDING.sub("", plain) or plain
    return _AROUND.sub("", bare.strip(" .'’\"“”-")).casefold()[:LONGEST]


def names(text: str) -> list[str]:
    """Runs of capitalised words, with what may stand within a name; each once, in the order of the text.

    A word that stands alone where a sentence begins is one only where it is, or is part of one, elsewhere in the text.
    A script without capitals has none.
    """
    runs = [(_without_common_ends(words), _is_doubtful(words, begins=begins)) for words, begins in _runs(text)]
    sure = {word for words, doubtful in runs if not doubtful for word in words}
    found = (" ".join(words) for words, doubtful in runs if not doubtful or sure.intersection(words))
    return list(dict.fromkeys(name for name in found if len(name) > 2))


def mentions(chunk: Chunk) -> list[Mention]:
    """What a chunk names: the title, if it is its document's first, its heading, and the names in its text.

    Of one key the strongest role stands, and no more than MOST keys.
    """
    title = [str(chunk.metadata.get("title", ""))] if chunk.metadata.get("chunk_id", 0) == 0 else []
    said = chain(
        ((name, Role.TITLE) for name in title),
        ((name, Role.HEADING) for name in chunk.heading_path[-1:]),
        ((name, Role.NAME) for name in names(chunk.text)),
    )
    told: dict[str, Mention] = {}
    for name, role in said:
        if len(known := key(name)) > 2 and "\0" not in known:
            told.setdefault(known, Mention(known, name[:LONGEST], role))
    return list(told.values())[:MOST]


def _runs(text: str) -> Iterator[tuple[list[str], bool]]:
    """Runs, and whether each begins a sentence or a line."""
    run: list[str] = []
    within: list[str] = []
    begins, before = True, "\n"
    for found in _WORD.finditer(text):
        word = found.group()
        begins = begins if run else before in _ENDS
        before = word
        if word[0].isupper() or (word[0].isdigit() and run):
            run += [*within, word]
            within = []
        elif run and word in _WITHIN and len(within) < 2 and (within or word != "the"):
            within.append(word)
        elif run:
            yield run, begins
            run, within = [], []
    if run:
        yield run, begins


def _is_doubtful(words: Sequence[str], *, begins: bool) -> bool:
    return begins and len(words) == 1 and words[0][1:].islower()


def _without_common_ends(run: list[str]) -> list[str]:
    """A sentence's first word has a capital, too."""
    first = sum(1 for _ in takewhile(lambda word: _is_common(word) or word.isdigit(), run))
    last = sum(1 for _ in takewhile(_is_common, reversed(run[first:])))
    return run[first : len(run) - last]


def _is_common(word: str) -> bool:
    return word.casefold() in _COMMON
