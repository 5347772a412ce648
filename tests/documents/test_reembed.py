"""`manage.py reembed`: another embedding model for all documents, while the present one serves."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from documents.indexing import index
from documents.models import Chunk, Embedding, EmbeddingSpace
from documents.wiring import open_system
from tests.documents.conftest import Give
from tests.documents.test_faults import wait_until
from tests.installation import ROOT
from tests.openai_server import EMBEDDINGS, MODELS, OTHERS, OpenAIServer, Reply

pytestmark = pytest.mark.django_db(transaction=True)

OLD, SMALL, LARGE = MODELS[1], "scripted-small", "scripted-large"
FACTS = {
    "leave": "Parents take twelve weeks of paid leave.",
    "trains": "Trains are booked in second class.",
    "vpn": "The VPN needs a certificate from the help desk.",
}


def reembed(*arguments: str) -> list[dict[str, Any]]:
    """How the spaces stand afterwards."""
    out = io.StringIO()
    call_command("reembed", *arguments, "--json", stdout=out, stderr=io.StringIO())
    spaces: list[dict[str, Any]] = json.loads(out.getvalue())["spaces"]
    return spaces


def states(*arguments: str) -> dict[str, str]:
    return {space["model"]: space["state"] for space in reembed(*arguments)}


def indexed(give: Give, name: str, content: str) -> None:
    version = give(name, content).version

    async def work() -> None:
        async with open_system():
            await index(version.pk)

    asyncio.run(work())
    version.refresh_from_db()
    assert version.status == "ready"


@pytest.fixture
def documents(model: OpenAIServer, give: Give) -> OpenAIServer:
    """Three documents, embedded by OLD."""
    for name, fact in FACTS.items():
        indexed(give, f"{name}.md", f"# {name}\n\n{fact}")
    return model


@pytest.fixture
def many(model: OpenAIServer, give: Give) -> OpenAIServer:
    """A document of more chunks than several requests hold."""
    parts = (f"# Part {part}\n\n" + f"Sentence {part} of the long text. " * 40 for part in range(1_000))
    indexed(give, "long.md", "\n\n".join(parts))
    assert Chunk.objects.count() == 1_000
    return model


def asked(server: OpenAIServer, model: str) -> Counter[str]:
    """How often the model was asked for each text."""
    requests = [request for request in server.requests(EMBEDDINGS) if request.body["model"] == model]
    return Counter(text for request in requests for text in request.body["input"])


def embedded(model: str) -> int:
    """Chunks with vectors of that model."""
    return Embedding.objects.filter(space__model=model).values("chunk").distinct().count()


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'embeddings_of_space_%'")
        return {name for (name,) in cursor.fetchall()}


def found(owner: str, question: str) -> list[str]:
    out = io.StringIO()
    call_command("search", question, "--user", owner, "--json", stdout=out)
    return [passage["document"] for passage in json.loads(out.getvalue())]


# --- Built and promoted ---------------------------------------------------------------------------


def test_a_second_space_is_built_while_the_first_serves_and_takes_its_place(documents: OpenAIServer) -> None:
    [built] = [space for space in reembed("--model", SMALL, "--wait") if space["model"] == SMALL]
    assert (built["state"], built["dimensions"], built["chunks"], built["of"]) == ("ready", OTHERS[SMALL], 3, 3)
    assert states() == {OLD: "live", SMALL: "ready"}
    documents.history.clear()
    assert found("owner@example.com", "second class trains")[0] == "trains.md"
    assert set(asked(documents, OLD)) == {"second class trains"}
    assert states("--promote") == {SMALL: "live", OLD: "retired"}
    assert found("owner@example.com", "second class trains")[0] == "trains.md"
    assert set(asked(documents, SMALL)) == {"second class trains"}


def test_what_served_before_serves_again_with_what_came_in_meanwhile(documents: OpenAIServer, give: Give) -> None:
    reembed("--model", LARGE, "--wait")
    reembed("--promote")
    indexed(give, "pumps.md", "# Pumps\n\nThe pump runs at four bar.")
    assert embedded(OLD) == 3
    assert states("--rollback") == {OLD: "live", LARGE: "retired"}
    assert embedded(OLD) == 4
    assert found("owner@example.com", "at how many bar does the pump run")[0] == "pumps.md"
    assert states("--rollback") == {LARGE: "live", OLD: "retired"}


def test_what_comes_in_while_it_is_built_or_ready_is_promoted_with_the_rest(
    documents: OpenAIServer, give: Give
) -> None:
    reembed("--model", SMALL, "--wait")
    indexed(give, "pumps.md", "# Pumps\n\nThe pump runs at four bar.")
    assert embedded(SMALL) == 3
    assert states("--promote") == {SMALL: "live", OLD: "retired"}
    assert embedded(SMALL) == 4


def test_one_that_is_retired_is_taken_up_again_for_what_it_lacks_alone(documents: OpenAIServer, give: Give) -> None:
    reembed("--model", SMALL, "--wait")
    reembed("--promote")
    indexed(give, "pumps.md", "# Pumps\n\nThe pump runs at four bar.")
    documents.history.clear()
    assert states("--model", OLD, "--wait") == {SMALL: "live", OLD: "ready"}
    assert len(asked(documents, OLD)) == 1


def test_a_space_that_is_thrown_away_leaves_neither_vectors_nor_index(documents: OpenAIServer) -> None:
    before = indexes()
    reembed("--model", SMALL, "--wait")
    assert len(indexes()) == len(before) + 1
    assert states("--discard") == {OLD: "live"}
    assert embedded(SMALL) == 0
    assert indexes() == before


def test_the_retired_space_is_thrown_away_when_the_next_is_begun(documents: OpenAIServer) -> None:
    reembed("--model", SMALL, "--wait")
    reembed("--promote")
    assert states("--model", LARGE, "--wait") == {SMALL: "live", LARGE: "ready"}


# --- Interrupted ----------------------------------------------------------------------------------


def test_killed_in_the_middle_it_goes_on_and_asks_for_nothing_that_was_stored(many: OpenAIServer) -> None:
    many.queue(*[Reply(path=EMBEDDINGS)] * 6, *[Reply(path=EMBEDDINGS, hang=True)] * 20)
    killed = subprocess.Popen(
        [sys.executable, "-m", "django", "reembed", "--model", SMALL, "--wait"],
        cwd=ROOT,
        env={**os.environ, "OPENAI_BASE_URL": many.url, "EMBEDDING_MODEL": OLD},
    )
    try:
        wait_until(lambda: embedded(SMALL) > 0)
    finally:
        killed.kill()
        killed.wait()
    many.forget()
    stored = embedded(SMALL)
    assert stored < 1_000
    assert states()[SMALL] == "building"
    EmbeddingSpace.objects.filter(model=SMALL).update(lease_until=timezone.now() - timedelta(seconds=1))
    many.history.clear()
    assert states("--model", SMALL, "--wait") == {OLD: "live", SMALL: "ready"}
    assert embedded(SMALL) == 1_000
    assert asked(many, SMALL).total() == 1_000 - stored


# --- Refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--promote"], "There is nothing to promote. Build a space by --model first."),
        (["--rollback"], "There is nothing to go back to: no space that served before is kept."),
        (["--discard"], "There is nothing to discard: the only space is the live one."),
        (["--wait"], "--wait and --dimensions go with --model."),
        (["--dimensions", "64"], "--wait and --dimensions go with --model."),
        (["--model", SMALL, "--dimensions", "65"], "scripted-small have 64 numbers; they can't be shortened to 65."),
        (["--model", SMALL, "--dimensions", "0"], "scripted-small have 64 numbers; they can't be shortened to 0."),
        (["--model", "all-MiniLM-L6-v2-int8", "--dimensions", "100"], "all-MiniLM-L6-v2-int8 can't be shortened."),
        (["--model", "scripted-huge"], "scripted-huge have 4,096 numbers, and an index holds 4,000. Choose another"),
        (["--model", OLD], r"scripted-embedding \(384\) is live already."),
    ],
)
def test_what_can_not_be_done_is_refused_in_a_sentence(
    documents: OpenAIServer, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        reembed(*arguments)


def test_without_a_document_there_is_nothing_to_embed_again(model: OpenAIServer) -> None:
    with pytest.raises(CommandError, match=r"There is no document yet\. Set EMBEDDING_MODEL"):
        reembed("--model", SMALL)


def test_another_is_not_begun_while_one_is_being_built(documents: OpenAIServer) -> None:
    reembed("--model", SMALL)
    with pytest.raises(CommandError, match=r"scripted-small \(64\) is being built. Promote or discard it first."):
        reembed("--model", LARGE)


def test_a_model_that_the_endpoint_does_not_know_begins_nothing(documents: OpenAIServer) -> None:
    documents.queue(Reply(path=EMBEDDINGS, status=404))
    with pytest.raises(CommandError, match="knows no scripted-small at this address"):
        reembed("--model", SMALL)
    assert states() == {OLD: "live"}


def test_what_stops_it_is_told_and_what_was_stored_is_kept(many: OpenAIServer) -> None:
    reembed("--model", SMALL)
    many.queue(*[Reply(path=EMBEDDINGS)] * 4, *[Reply(path=EMBEDDINGS, status=400, message="Too long.")] * 40)
    with pytest.raises(CommandError, match=r"Too long\..* What was embedded is kept; run this again to go on\."):
        reembed("--model", SMALL, "--wait")
    many.forget()
    [building] = [space for space in reembed() if space["state"] == "building"]
    assert "Too long." in building["error"]
    assert states("--model", SMALL, "--wait")[SMALL] == "ready"


def test_vectors_of_other_dimensions_are_never_stored(documents: OpenAIServer) -> None:
    reembed("--model", SMALL)
    wrong = {"data": [{"index": index, "embedding": [1.0, 2.0]} for index in range(3)]}
    documents.queue(Reply(path=EMBEDDINGS, raw=json.dumps(wrong)))
    with pytest.raises(CommandError, match=r"sent 3 vectors of \[2\] numbers from scripted-small, where 3 of 64"):
        reembed("--model", SMALL, "--wait")
    assert embedded(SMALL) == 0


# --- Models that want something of their own ------------------------------------------------------


def test_vectors_that_are_too_long_are_cut_where_the_model_allows_it(documents: OpenAIServer) -> None:
    [built] = [space for space in reembed("--model", "Qwen3-Embedding-8B", "--wait") if space["state"] == "ready"]
    assert built["dimensions"] == 4_000
    assert all("dimensions" not in request.body for request in documents.requests(EMBEDDINGS))
    reembed("--promote")
    assert found("owner@example.com", "second class trains")[0] == "trains.md"


def test_an_endpoint_is_asked_for_short_vectors_of_another_model(documents: OpenAIServer) -> None:
    [built] = [s for s in reembed("--model", "scripted-huge", "--dimensions", "256", "--wait") if s["state"] == "ready"]
    assert built["dimensions"] == 256
    reembed("--promote")
    documents.history.clear()
    assert found("owner@example.com", "second class trains")[0] == "trains.md"
    assert [request.body["dimensions"] for request in documents.requests(EMBEDDINGS)] == [256]


def test_an_endpoint_that_does_not_shorten_them_begins_nothing(documents: OpenAIServer) -> None:
    long = json.dumps({"data": [{"index": 0, "embedding": [1.0] * 1536}]})
    documents.queue(*[Reply(path=EMBEDDINGS, raw=long)] * 2)
    with pytest.raises(CommandError, match=r"sent 1 vectors of \[1536\] numbers from m, where 1 of 256 were expected"):
        reembed("--model", "m", "--dimensions", "256")
    assert states() == {OLD: "live"}


def test_a_model_reads_before_questions_and_texts_what_it_was_trained_to(documents: OpenAIServer) -> None:
    reembed("--model", "intfloat/multilingual-e5-small", "--wait")
    reembed("--promote")
    *_, trains, _ = asked(documents, "intfloat/multilingual-e5-small")
    assert trains.startswith("passage: trains\n")
    documents.history.clear()
    assert found("owner@example.com", "second class trains")[0] == "trains.md"
    assert set(asked(documents, "intfloat/multilingual-e5-small")) == {"query: second class trains"}
