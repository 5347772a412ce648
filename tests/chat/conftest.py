"""A running Footnote whose chat model is scripted, with an owner, a team-mate and a stranger to visit it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

from config.management.commands.up import web_server
from tests.chat.visitor import Visitor
from tests.installation import ROOT, Installation, free_port
from tests.openai_server import OpenAIServer

PASSWORD = "a long enough password"
RULES = "# House rules\n\nTrains are paid for in full.\n\nEmployees have 25 days of paid leave a year.\n"

PEOPLE = f"""
from documents.models import Library, Membership, User
owner, teammate, stranger = (User.objects.create_user(f"{{name}}@example.com", "{PASSWORD}")
                             for name in ("owner", "teammate", "stranger"))
library = Library.objects.create(name="Leave")
Membership.objects.create(library=library, user=owner, role="owner")
Membership.objects.create(library=library, user=teammate, role="reader")
"""

Visit = Callable[[str], Visitor]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def model(endpoint: OpenAIServer) -> OpenAIServer:
    """The endpoint, without replies that an earlier test left."""
    endpoint.forget()
    return endpoint


@pytest.fixture(scope="session")
def footnote(endpoint: OpenAIServer) -> Iterator[Installation]:
    """Footnote with the scripted model, three people, and a library that the stranger may not read."""
    environment = {"OPENAI_BASE_URL": endpoint.url, "OPENAI_API_KEY": "scripted", "CHAT_MODEL": "scripted-chat"}
    with tempfile.TemporaryDirectory(prefix="footnote-chat-") as folder:
        file = Path(folder) / "rules.md"
        file.write_text(RULES)
        with Installation(Path(folder) / "data", environment) as running:
            manage(running, "shell", "--verbosity", "0", "--command", PEOPLE)
            manage(running, "ingest", str(file), "--library", "Leave", "--user", "owner@example.com", "--wait")
            yield running


def manage(footnote: Installation, *arguments: str) -> str:
    """What a command says, run beside the installation."""
    command = [sys.executable, "manage.py", *arguments, "--data", str(footnote.data)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **footnote.environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def visit(footnote: Installation) -> Visit:
    return lambda name: Visitor(footnote.address, f"{name}@example.com", PASSWORD)


@pytest.fixture(scope="session")
def signed_in_owner(visit: Visit) -> Visitor:
    """One for all tests, as signing in too often is refused."""
    return visit("owner")


@pytest.fixture
def olive(signed_in_owner: Visitor, model: OpenAIServer) -> Visitor:
    """The owner, signed in."""
    return signed_in_owner


@contextmanager
def another_process(footnote: Installation) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A second web process over the same data: its address, and the process."""
    port = free_port()
    environment = {**os.environ, **footnote.environment, "DATA_DIR": str(footnote.data)}
    with subprocess.Popen(web_server(port), cwd=ROOT, env=environment) as process:
        address = f"http://127.0.0.1:{port}/"
        while not _answers(address):
            assert process.poll() is None
        try:
            yield address, process
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address + "account/login/", timeout=5):
            return True
    except (URLError, ConnectionError):
        return False
