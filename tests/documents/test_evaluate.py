"""`manage.py evaluate`, on a collection small enough to know the answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from documents import strays
from documents.evaluating import index
from documents.evaluating.runs import take
from documents.management.progressing import ProgressLine
from documents.models import Block, Chunk, EvaluationResult, EvaluationRun, Library, User, Version
from documents.wiring import open_system
from tests.installation import ROOT
from tests.openai_server import EMBEDDINGS, MODELS, RERANK, OpenAIServer, Reply

pytestmark = pytest.mark.django_db(transaction=True)

CORPUS = {
    "leave": "Parents take twelve weeks of paid leave.",
    "trains": "Trains are booked in second class.",
    "vpn": "The VPN needs a certificate from the help desk.",
}
QUERIES = {"q1": "How long is the paid leave of parents?", "q2": "Which class do we book on trains?", "q3": "Unjudged?"}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """No other test has had its texts embedded: vectors are cached."""
    corpus = [json.dumps({"id": name, "title": "", "text": f"{text} {tmp_path.name}"}) for name, text in CORPUS.items()]
    queries = [json.dumps({"_id": name, "text": f"{text} {tmp_path.name}"}) for name, text in QUERIES.items()]
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress("\n".join(corpus).encode()))
    (tmp_path / "queries.jsonl").write_text("\n".join(queries))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tleave\t1\nq2\ttrains\t1\nq3\tvpn\t0\n")
    return tmp_path


def evaluate(collection: Path, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("evaluate", str(collection), *options, "--json", stdout=out, stderr=StringIO())
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def figures(collection: Path, *strategies: str) -> dict[str, dict[str, float]]:
    chosen = [word for strategy in strategies for word in ("--strategy", strategy)]
    found: dict[str, dict[str, float]] = evaluate(collection, *chosen)["strategies"]
    return found


def test_every_strategy_is_measured_on_one_index_that_is_removed_afterwards(services: None, collection: Path) -> None:
    found = figures(collection, "lexical", "dense", "naive", "hybrid")
    assert list(found) == ["lexical", "dense", "naive", "hybrid"]
    for of_strategy in found.values():
        assert of_strategy["ndcg@10"] == of_strategy["mrr"] == of_strategy["recall@5"] == 1.0
        assert set(of_strategy) == {"ndcg@10", "recall@5", "recall@10", "recall@100", "mrr", "p50_ms", "p95_ms"}
    assert not Library.objects.exists()
    assert not Chunk.objects.exists()
    assert not Block.objects.exists()


def test_hybrid_is_what_is_measured_by_default_as_a_table(services: None, collection: Path) -> None:
    out = StringIO()
    call_command("evaluate", str(collection), stdout=out)
    head, row = out.getvalue().splitlines()
    assert head.split()[:2] == ["strategy", "ndcg@10"]
    assert row.split()[:2] == ["hybrid", "1.000"]


def test_a_folder_of_another_layout_is_refused_by_name(services: None, collection: Path) -> None:
    (collection / "qrels.tsv").unlink()
    with pytest.raises(CommandError, match=r"qrels\.tsv is missing"):
        figures(collection)
    (collection / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1 leave 1\n")
    with pytest.raises(CommandError, match="is not in BEIR's layout"):
        figures(collection)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("corpus.jsonl", '{"id": "leave"}', r"corpus\.jsonl, line 1, is not in BEIR's layout"),
        ("corpus.jsonl", '{"id": "a", "text": "A"}\n{"id": "b", "text"', r"corpus\.jsonl, line 2, is not"),
        ("queries.jsonl", '["q1"]', r"queries\.jsonl, line 1, is not in BEIR's layout"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tleave\tvery\n", r"qrels\.tsv, line 2, is not in BEIR's layout"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\n", "no question that qrels.tsv has an answer to"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nqX\tleave\t1\n", "no question that qrels.tsv has an answer to"),
        ("corpus.jsonl", '{"id": "", "text": "A"}', r"corpus\.jsonl, line 1, is not in BEIR's layout"),
        ("corpus.jsonl", "[" * 100_000, r"corpus\.jsonl, line 1, is not in BEIR's layout"),
        ("corpus.jsonl", '{"id": "a", "text": "A"}\n{"id": "a", "text": "B"}', "has the document a twice"),
        ("corpus.jsonl", "", "There is no document in"),
        ("corpus.jsonl.gz", "not packed", "can't be read"),
    ],
)
def test_what_is_wrong_in_a_collection_is_told_by_its_line(
    services: None, collection: Path, file: str, content: str, sentence: str
) -> None:
    (collection / file).write_text(content)
    with pytest.raises(CommandError, match=sentence):
        figures(collection)


def test_a_reranker_is_measured_beside_what_is_found_without_it(
    services: None, collection: Path, settings: Settings
) -> None:
    with OpenAIServer() as server:
        settings.RERANK_URL, settings.RERANK_MODEL = f"{server.url}/rerank", "scripted-reranker"
        evaluate(collection, "--rerank")
        assert len(server.requests(RERANK)) == 2
        evaluate(collection, "--no-rerank")
        assert len(server.requests(RERANK)) == 2
        without, reranked = EvaluationRun.objects.all()
        assert [without.variant["reranker"], reranked.variant["reranker"]] == ["", "scripted-reranker"]
        stages = [name for name, _ in reranked.results.get(key="q1").stages]
        assert stages == ["lexical", "dense", "fused", "reranked", "found", "hydrated"]
        server.queue(*[Reply(path=RERANK, status=503)] * 3)
        with pytest.raises(CommandError, match=r"failed while running scripted-reranker"):
            evaluate(collection)


def test_no_reranker_can_be_measured_where_there_is_none(services: None, collection: Path) -> None:
    with pytest.raises(CommandError, match="There is no reranker"):
        evaluate(collection, "--rerank")


def test_answers_that_are_not_in_the_collection_are_told(services: None, collection: Path) -> None:
    (collection / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tleave\t1\nq2\tbuses\t1\n")
    err = StringIO()
    call_command("evaluate", str(collection), "--strategy", "lexical", stdout=StringIO(), stderr=err)
    assert "qrels.tsv names 1 documents that aren't in corpus.jsonl." in err.getvalue()


# --- Runs -------------------------------------------------------------------------------------


def test_each_strategy_is_a_run_that_is_kept_with_its_results(services: None, collection: Path) -> None:
    found = figures(collection, "lexical", "dense")
    lexical, dense = EvaluationRun.objects.order_by("pk")
    assert (lexical.variant["strategy"], dense.variant["strategy"]) == ("lexical", "dense")
    assert lexical.figures["ndcg@10"] == found["lexical"]["ndcg@10"]
    assert lexical.series == dense.series
    assert [result.key for result in lexical.results.all()] == ["q1", "q2"]
    assert (lexical.collection, lexical.questions, lexical.state) == (collection.name, 2, "finished")


def test_what_is_finished_is_measured_anew(services: None, collection: Path) -> None:
    figures(collection, "lexical")
    figures(collection, "lexical")
    assert EvaluationRun.objects.count() == 2


def test_progress_goes_to_standard_error(services: None, collection: Path) -> None:
    out, err = StringIO(), StringIO()
    call_command("evaluate", str(collection), "--json", stdout=out, stderr=err)
    assert json.loads(out.getvalue())
    assert err.getvalue().splitlines() == [
        "indexing: 0 of 3",
        "indexing: 3 of 3",
        "hybrid: 0 of 2",
        "hybrid: 2 of 2",
    ]


def test_on_a_terminal_progress_is_one_line_that_changes() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    tell = ProgressLine(OutputWrapper(screen))
    for done in range(3):
        tell("hybrid", done, 2)
    first, last = screen.getvalue().split("\r")[1:]
    assert first.strip() == "hybrid: 0 of 2"
    assert last.strip() == "hybrid: 2 of 2"
    assert screen.getvalue().count("\n") == 1


@pytest.fixture
def stalled(services: None, collection: Path, model: OpenAIServer) -> Iterator[subprocess.Popen[str]]:
    """An evaluation in another process that has one result, and waits for the vector of its second question."""
    asyncio.run(make_space())
    documents, first = Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS)
    model.history.clear()
    model.queue(documents, first, Reply(path=EMBEDDINGS, hang=True))
    command = [sys.executable, "manage.py", "evaluate", str(collection), "--strategy", "dense"]
    environment = {**os.environ, "OPENAI_BASE_URL": model.url, "EMBEDDING_MODEL": MODELS[1]}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE) as process:
        model.wait_for_request(3, EMBEDDINGS)
        yield process
        process.kill()


async def make_space() -> None:
    async with open_system() as wiring:
        await wiring.system([])


def test_killed_it_goes_on_where_it_was(stalled: subprocess.Popen[str], collection: Path) -> None:
    stalled.kill()
    stalled.wait()
    [first] = EvaluationResult.objects.all()
    EvaluationRun.objects.update(lease_until=timezone.now())
    figures(collection, "dense")
    assert [result.key for result in EvaluationRun.objects.get().results.all()] == ["q1", "q2"]
    assert EvaluationResult.objects.filter(pk=first.pk).exists()
    assert not index_library().exists()


def test_broken_off_while_it_indexed_it_completes_the_index(
    services: None, collection: Path, model: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(make_space())
    monkeypatch.setattr("documents.evaluating.index.AT_A_TIME", 1)
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, status=400, message="no more of this"))
    with pytest.raises(CommandError, match="no more of this"):
        figures(collection, "dense")
    assert Version.objects.filter(status=Version.Status.READY, chunks_indexed=1).count() == 1
    assert "no more of this" in EvaluationRun.objects.get().error
    assert figures(collection, "dense")["dense"]["recall@5"] == 1.0
    run = EvaluationRun.objects.get()
    assert (run.state, run.error) == ("finished", "")


def test_ctrl_c_says_that_it_can_be_gone_on_with(stalled: subprocess.Popen[str], collection: Path) -> None:
    stalled.send_signal(signal.SIGINT)
    _, said = stalled.communicate()
    assert "Broken off. The same command goes on where it was." in said
    assert stalled.returncode == 130
    run = EvaluationRun.objects.get()
    assert (run.state, run.is_under_way, run.results.count()) == ("interrupted", False, 1)


def test_what_another_process_is_at_work_on_is_left_alone(
    stalled: subprocess.Popen[str], collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("documents.evaluating.evaluation.take", lambda runs, _: take(runs, patience=0))
    with pytest.raises(CommandError, match="Another process is at work on this evaluation"):
        figures(collection, "dense")


def test_an_index_that_is_in_use_shows_to_nobody(stalled: subprocess.Popen[str], client: Client) -> None:
    name = index_library().get().name
    administrator = User.objects.create_superuser("root@example.com", "a long password")
    client.force_login(administrator)
    for page in (
        "admin:documents_library_changelist",
        "admin:documents_document_changelist",
        "libraries",
        "search",
        "home",
    ):
        assert name not in client.get(reverse(page)).text
    assert not Library.objects.readable_by(administrator).filter(name=name).exists()


def test_an_index_that_nobody_goes_on_with_is_removed(stalled: subprocess.Popen[str], collection: Path) -> None:
    stalled.kill()
    stalled.wait()
    index.tidy()
    assert index_library().exists()
    long_ago = timezone.now() - 2 * index.KEPT
    EvaluationRun.objects.update(started=long_ago, lease_until=long_ago)
    out = StringIO()
    with suppress(SystemExit):
        call_command("doctor", stdout=out)
    assert "WARN  evaluations: Evaluations that were broken off have left 1" in out.getvalue()
    index.tidy()
    assert not index_library().exists()
    assert not Chunk.objects.exists()


def test_the_doctor_finds_nothing_wrong_in_an_index_of_its_own(stalled: subprocess.Popen[str]) -> None:
    assert strays.rows() == {}


def index_library() -> QuerySet[Library]:
    return Library.objects.filter(indexed_for__isnull=False).distinct()


def test_a_strategy_that_lacks_a_half_is_not_measured(services: None, collection: Path, model: OpenAIServer) -> None:
    asyncio.run(make_space())
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS, status=400, message="no questions"))
    with pytest.raises(CommandError, match=r"no questions.*searched by words only"):
        figures(collection, "hybrid")


def test_a_question_with_quotation_marks_is_asked_as_users_ask_it(services: None, collection: Path) -> None:
    query = {"id": "q1", "text": 'Is there "paid vacation" for parents?'}
    (collection / "queries.jsonl").write_text(json.dumps(query))
    assert figures(collection, "lexical")["lexical"]["recall@5"] == 1.0


# --- Why, and by what -------------------------------------------------------------------------


def test_why_something_was_missed_is_told_by_its_rank_in_each_stage(services: None, collection: Path) -> None:
    (collection / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tvpn\t1\nq1\tleave\t1\nq1\tgone\t1\n")
    said = evaluate(collection, "--strategy", "lexical", "--why")["missed"]["lexical"]
    assert said == []
    [result] = EvaluationResult.objects.all()
    assert result.stages == [["lexical", 3], ["found", 3], ["hydrated", 3]]
    leave = next(place for place in result.places if place["key"] == "leave")
    assert (leave["lexical"], leave["found"], leave["hydrated"]) == (1, 1, 1)


def test_what_no_stage_found_is_told_too(services: None, collection: Path) -> None:
    (collection / "queries.jsonl").write_text('{"id": "q1", "text": "certificate"}')
    (collection / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tleave\t1\n")
    [missed] = evaluate(collection, "--strategy", "lexical", "--why")["missed"]["lexical"]
    assert (missed["id"], missed["question"]) == ("q1", "certificate")
    assert [(place["key"], place["lexical"], place["found"]) for place in missed["places"]] == [("leave", None, None)]
    out = StringIO()
    call_command("evaluate", str(collection), "--strategy", "lexical", "--why", stdout=out, stderr=StringIO())
    assert out.getvalue().splitlines()[-2:] == [
        "lexical: certificate",
        "  leave: lexical not in 1, found not in 1, hydrated not in 1",
    ]


def test_figures_are_told_by_a_field_of_the_questions(services: None, collection: Path) -> None:
    lines = [{"id": "q1", "text": QUERIES["q1"], "lang": "en"}, {"id": "q2", "text": "certificate", "lang": "de"}]
    (collection / "queries.jsonl").write_text("\n".join(map(json.dumps, lines)))
    said = evaluate(collection, "--strategy", "lexical", "--by", "lang")
    assert {group: of["lexical"]["recall@5"] for group, of in said["groups"].items()} == {"en": 1.0, "de": 0.0}
    with pytest.raises(CommandError, match=r"No question of .* has a field “language”"):
        evaluate(collection, "--by", "language")


def test_options_that_do_not_go_together_are_refused(services: None, collection: Path) -> None:
    with pytest.raises(CommandError, match="--library and --user go with --golden"):
        evaluate(collection, "--library", "Handbook")
    with pytest.raises(CommandError, match="--by and --answers with the folder of a collection"):
        call_command("evaluate", "--golden", "--by", "lang")
    with pytest.raises(CommandError, match="--by and --answers"):
        call_command("evaluate", "--golden", "--answers")


# --- Answers ----------------------------------------------------------------------------------


def test_answers_are_judged_by_what_they_cite_and_refuse_and_their_verdicts(services: None, collection: Path) -> None:
    impossible = {"id": "q4", "text": "Who painted the ceiling of the chapel in Rome?", "answerable": False}
    with (collection / "queries.jsonl").open("a") as queries:
        queries.write("\n" + json.dumps(impossible))
    answers = [
        {"id": "q1", "answers": ["Parents are on paid leave for twelve weeks."]},
        {"id": "q2", "answers": ["One travels second class when one books trains."]},
    ]
    (collection / "answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    told = evaluate(collection, "--answers")["answers"]
    hybrid = told["hybrid"]
    assert (hybrid["answered"], hybrid["cites_a_gold_page"], hybrid["page_recall"]) == (1, 1, 1)
    assert (hybrid["abstention_precision"], hybrid["abstention_recall"]) == (1, 1)
    assert hybrid["statements_supported"] == 1
    assert told["verdicts"] == {
        "own_unsupported": 0,
        "own_contradicted": 0,
        "foreign_supported": 0,
        "verdict_accuracy": 1,
        "statements": 2,
    }


def test_sentences_that_answer_are_looked_for_in_what_is_cited(services: None, tmp_path: Path) -> None:
    first, second = "The tower of Rill was built in 1911.", "It is painted green every spring by volunteers."
    entry = {"id": "rill", "title": "Rill", "text": f"{first} {second}", "sentences": [first, second]}
    (tmp_path / "corpus.jsonl").write_text(json.dumps(entry))
    (tmp_path / "queries.jsonl").write_text(json.dumps({"id": "q", "text": "When was the tower of Rill built?"}))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\trill\t1\n")
    (tmp_path / "answers.jsonl").write_text(
        json.dumps({"id": "q", "answers": ["1911"], "supporting_facts": [{"doc": "rill", "sentence": 0}]})
    )
    told = evaluate(tmp_path, "--answers")["answers"]["hybrid"]
    assert told["sentence_recall"] == 1
    assert told["sentence_precision"] == 0.5
