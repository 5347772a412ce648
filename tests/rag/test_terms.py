"""What a text is found by, in each language."""

from __future__ import annotations

import pytest

from documents.rag.language import languages
from documents.rag.terms import telling_terms, terms


def is_found(asked: str, written: str, language: str = "en") -> bool:
    return bool(set(telling_terms(asked, languages(asked))) & set(terms(written, language)))


@pytest.mark.parametrize(
    ("language", "written", "asked"),
    [
        ("en", "The certificates expired.", "Which certificate is expiring?"),
        ("en", "The company's policy", "companies' policies"),
        ("de", "Die Zertifikate werden erneuert.", "Wie kann ich mein Zertifikat erneuern?"),
        ("fr", "Les certificats sont renouvelés.", "Comment puis-je renouveler un certificat ?"),
        ("es", "Se renuevan los certificados.", "¿Cómo puedo renovar mi certificado?"),
        ("ar", "تجديد الشهادات", "كيف يمكنني تجديد الشهادة الخاصة بي؟"),
        ("ru", "Сертификаты обновляются.", "Как я могу обновить свой сертификат?"),
        ("zh", "東京都に住んでいます", "東京"),
        ("ko", "한국어를 배우는 학생", "한국어"),
        ("th", "ภาษาไทย", "ไทย"),
        ("hi", "हिन्दी भाषा", "हिन्दी"),
        ("", "résumé", "resume"),
        ("", "ＦＵＬＬ width", "full"),
        ("", "GRÖSSE", "größe"),
        ("", "l'assurance", "assurance"),
        ("", "settings.yaml", "yaml settings"),
        ("", "--dry-run", "dry run"),
    ],
)
def test_what_means_the_same_is_found(language: str, written: str, asked: str) -> None:
    assert is_found(asked, written, language), (terms(written, language), telling_terms(asked, languages(asked)))


def test_a_text_is_found_though_its_language_was_hard_to_tell() -> None:
    assert is_found("Wie kann ich mein Zertifikat erneuern?", "Zertifikat", "")


@pytest.mark.parametrize(
    "identifier", ["foo_bar", "3.11.7", "E1234", "--dry-run", "settings.yaml", "std::vector", "covid-19"]
)
@pytest.mark.parametrize("language", ["en", "de", ""])
def test_an_identifier_stands_for_itself_in_each_language(identifier: str, language: str) -> None:
    assert identifier.casefold() in terms(f"Use {identifier}, please.", language)
    assert identifier.casefold() in telling_terms(identifier, [language])


@pytest.mark.parametrize(
    ("language", "question", "told"),
    [
        ("en", "What can you tell me about trains?", ["tell", "train"]),
        ("de", "Wie kann ich die Züge finden?", ["find", "finden", "zug", "zuge"]),
        ("fr", "Où est la gare ?", ["gar", "gare"]),
    ],
)
def test_words_that_tell_nothing_are_not_asked_for(language: str, question: str, told: list[str]) -> None:
    assert sorted(telling_terms(question, [language])) == told


def test_where_there_are_no_others_words_that_tell_nothing_are_asked_for() -> None:
    assert telling_terms("To be, or not to be?") == terms("To be, or not to be.")


def test_what_is_no_language_is_taken_for_english() -> None:
    assert telling_terms("what is E1234", []) == ["e1234"]
    assert terms("expired", "xx") == terms("expired")


def test_a_term_is_never_longer_than_its_column() -> None:
    assert max(len(term) for term in terms("x" * 5_000 + " " + "9.9" * 500)) <= 64
