"""What breaks in the middle, in a whole Footnote: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import io
import json
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.installation import Installation
from tests.openai_server import EMBEDDINGS, MODELS, OpenAIServer, Reply
from tests.rag.drawing import drawn, picture
from tests.test_up import run
from tests.visitor import Visitor

MINUTES = ("The lighthouse is white", "The mole is grey", "The harbour is deep")
PATIENCE = 90


def long(name: str) -> bytes:
    """A long text that shares none with another's, as what is known isn't embedded again."""
    parts = (f"# Part {part}\n\n" + f"Sentence {part} of the long {name}. " * 300 for part in range(60))
    return "\n\n".join(parts).encode()


@pytest.fixture(scope="module")
def model() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture(scope="module")
def footnote(model: OpenAIServer) -> Iterator[Installation]:
    environment = {"OPENAI_BASE_URL": model.url, "EMBEDDING_MODEL": MODELS[1]}
    with tempfile.TemporaryDirectory(prefix="footnote-tests-") as folder, Installation(Path(folder), environment) as it:
        yield it


@pytest.fixture(scope="module")
def visitor(footnote: Installation) -> Iterator[Visitor]:
    with Visitor(footnote) as visitor:
        yield visitor


@pytest.fixture
def library(visitor: Visitor, request: pytest.FixtureRequest) -> int:
    return visitor.make_library(request.node.name)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_until_ready(visitor: Visitor, document: int) -> None:
    def ready() -> bool:
        try:
            status = visitor.status(document)
        except httpx2.HTTPStatusError:  # Postgres comes back; the page asks again by itself.
            return False
        assert status != "failed"
        return status == "ready"

    wait_until(ready)


def begin(visitor: Visitor, library: int, model: OpenAIServer, name: str, *held: Reply) -> int:
    """Upload a long document, and come back in the middle of its embedding, where the model's replies are `held`."""
    model.queue(Reply(path=EMBEDDINGS), Reply(path=EMBEDDINGS), *held)
    before = len(model.requests(EMBEDDINGS))
    [result] = visitor.upload(library, (name, long(name)))
    model.wait_for_request(before + 2 + len(held), EMBEDDINGS)
    return int(result["document"])


def assert_in_order(footnote: Installation) -> None:
    """By the doctor, who counts the chunks of every document."""
    done = run("doctor", "--json", "--data", str(footnote.data), **footnote.environment)
    assert [check for check in json.loads(done.stdout)["checks"] if not check["ok"]] == []


def test_it_works_and_tells_live(visitor: Visitor, library: int) -> None:
    with visitor.following(library) as following:
        [result] = visitor.upload(library, ("long.md", long("long.md")))
        told: list[dict[str, Any]] = []
        while not told or told[-1]["status"] not in ("ready", "failed"):
            told += json.loads(following.recv(timeout=PATIENCE))["documents"]
    assert {message["document"] for message in told} == {result["document"]}
    assert told[-1]["status"] == "ready"


def test_a_socket_from_another_site_is_refused(visitor: Visitor, library: int) -> None:
    with pytest.raises(InvalidStatus), visitor.following(library, origin="https://elsewhere.example"):
        pass


def test_an_upload_that_is_cut_off_leaves_nothing(visitor: Visitor, library: int) -> None:
    footnote = visitor.footnote
    token = visitor.http.cookies["csrftoken"]
    head = (
        f"POST /libraries/{library}/upload HTTP/1.1\r\nHost: 127.0.0.1:{footnote.port}\r\nCookie: {visitor.cookies}\r\n"
        f"X-CSRFToken: {token}\r\nOrigin: {footnote.address.rstrip('/')}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="half.md"\r\n\r\n# Half of a file\n'
    )
    with socket.create_connection(("127.0.0.1", footnote.port)) as connection:
        connection.sendall(head.encode())
    assert "half.md" not in visitor.get(f"libraries/{library}/")
    [result] = visitor.upload(library, ("half.md", b"# The whole file\n"))
    assert result["outcome"] == "added"


def test_a_worker_that_is_killed_while_it_embeds_and_recognises_loses_and_doubles_nothing(
    visitor: Visitor, library: int, model: OpenAIServer
) -> None:
    worker = visitor.footnote.process_of("celery")
    killed = begin(visitor, library, model, "killed.md", Reply(path=EMBEDDINGS, hang=True))
    results = visitor.upload(library, ("minutes.pdf", scanned(*MINUTES)), ("note.png", picture(MINUTES[0])))
    minutes, note = (int(result["document"]) for result in results)
    wait_until(lambda: "ocr" in how_read(visitor, minutes))
    worker.kill()
    assert visitor.status(killed) == "embedding"
    assert visitor.status(minutes) == "recognising"
    for document in (killed, minutes, note):
        wait_until_ready(visitor, document)
    assert how_read(visitor, minutes) == ["ocr"] * 3
    for number, sentence in enumerate(MINUTES, 1):
        assert sentence in visitor.get(f"documents/{minutes}/?page={number}")
    assert MINUTES[0] in visitor.get(f"documents/{note}/")
    assert_in_order(visitor.footnote)


def scanned(*sheets: str) -> bytes:
    first, *others = map(drawn, sheets)
    out = io.BytesIO()
    first.save(out, "PDF", save_all=True, append_images=others)
    return out.getvalue()


def how_read(visitor: Visitor, document: int) -> list[str]:
    """Each page, as the strip of the document's page shows it."""
    cells = visitor.get(f"documents/{document}/").partition('class="strip"')[2].partition("<ol>")[2]
    return re.findall(r'data-how="(\w+)"', cells)


@pytest.mark.parametrize("service", ["postgres", "valkey-server"])
def test_a_service_that_dies_in_the_middle_loses_and_doubles_nothing(
    visitor: Visitor, library: int, model: OpenAIServer, service: str
) -> None:
    document = begin(visitor, library, model, f"{service}.md")
    visitor.footnote.process_of(service).kill()
    assert "again" in visitor.footnote.next_line()
    wait_until_ready(visitor, document)
    assert_in_order(visitor.footnote)


def test_ctrl_c_in_the_middle_ends_the_worker_and_the_next_start_goes_on(model: OpenAIServer) -> None:
    environment = {"OPENAI_BASE_URL": model.url, "EMBEDDING_MODEL": MODELS[1]}
    with tempfile.TemporaryDirectory(prefix="footnote-tests-") as folder:
        with Installation(Path(folder), environment) as first, Visitor(first) as visitor:
            library = visitor.make_library("Ctrl-C")
            document = begin(visitor, library, model, "stopped.md", Reply(path=EMBEDDINGS, hang=True))
            assert first.stop() == 0
            assert first.processes() == []
            assert "Traceback" not in first.errors()
        with Installation(Path(folder), environment) as second:
            second.password = first.password
            with Visitor(second) as visitor:
                wait_until_ready(visitor, document)
            assert_in_order(second)


def test_a_re_embedding_goes_on_after_its_worker_and_its_database_are_killed(
    visitor: Visitor, library: int, model: OpenAIServer
) -> None:
    footnote = visitor.footnote
    wait_until_ready(visitor, begin(visitor, library, model, "embedded again.md"))

    def reembed(*arguments: str) -> dict[str, str]:
        """The spaces' states; none while Postgres comes back."""
        done = run("reembed", *arguments, "--json", "--data", str(footnote.data), **footnote.environment)
        return {space["model"]: space["state"] for space in json.loads(done.stdout or '{"spaces": []}')["spaces"]}

    for victim in ("celery", "postgres"):
        model.queue(Reply(path=EMBEDDINGS), *[Reply(path=EMBEDDINGS, hold_at=0, gate=victim)] * 2)
        before = len(model.requests(EMBEDDINGS))
        reembed("--model", "scripted-small")
        model.wait_for_request(before + 3, EMBEDDINGS)
        footnote.process_of(victim).kill()
        model.release(victim)
        wait_until(lambda: reembed().get("scripted-small") == "ready")
        reembed("--discard")
    assert_in_order(footnote)
