"""A narrowed database finds what it is narrowed to, however rare, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from documents import narrowing, vector_db
from documents.models import Document, Library, Version
from documents.rag.types import Narrowing
from documents.vector_db import PgVectorDB
from tests.documents.shelf import Shelf, texts_of

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture(params=[narrowing.FEW, 0], ids=["few", "many"])
def listed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether those that are left are looked up first, or each that is found is asked."""
    monkeypatch.setattr(narrowing, "FEW", request.param)
    monkeypatch.setattr(vector_db, "EXACT", request.param)


async def found(shelf: Shelf, database: PgVectorDB, words: str = "apple") -> set[str]:
    """What is found by words, which must be what is found by meaning."""
    lexical = await texts_of(database, await database.lexical(words, 10))
    assert set(lexical) == set(await texts_of(database, await database.dense(shelf.vectors(1)[0], 10)))
    return set(lexical)


@pytest.mark.usefixtures("listed")
async def test_libraries_are_named_in_any_case_or_by_how_their_names_begin(
    shelf: Shelf, library: Library, attic: Library
) -> None:
    await shelf.document(library, "apple here")
    await shelf.document(attic, "apple there")
    both = shelf.database(library, attic)
    for name, texts in {
        "attic": {"apple there"},
        "HAND": {"apple here"},
        "": {"apple here", "apple there"},
        "cellar": set[str](),
    }.items():
        assert await found(shelf, both.narrowed(Narrowing(libraries=(name,)))) == texts


async def test_a_library_that_has_the_name_hides_those_that_begin_so(shelf: Shelf, library: Library) -> None:
    longer = await Library.objects.acreate(name="Handbook of the past")
    await shelf.document(library, "apple here")
    await shelf.document(longer, "apple there")
    assert await found(shelf, shelf.database(library, longer).narrowed(Narrowing(libraries=("handbook",)))) == {
        "apple here"
    }


async def test_naming_a_library_that_may_not_be_read_finds_nothing(
    shelf: Shelf, library: Library, attic: Library
) -> None:
    await shelf.document(attic, "apple there")
    await shelf.document(library, "apple here")
    assert await found(shelf, shelf.database(library).narrowed(Narrowing(libraries=("Attic",)))) == set()


@pytest.mark.usefixtures("listed")
async def test_types_are_asked_for_in_the_words_of_people(shelf: Shelf, library: Library) -> None:
    pdf = await shelf.document(library, "apple in a PDF")
    await Version.objects.filter(pk=pdf.pk).aupdate(media_type="application/pdf")
    await shelf.document(library, "apple in Markdown")
    for words, texts in {
        ("pdf",): {"apple in a PDF"},
        (".MD",): {"apple in Markdown"},
        ("markdown", "PDFs"): {"apple in a PDF", "apple in Markdown"},
        ("pdfx",): set[str](),
    }.items():
        assert await found(shelf, shelf.database(library).narrowed(Narrowing(types=words))) == texts


@pytest.mark.usefixtures("listed")
async def test_dates_are_those_of_current_versions(shelf: Shelf, library: Library) -> None:
    for day in (1, 2, 3):
        version = await shelf.document(library, f"apple {day}")
        await Version.objects.filter(pk=version.pk).aupdate(created=datetime(2026, 3, day, 23, 59, tzinfo=UTC))
    database = shelf.database(library)
    second, third = date(2026, 3, 2), date(2026, 3, 3)
    assert await found(shelf, database.narrowed(Narrowing(after=second))) == {"apple 2", "apple 3"}
    assert await found(shelf, database.narrowed(Narrowing(before=third))) == {"apple 1", "apple 2"}
    assert await found(shelf, database.narrowed(Narrowing(after=second, before=third))) == {"apple 2"}


@pytest.mark.usefixtures("listed")
async def test_phrases_are_held_to_the_letter_but_for_case_and_white_space(shelf: Shelf, library: Library) -> None:
    texts = "apple of the Eye", "the eye of  the\n apple", "100% apple (E_404)", "100 apple E-404"
    await shelf.document(library, *texts)
    for phrases, kept in {
        ("eye of the apple",): {texts[1]},
        ("THE EYE",): {texts[0], texts[1]},
        ("the eye", "apple of"): {texts[0]},
        ("100%",): {texts[2]},
        ("(e_404)",): {texts[2]},
        ("the of",): set[str](),
    }.items():
        assert await found(shelf, shelf.database(library).narrowed(Narrowing(phrases=phrases))) == kept


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Die Kündigungsfristen für Mieter und Vermieter stehen im Vertrag, apple.", "kündigungsfristen FÜR Mieter"),
        ("Les congés annuels des salariés sont payés par l'entreprise, apple.", "congés annuels des"),
        ("年次有給休暇の申請は上司に提出してください。apple", "有給休暇"),
        ("The host answered ERR_TIMED-OUT.4 when apple was asked.", "timed-out"),
        ("To be or not to be an apple.", "to be or not"),
    ],
)
async def test_phrases_are_found_in_any_language(shelf: Shelf, library: Library, text: str, phrase: str) -> None:
    await shelf.document(library, text, "An apple.")
    assert await found(shelf, shelf.database(library).narrowed(Narrowing(phrases=(phrase,)))) == {text}


async def test_a_phrase_does_not_end_within_a_word(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple pies", "one apple pie")
    assert await found(shelf, shelf.database(library).narrowed(Narrowing(phrases=("apple pie",)))) == {"one apple pie"}


@pytest.mark.usefixtures("listed")
async def test_narrowing_again_never_widens(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple one", "apple two", "apple one and two")
    once = shelf.database(library).narrowed(Narrowing(phrases=("one",)))
    assert await found(shelf, once.narrowed(Narrowing(phrases=("two",)))) == {"apple one and two"}
    assert await found(shelf, once.narrowed(Narrowing())) == {"apple one", "apple one and two"}


@pytest.mark.usefixtures("listed")
async def test_what_is_rare_is_found_among_much(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, *(f"apple {number}" for number in range(999)), "apple with a needle")
    assert await found(shelf, shelf.database(library).narrowed(Narrowing(phrases=("a needle",)))) == {
        "apple with a needle"
    }


async def test_scores_are_those_of_the_whole(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple pie", "apple tart", "pear pie")
    database = shelf.database(library)
    whole = {hit.chunk: hit.score for hit in await database.lexical("apple pie", 10)}
    narrowed = await database.narrowed(Narrowing(phrases=("tart",))).lexical("apple pie", 10)
    assert [whole[hit.chunk] for hit in narrowed] == [hit.score for hit in narrowed]


@pytest.mark.usefixtures("listed")
async def test_hits_of_another_narrowing_give_no_passages(shelf: Shelf, library: Library) -> None:
    await shelf.document(library, "apple pie", "apple tart")
    database = shelf.database(library)
    hits = await database.lexical("apple", 10)
    assert await texts_of(database.narrowed(Narrowing(phrases=("pie",))), hits) == ["apple pie"]


@pytest.mark.usefixtures("listed")
async def test_a_narrowed_database_too_forgets_what_is_deleted(shelf: Shelf, library: Library) -> None:
    version = await shelf.document(library, "apple pie")
    database = shelf.database(library).narrowed(Narrowing(types=("md",)))
    assert await found(shelf, database) == {"apple pie"}
    await Document.objects.filter(pk=version.document_id).aupdate(deleted_at=datetime.now(UTC))
    assert await found(shelf, database) == set()
