"""A question whose answers are known, and what a search for it was worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from documents.rag.evaluation import Place, documents, places
from documents.rag.types import Passage, Turn

DEPTH = 100
"""How many passages are looked at."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, and where its answers stand: each place by its key with its grade.

    A golden question's places are passages, a collection's are whole documents. `lost` are the keys of places that are
    in no document any more.
    """

    key: str
    text: str
    history: tuple[Turn, ...]
    grades: Mapping[str, int]
    places: Sequence[Place]
    golden: int | None = None
    lost: frozenset[str] = frozenset()

    def ranking(self, found: Sequence[Passage]) -> list[str]:
        """What was found, by the keys of places, each once."""
        return documents(found) if self.golden is None else places(found, self.places)
