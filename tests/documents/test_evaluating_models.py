"""`manage.py evaluate --model`: how well another embedding model would find things, before it serves."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from documents import strays
from documents.models import Document, EmbeddingSpace, EvaluationRun, GoldenPlace, GoldenQuestion, Library
from tests.documents.test_reembed import FACTS, OLD, SMALL, asked, documents, reembed, states
from tests.openai_server import EMBEDDINGS, OpenAIServer, Reply

__all__ = ["documents"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    corpus = [json.dumps({"id": name, "title": "", "text": text}) for name, text in FACTS.items()]
    (tmp_path / "corpus.jsonl").write_text("\n".join(corpus))
    (tmp_path / "queries.jsonl").write_text('{"id": "q1", "text": "Which class do we book on trains?"}')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ttrains\t1\n")
    return tmp_path


@pytest.fixture
def golden(documents: OpenAIServer, library: Library) -> GoldenQuestion:
    question = GoldenQuestion.objects.create(library=library, text="Which class do we book on trains?")
    GoldenPlace.objects.create(question=question, document=Document.objects.get(name="trains.md"))
    return question


def evaluate(*arguments: object) -> dict[str, Any]:
    out = io.StringIO()
    call_command("evaluate", *map(str, arguments), "--strategy", "dense", "--json", stdout=out, stderr=io.StringIO())
    figures: dict[str, Any] = json.loads(out.getvalue())["strategies"]["dense"]
    return figures


def test_a_collection_is_embedded_by_another_model_and_nothing_of_it_stays(
    documents: OpenAIServer, collection: Path
) -> None:
    documents.history.clear()
    assert evaluate(collection, "--model", SMALL)["ndcg@10"] == 1
    assert len(asked(documents, SMALL)) > len(FACTS)
    assert not asked(documents, OLD)
    assert EvaluationRun.objects.get().variant["embedding_model"] == SMALL
    assert states() == {OLD: "live"}
    assert not EmbeddingSpace.objects.filter(state="trial").exists()


def test_what_is_being_evaluated_is_no_gap_in_any_space(documents: OpenAIServer, collection: Path) -> None:
    reembed("--model", SMALL, "--wait")
    documents.queue(*[Reply(path=EMBEDDINGS)] * 2, Reply(path=EMBEDDINGS, status=400))
    with pytest.raises(CommandError):
        evaluate(collection, "--model", "scripted-large")
    documents.forget()
    assert EmbeddingSpace.objects.get(state="trial").model == "scripted-large"
    assert [(space["chunks"], space["of"]) for space in reembed()] == [(3, 3), (3, 3)]
    assert strays.rows() == {}
    assert evaluate(collection, "--model", "scripted-large")["ndcg@10"] == 1
    assert states("--promote") == {SMALL: "live", OLD: "retired"}


def test_golden_questions_are_asked_of_a_space_that_was_built(golden: GoldenQuestion, documents: OpenAIServer) -> None:
    reembed("--model", SMALL, "--wait")
    documents.history.clear()
    assert evaluate("--golden", "--user", "owner@example.com", "--model", SMALL)["recall@5"] == 1
    assert set(asked(documents, SMALL)) == {golden.text}
    assert not asked(documents, OLD)


def test_golden_questions_are_not_asked_of_a_model_by_which_nothing_is_embedded(golden: GoldenQuestion) -> None:
    with pytest.raises(CommandError, match=r"Nothing is embedded by scripted-small\. Build a space by"):
        evaluate("--golden", "--user", "owner@example.com", "--model", SMALL)


def test_golden_questions_are_not_asked_of_a_space_that_is_half_built(golden: GoldenQuestion) -> None:
    reembed("--model", SMALL)
    with pytest.raises(CommandError, match=r"3 chunks are missing in scripted-small \(64\)\."):
        evaluate("--golden", "--user", "owner@example.com", "--model", SMALL)
