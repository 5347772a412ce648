"""Places in a spreadsheet, as people write them: "B3", "A1:F20"."""

from __future__ import annotations

import re

_RANGE = re.compile(r"([A-Z]+)(\d+)(?::([A-Z]+)(\d+))?")


def written_range(left: int, top: int, right: int, bottom: int) -> str:
    """The cells from column `left` to `right` and row `top` to `bottom`, all counted from 1."""
    first, last = f"{letters(left)}{top}", f"{letters(right)}{bottom}"
    return first if first == last else f"{first}:{last}"


def cell_range(written: str) -> tuple[int, int, int, int]:
    """`written_range`'s arguments."""
    found = _RANGE.fullmatch(written)
    if not found:
        raise ValueError(f"{written!r} is no range of cells.")
    left, top, right, bottom = found.groups()
    return _number(left), int(top), _number(right or left), int(bottom or top)


def letters(column: int) -> str:
    """What a column is called: AB for the 28th."""
    name = ""
    while column:
        column, digit = divmod(column - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
