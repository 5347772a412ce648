"""Names that files come with."""

from __future__ import annotations

import pytest

from documents.naming import LONGEST, safe_name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\Olive\\plan.md", "plan.md"),
        ("holiday 🏖️ plan.md", "holiday 🏖️ plan.md"),
        ("family 👨‍👩‍👧.txt", "family 👨‍👩‍👧.txt"),
        ("in\x00vis\u202eible\n.txt", "invisible.txt"),
        ("  two   spaces .md", "two spaces .md"),
        ("..", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_name_keeps_what_can_be_seen_and_no_path(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_a_long_name_is_shortened_before_its_suffix() -> None:
    name = safe_name("n" * 400 + ".markdown")
    assert len(name) == LONGEST
    assert name.endswith("n.markdown")
