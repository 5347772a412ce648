"""Questions that can't be understood without the one before."""

from __future__ import annotations

import re

from documents.rag.types import Question

_LEANS_ON_WHAT_WENT_BEFORE = re.compile(
    r"^(?:and|but|or|so|what about|how about|also|then|why|und|aber|et|y)\b"
    r"|\b(?:it|its|they|them|their|theirs|that|those|this|these|he|she|him|her|his|there|one|ones|same)\b",
    re.IGNORECASE,
)
_SHORT = 4


def leans(question: Question) -> bool:
    """Whether it is a question that leans on one before it."""
    asked = any(turn.role == "user" for turn in question.history)
    short = len(question.text.split()) <= _SHORT
    return asked and bool(short or _LEANS_ON_WHAT_WENT_BEFORE.search(question.text))


def standalone(question: Question) -> str:
    """The question as text to search for: one that leans on the question before is searched together with it.

    The question itself then stands twice, so that it weighs more than what it leans on.
    """
    before = next((turn.text for turn in reversed(question.history) if turn.role == "user"), "")
    return f"{before}\n{question.text}\n{question.text}" if leans(question) else question.text
