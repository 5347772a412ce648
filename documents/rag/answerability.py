"""Whether passages answer a question, or are only about the same: what can be told without a language model."""

from __future__ import annotations

from collections.abc import Sequence

from documents.rag.details import Kind, tokens
from documents.rag.types import Passage

_NAMED = (Kind.NAME, Kind.NUMBER, Kind.DATE)
_MOST = 2

_LACKING = 0.15
_DENYING = 0.25
"""What each takes from closeness: as a logistic regression weighs them on one half of SQuAD 2.0's documents, in part,
so that in four sets of natural questions 92 % and more are still answered (docs/benchmarks.md)."""


def doubt(question: str, passages: Sequence[Passage], sentence: str) -> float:
    """How much speaks against a sentence that is near a question being its answer.

    Names, numbers and dates that the question has and none of the passages, and that it denies something, and the
    sentence doesn't.
    """
    asked = tokens(question)
    there = {token.key for passage in passages for token in tokens(_said(passage))}
    lacking = {token.key for token in asked if token.kind in _NAMED} - there
    return _LACKING * min(len(lacking), _MOST) + _DENYING * (_denies(question) and not _denies(sentence))


def _said(passage: Passage) -> str:
    return " > ".join((passage.title, *passage.heading_path, passage.text))


def _denies(text: str) -> bool:
    return any(token.kind is Kind.DENIAL for token in tokens(text))
