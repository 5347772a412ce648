"""What a parser tells first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """A document whose pages are about to come: the title it gives itself ("" where it gives none), and its pages."""

    title: str
    page_count: int
