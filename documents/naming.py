"""File names as they may be shown, stored and sent back."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

LONGEST, LONGEST_FOLDER = 255, 1000
"""Characters."""

JOINERS = "\u200c\u200d"
"""They hold emoji and some scripts together; the other invisible characters only hide something."""


def safe_name(name: str) -> str:
    """The last part of a path, with nothing in it that is invisible; emoji stay. Never empty."""
    last = PurePosixPath(name.replace("\\", "/")).name
    visible = "".join(letter for letter in unicodedata.normalize("NFC", last) if _is_visible(letter))
    return _shortened(" ".join(visible.split()).strip(". ") or "unnamed")


def safe_folder(path: str) -> str:
    """The folders of a path, each as a safe name; "" where there is none."""
    parts = (part for part in path.replace("\\", "/").split("/") if part not in ("", ".", ".."))
    return "/".join(map(safe_name, parts))[:LONGEST_FOLDER]


def _is_visible(letter: str) -> bool:
    return letter in JOINERS or not unicodedata.category(letter).startswith("C")


def _shortened(name: str) -> str:
    suffix = PurePosixPath(name).suffix[:20]
    return name if len(name) <= LONGEST else name[: LONGEST - len(suffix)] + suffix
