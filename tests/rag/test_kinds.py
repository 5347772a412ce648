"""Whatever is read is of one kind, and found by the words that people have for it."""

from __future__ import annotations

import pytest

from documents.rag.parsing.kinds import KINDS, kind_of, media_types
from documents.rag.parsing.recognising import DOC, DOCX, EML, FORMATS, MSG, XLSX


def test_every_format_is_of_one_kind() -> None:
    assert sorted(media_type for kind in KINDS for media_type in kind.media_types) == sorted(
        kind.media_type for kind in FORMATS
    )
    assert kind_of(DOC) == kind_of(DOCX)


def test_no_word_stands_for_two_kinds() -> None:
    words = [word for kind in KINDS for word in kind.words]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("E-Mails",), {EML, MSG}),
        (("docx",), {DOCX}),
        ((".doc", "XLSX"), {DOC, XLSX}),
        (("nonsense", ""), set()),
    ],
)
def test_words_stand_for_media_types(words: tuple[str, ...], found: set[str]) -> None:
    assert media_types(words) == found


def test_a_kind_says_all_that_its_formats_are() -> None:
    for kind in KINDS:
        assert all(media_types([word]) == set(kind.media_types) for word in kind.words)
