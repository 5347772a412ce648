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


def complaint(name: str) -> str:
    """What is wrong with a file's name, without its ending, that somebody chose, and what to do; "" if nothing is."""
    if not name.strip(". "):
        return f"“{name}” names no file. Give a name with a letter or digit in it."
    if "/" in name or "\\" in name:
        return "A file name has no slash in it: the folder stays as it is. Leave the slash out."
    return invisible(name)


def invisible(text: str) -> str:
    """That there are invisible characters in a text that somebody wrote; "" where there are none."""
    found = dict.fromkeys(f"U+{ord(letter):04X}" for letter in text if not _is_visible(letter))
    return f"There is something invisible in it ({', '.join(found)}). Write it anew by hand." if found else ""


def _is_visible(letter: str) -> bool:
    return letter in JOINERS or not unicodedata.category(letter).startswith("C")


def _shortened(name: str) -> str:
    suffix = PurePosixPath(name).suffix[:20]
    return name if len(name) <= LONGEST else name[: LONGEST - len(suffix)] + suffix
