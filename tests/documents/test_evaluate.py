"""`manage.py evaluate`, on a collection small enough to know the answer."""

from __future__ import annotations

import gzip
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from documents.models import Block, Chunk, Library

pytestmark = pytest.mark.django_db(transaction=True)

CORPUS = {
    "leave": "Parents take twelve weeks of paid leave.",
    "trains": "Trains are booked in second class.",
    "vpn": "The VPN needs a certificate from the help desk.",
}
QUERIES = {"q1": "How long is the paid leave of parents?", "q2": "Which class do we book on trains?", "q3": "Unjudged?"}


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    corpus = [json.dumps({"id": name, "title": "", "text": text}) for name, text in CORPUS.items()]
    queries = [json.dumps({"_id": name, "text": text}) for name, text in QUERIES.items()]
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress("\n".join(corpus).encode()))
    (tmp_path / "queries.jsonl").write_text("\n".join(queries))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tleave\t1\nq2\ttrains\t1\nq3\tvpn\t0\n")
    return tmp_path


def figures(collection: Path, *strategies: str) -> dict[str, dict[str, float]]:
    out = StringIO()
    chosen = [word for strategy in strategies for word in ("--strategy", strategy)]
    call_command("evaluate", str(collection), *chosen, "--json", stdout=out)
    found: dict[str, dict[str, float]] = json.loads(out.getvalue())["strategies"]
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
