"""Questions that can't be understood without the one before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from documents.rag.terms import telling_terms
from documents.rag.types import Question, Turn

_LEANS_ON_WHAT_WENT_BEFORE = re.compile(
    r"^(?:and|but|or|so|what about|how about|also|then|why|und|aber|et|y)\b"
    r"|\b(?:it|its|they|them|their|theirs|that|those|this|these|he|she|him|her|his|there|one|ones|same)\b",
    re.IGNORECASE,
)
_SHORT = 4


def leans(question: Question) -> bool:
    """Whether it is a question that leans on one before it."""
    return bool(_asked(question.history)) and _leans(question.text)


def standalone(question: Question) -> str:
    """The question as one text that can be read alone: one that leans on others comes after them."""
    return f"{background(question)}\n{question.text}" if leans(question) else question.text


def background(question: Question) -> str:
    """What it may speak of: the question before it, and for as long as that leans on another, that one."""
    told = []
    for text in reversed(_asked(question.history)):
        told.append(text)
        if not _leans(text):
            break
    return "\n".join(reversed(told))


def in_words(question: Question) -> str:
    """The question as words to search for: with those that only its background has.

    They weigh two fifths of its own where it leans on that, else a seventh, as it may still speak of the same.
    """
    own, other = (5, 2) if leans(question) else (7, 1)
    known = set(telling_terms(question.text))
    words = dict.fromkeys(background(question).split())
    more = " ".join(word for word in words if known.isdisjoint(telling_terms(word)))
    return "\n".join([question.text] * own + [more] * other) if more else question.text


def _asked(history: Sequence[Turn]) -> list[str]:
    return [turn.text for turn in history if turn.role == "user"]


def _leans(text: str) -> bool:
    return len(text.split()) <= _SHORT or bool(_LEANS_ON_WHAT_WENT_BEFORE.search(text))
