"""`manage.py evaluate --golden`, and the worker's way of doing the same: only what whoever asks may read."""

from __future__ import annotations

import asyncio
import json
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from documents.evaluating import background
from documents.evaluating.evaluation import NothingToAsk, ask_golden_questions
from documents.evaluating.golden import golden_questions
from documents.indexing import index
from documents.ingest import Keep, Received, receive
from documents.models import (
    Budget,
    Document,
    EvaluationResult,
    EvaluationRun,
    GoldenPlace,
    GoldenQuestion,
    Library,
    Membership,
    Usage,
    User,
)
from documents.wiring import open_system
from tests.documents.conftest import Give
from tests.openai_server import EMBEDDINGS, OpenAIServer, Reply

pytestmark = pytest.mark.django_db(transaction=True)

LEAVE = "# Leave\n\nParents take twelve weeks of paid leave.\n\nThe rest is unpaid."
TRAINS = "# Trains\n\nTrains are booked in second class."


@pytest.fixture
def leave(model: OpenAIServer, give: Give) -> Document:
    give_others = [
        give(f"other{number}.md", f"# Other {number}\n\nNothing of note, part {number}.") for number in (1, 2)
    ]
    return indexed(*give_others, give("leave.md", LEAVE))


@pytest.fixture
def golden(leave: Document) -> GoldenQuestion:
    return question("How long is the paid leave of parents?", leave, quote="Twelve weeks\nof paid LEAVE")


@pytest.fixture
def drawer(stranger: User) -> Library:
    """A library of the stranger's alone."""
    library = Library.objects.create(name="Drawer")
    Membership.objects.create(library=library, user=stranger, role=Membership.Role.OWNER)
    return library


def indexed(*received: Received) -> Document:
    """The last of them, when all are indexed."""

    async def work() -> None:
        async with open_system():
            await index(*(each.version.pk for each in received))

    asyncio.run(work())
    return Document.objects.get(pk=received[-1].version.document_id)


def question(text: str, document: Document, *, page: int | None = None, quote: str = "") -> GoldenQuestion:
    asked = GoldenQuestion.objects.create(library=document.library, text=text)
    GoldenPlace.objects.create(question=asked, document=document, page=page, quote=quote)
    return asked


def evaluate(user: User, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("evaluate", "--golden", "--user", user.email, "--json", *options, stdout=out, stderr=StringIO())
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def test_it_works(owner: User, golden: GoldenQuestion) -> None:
    found = evaluate(owner, "--strategy", "lexical", "--strategy", "hybrid")["strategies"]
    assert found["lexical"]["ndcg@10"] == found["hybrid"]["ndcg@10"] == 1.0
    run = EvaluationRun.objects.get(variant__strategy="hybrid")
    assert (run.by, run.standing, list(run.libraries.all())) == (owner, "finished", [golden.library])
    [place] = run.results.get(golden=golden).places
    assert (place["found"], place["hydrated"], place["page"], place["lost"]) == (1, 1, 1, False)


def test_history_is_what_was_said_before(owner: User, leave: Document) -> None:
    asked = question("And how long is it?", leave, quote="twelve weeks")
    GoldenQuestion.objects.filter(pk=asked.pk).update(history=[{"role": "user", "text": "Do parents get paid leave?"}])
    assert evaluate(owner, "--strategy", "lexical")["strategies"]["lexical"]["recall@5"] == 1.0


def test_another_passage_of_the_document_is_not_what_was_asked_for(owner: User, leave: Document) -> None:
    question("How long is the paid leave of parents?", leave, page=7)
    said = evaluate(owner, "--strategy", "lexical", "--why")
    assert said["strategies"]["lexical"]["recall@100"] == 0.0
    assert said["missed"]["lexical"][0]["places"][0]["lost"] is True


def test_a_quote_outlives_a_new_version_that_still_says_it(owner: User, golden: GoldenQuestion, give: Give) -> None:
    indexed(give("leave.md", f"# Preface\n\nIt was revised.\n\n{LEAVE}", keep=Keep.VERSION))
    assert evaluate(owner)["strategies"]["hybrid"]["recall@5"] == 1.0


def test_what_the_document_says_no_more_is_told(owner: User, golden: GoldenQuestion, give: Give) -> None:
    indexed(give("leave.md", "# Leave\n\nParents take sixteen weeks.", keep=Keep.VERSION))
    out = StringIO()
    call_command("evaluate", "--golden", "--user", owner.email, "--why", stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines()[-2:] == [
        "hybrid: How long is the paid leave of parents?",
        "  leave.md: the document doesn't say this any more",
    ]


def test_figures_are_as_text_by_default(owner: User, golden: GoldenQuestion) -> None:
    out = StringIO()
    call_command("evaluate", "--golden", "--user", owner.email, "--why", stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines()[0].split()[:2] == ["strategy", "ndcg@10"]
    assert out.getvalue().splitlines()[-1] == "Every place was found."


# --- Who may ask what ---------------------------------------------------------------------------


def test_questions_of_libraries_that_one_may_not_read_are_not_asked(
    owner: User, teammate: User, stranger: User, golden: GoldenQuestion, drawer: Library
) -> None:
    trains = indexed(receive(stranger, drawer, ContentFile(TRAINS.encode(), "trains.md")))
    hidden = question("Which class do we book on trains?", trains)
    for user, asked in ((owner, golden), (teammate, golden), (stranger, hidden)):
        EvaluationRun.objects.all().delete()
        evaluate(user)
        assert [result.golden for result in EvaluationResult.objects.all()] == [asked]
    with pytest.raises(CommandError, match="There is no library “Drawer”"):
        evaluate(owner, "--library", "Drawer")


def test_a_place_in_a_document_that_one_may_not_read_does_not_count(
    owner: User, stranger: User, golden: GoldenQuestion, drawer: Library
) -> None:
    trains = indexed(receive(stranger, drawer, ContentFile(TRAINS.encode(), "trains.md")))
    GoldenPlace.objects.create(question=golden, document=trains)
    assert evaluate(owner)["strategies"]["hybrid"]["recall@5"] == 1.0
    GoldenPlace.objects.exclude(document=trains).delete()
    with pytest.raises(CommandError, match="There is no golden question in these libraries"):
        evaluate(owner)


def test_a_run_shows_to_those_who_may_read_all_of_its_libraries(
    owner: User, teammate: User, stranger: User, golden: GoldenQuestion, drawer: Library
) -> None:
    evaluate(owner)
    run = EvaluationRun.objects.get()
    shown = [user for user in (owner, teammate, stranger) if run in EvaluationRun.objects.readable_by(user)]
    assert shown == [owner, teammate]
    run.libraries.add(drawer)
    assert not EvaluationRun.objects.readable_by(owner).exists()


def test_runs_on_collections_show_to_administrators(owner: User) -> None:
    EvaluationRun.objects.create(collection="scifact", digest="", variant={})
    assert not EvaluationRun.objects.readable_by(owner).exists()
    owner.is_superuser = True
    assert EvaluationRun.objects.readable_by(owner).exists()


# --- In the background --------------------------------------------------------------------------


def work_off() -> None:
    """What a worker does."""

    async def work() -> None:
        async with open_system():
            await background.work_off()

    asyncio.run(work())


def test_a_worker_does_what_was_started(owner: User, golden: GoldenQuestion) -> None:
    runs = background.start(owner, [golden.library_id], ["lexical", "hybrid"])
    assert [run.standing for run in runs] == ["waiting", "waiting"]
    work_off()
    assert [run.figures["mrr"] for run in EvaluationRun.objects.filter(state="finished")] == [1.0, 1.0]
    assert not background.waiting().exists()


def test_what_a_killed_worker_left_is_gone_on_with(owner: User, golden: GoldenQuestion, leave: Document) -> None:
    question("Is the rest unpaid?", leave, quote="The rest is unpaid")
    [run] = background.start(owner, [golden.library_id], ["lexical"])
    done = EvaluationResult.objects.create(
        run=run, golden=golden, key=str(golden.pk), figures={"ndcg@10": 0.5}, milliseconds=1
    )
    EvaluationRun.objects.update(lease="00000000-0000-0000-0000-000000000001", lease_until=timezone.now())
    assert background.waiting().exists()
    work_off()
    assert EvaluationResult.objects.get(golden=golden) == done
    assert EvaluationRun.objects.get().results.count() == 2


def test_nothing_is_asked_for_somebody_who_may_no_longer_read_the_library(
    owner: User, teammate: User, golden: GoldenQuestion
) -> None:
    background.start(teammate, [golden.library_id], ["lexical"])
    Membership.objects.filter(user=teammate).delete()
    work_off()
    run = EvaluationRun.objects.get()
    assert (run.standing, run.results.count()) == ("broken off", 0)
    assert "no golden question" in run.error


def test_a_model_that_fails_is_told_and_not_asked_for_ever(
    owner: User, golden: GoldenQuestion, model: OpenAIServer
) -> None:
    background.start(owner, [golden.library_id], ["naive"])
    model.queue(Reply(path=EMBEDDINGS, status=400, message="no such model"))
    work_off()
    run = EvaluationRun.objects.get()
    assert run.standing == "broken off"
    assert "no such model" in run.error


def test_it_is_counted_for_whom_asked_and_refused_where_their_budget_is_spent(
    owner: User, golden: GoldenQuestion, settings: Settings
) -> None:
    settings.EMBEDDING_PRICE = 1.0
    Budget.objects.create(scope="each", amount=0.000_001)
    for finished in (True, False):
        [run] = background.start(owner, [golden.library_id], ["naive"])
        work_off()
        run.refresh_from_db()
        assert (run.standing == "finished") is finished
    assert "Your budget of 1e-06 USD a month is spent." in run.error
    assert Usage.objects.get(user=owner).prompt_tokens == len(golden.text.split())


def test_a_question_that_is_removed_while_it_is_asked_has_no_result(
    owner: User, golden: GoldenQuestion, leave: Document
) -> None:
    question("Is the rest unpaid?", leave, quote="The rest is unpaid")
    runs = background.start(owner, [golden.library_id], ["lexical"])
    questions = golden_questions(owner, [golden.library_id])
    golden.delete()

    async def ask() -> None:
        async with open_system() as wiring:
            await ask_golden_questions(runs, questions, [leave.library_id], wiring, lambda *_: None)

    asyncio.run(ask())
    run = EvaluationRun.objects.get()
    assert (run.standing, run.questions) == ("finished", 1)


def test_however_a_question_goes_nothing_stays_of_it(owner: User, golden: GoldenQuestion) -> None:
    """As when a result is stored between two of the statements by which Django deletes."""
    evaluate(owner)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM documents_goldenquestion")
    assert not GoldenPlace.objects.exists()
    assert not EvaluationResult.objects.exists()


def test_nothing_is_started_where_there_is_nothing_to_ask(stranger: User, golden: GoldenQuestion) -> None:
    with pytest.raises(NothingToAsk):
        background.start(stranger, [golden.library_id], ["hybrid"])
