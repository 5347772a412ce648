"""Runs of evaluate as pages: who sees them, side by side, and why something was missed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from documents.models import (
    Document,
    EmbeddingSpace,
    EvaluationResult,
    EvaluationRun,
    GoldenPlace,
    GoldenQuestion,
    Library,
    User,
    Version,
)

pytestmark = pytest.mark.django_db

COMPARE = "/evaluations/compare"


@pytest.fixture
def question(library: Library) -> GoldenQuestion:
    """How long leave is: in leave.md."""
    document = Document.objects.create(library=library, name="leave.md")
    document.current = document.latest = Version.objects.create(document=document, media_type="text/markdown", bytes=1)
    document.save()
    asked = GoldenQuestion.objects.create(library=library, text="How long is <i>leave</i>?")
    GoldenPlace.objects.create(question=asked, document=document, page=3)
    return asked


def run_of(strategy: str, ndcg: float, question: GoldenQuestion | None = None, **fields: object) -> EvaluationRun:
    """A finished run; on a golden question it found the place at rank 12 by words, or not at all by meaning."""
    figures = {"ndcg@10": ndcg, "recall@5": 1.0, "recall@10": 1.0, "recall@100": 1.0, "mrr": 1.0}
    run = EvaluationRun.objects.create(
        variant={"strategy": strategy, "embedding_model": "tiny", "reranker": ""},
        figures={**figures, "p50_ms": 8.0, "p95_ms": 9.5},
        digest="same",
        questions=1,
        state="finished",
        **fields,
    )
    if question:
        run.libraries.add(question.library)
        [place] = question.places.all()
        stage, rank = ("lexical", 12) if strategy == "lexical" else ("dense", None)
        where = {"key": str(place.pk), "document": place.document_id, "page": 3, "lost": False}
        EvaluationResult.objects.create(
            run=run,
            golden=question,
            key=str(question.pk),
            figures={"ndcg@10": ndcg},
            milliseconds=1,
            stages=[[stage, 100], ["found", 100]],
            places=[{**where, stage: rank, "found": rank}],
        )
    return run


def page_of(client: Client, user: User, *runs: EvaluationRun) -> str:
    client.force_login(user)
    response = client.get(COMPARE, {"run": [run.pk for run in runs]})
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_runs_stand_side_by_side_with_the_best_and_the_differences(
    client: Client, owner: User, question: GoldenQuestion
) -> None:
    page = page_of(client, owner, run_of("lexical", 0.25, question), run_of("naive", 0.75, question))
    assert '<span class="value">0.750</span> <strong>best</strong> <span class="quiet">+0.500</span>' in page
    assert page.count("±0") == 6
    assert "8.0 ms" in page
    assert "Better than in the first run" in page
    assert "How long is &lt;i&gt;leave&lt;/i&gt;?" in page


def test_why_it_was_missed_is_its_rank_at_each_stage(client: Client, owner: User, question: GoldenQuestion) -> None:
    page = page_of(client, owner, run_of("lexical", 0.0, question), run_of("naive", 0.0, question))
    assert "Missed by all" in page
    assert "leave.md</a>" not in page
    assert "leave.md, page 3</a>" in page
    row = '<th scope="row">Lexical</th><td class="number">12</td><td class="number">–</td><td class="number">12</td>'
    assert row in page
    assert (
        '<th scope="row">Naive</th><td class="number">–</td><td class="number"><span class="quiet">not in 100' in page
    )


def test_other_questions_are_not_compared(client: Client, owner: User, question: GoldenQuestion) -> None:
    other = run_of("naive", 0.75, question)
    EvaluationRun.objects.filter(pk=other.pk).update(digest="other")
    other.refresh_from_db()
    page = page_of(client, owner, run_of("lexical", 0.25, question), other)
    assert "asked different questions" in page
    assert "best" not in page
    assert "Better than" not in page


def test_runs_are_for_editors_of_all_their_libraries(
    client: Client, owner: User, teammate: User, stranger: User, question: GoldenQuestion
) -> None:
    run = run_of("lexical", 0.5, question)
    for user in (teammate, stranger):
        client.force_login(user)
        assert client.get(COMPARE, {"run": run.pk}).status_code == 404
        assert "Nothing was measured yet" in client.get(reverse("evaluations")).content.decode()
        assert client.get(reverse("evaluations"), {"library": question.library_id}).status_code == 404
        assert client.post(reverse("evaluations-start"), {"library": question.library_id}).status_code == 404
    run.libraries.add(Library.objects.create(name="Attic"))
    client.force_login(owner)
    assert client.get(COMPARE, {"run": run.pk}).status_code == 404


def test_runs_on_collections_are_for_administrators(client: Client, owner: User) -> None:
    run = run_of("hybrid", 0.5, collection="scifact")
    client.force_login(owner)
    assert client.get(COMPARE, {"run": run.pk}).status_code == 404
    assert "scifact" in page_of(client, User.objects.create_superuser("boss@example.com"), run)


def test_how_many_runs_to_tick_is_said(client: Client, owner: User) -> None:
    client.force_login(owner)
    for runs in ([], [1, 2, 3, 4, 5], ["x"]):
        page = client.get(COMPARE, {"run": runs}, follow=True).content.decode()
        assert "Tick one to 4 runs." in page


def test_golden_questions_are_asked_by_a_worker(client: Client, owner: User, question: GoldenQuestion) -> None:
    EmbeddingSpace.objects.create(model="tiny", dimensions=8, state="live")
    client.force_login(owner)
    fields = {"library": question.library_id, "strategy": ["hybrid", "lexical", "magic"]}
    page = client.post(reverse("evaluations-start"), fields, follow=True).content.decode()
    assert "are being asked" in page
    assert "Waiting, 0 of 1" in page
    runs = EvaluationRun.objects.all()
    assert {run.variant["strategy"] for run in runs if run.in_background} == {"hybrid", "lexical"}


def test_without_golden_questions_or_a_strategy_nothing_is_run(client: Client, owner: User, library: Library) -> None:
    client.force_login(owner)
    none = client.post(reverse("evaluations-start"), {"library": library.pk}, follow=True).content.decode()
    assert "Tick at least one way to search." in none
    fields = {"library": library.pk, "strategy": "hybrid"}
    page = client.post(reverse("evaluations-start"), fields, follow=True).content.decode()
    assert "no golden question" in page
    assert not EvaluationRun.objects.exists()
