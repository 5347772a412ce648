"""Text to search: English words, drawn as often as those of a language occur."""

from __future__ import annotations

import re

import numpy as np

from documents.rag.tokens import encoding

CHUNK_WORDS = 460
"""About 500 tokens."""

_VOCABULARY = 20_000
_SENTENCE = 15
_WORD = re.compile(rb" ([a-z]{2,})")


class Corpus:
    """Always the same text for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._words = np.array(_words())
        shares = 1 / (np.arange(_VOCABULARY) + 2.7)
        self._shares = np.cumsum(shares / shares.sum())

    def words(self, count: int) -> list[str]:
        found = np.searchsorted(self._shares, self._random.random(count))
        return list(self._words[found.clip(max=_VOCABULARY - 1)])

    def text(self, words: int) -> str:
        """Sentences in paragraphs."""
        drawn = self.words(words)
        sentences = [" ".join(drawn[at : at + _SENTENCE]).capitalize() for at in range(0, words, _SENTENCE)]
        paragraphs = [". ".join(sentences[at : at + 6]) for at in range(0, len(sentences), 6)]
        return ".\n\n".join(paragraphs) + "."

    def question(self, number: int) -> str:
        """Eight words, and the tag by which the model server knows it."""
        return f"What about {' '.join(self.words(8))} (q{number})?"


def _words() -> list[str]:
    """The tokeniser's own, which come about in the order of their frequency."""
    tokens = encoding().decode_tokens_bytes(range(encoding().max_token_value - 300))
    return [found[1].decode() for token in tokens if (found := _WORD.fullmatch(token))][:_VOCABULARY]
