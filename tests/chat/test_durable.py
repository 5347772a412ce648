"""An old answer on a running Footnote, while its document is replaced, indexed anew and removed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from tests.chat.conftest import manage
from tests.chat.visitor import Answer, Visitor
from tests.installation import Installation

QUESTION = "How many parking lots does the harbour have?"
LOTS = "The harbour has 140 parking lots for its visitors."
FIRST = f"# Harbour\n\n{LOTS}\n"


@pytest.fixture
def harbour(footnote: Installation, tmp_path: Path) -> Path:
    """The file of a document in a library of its own."""
    return tmp_path / "harbour.md"


def put(footnote: Installation, file: Path, text: str) -> None:
    file.write_text(text)
    manage(footnote, "ingest", str(file), "--library", "Harbour", "--user", "owner@example.com", "--wait")


def library_of(olive: Visitor) -> str:
    found = re.search(r'href="(/libraries/\d+/)"><span[^>]*>Harbour<', olive.get("")[1])
    assert found
    return found[1]


def source(olive: Visitor, answer: Answer) -> str:
    status, shown = olive.get(f"c/{answer.conversation}/messages/{answer.id}/sources/1/")
    assert status == 200
    return unescape(shown)


def document_of(olive: Visitor, answer: Answer) -> str:
    found = re.search(r"/documents/(\d+)/", source(olive, answer))
    assert found
    return found[1]


def test_an_old_footnote_tells_the_truth_whatever_becomes_of_its_document(
    olive: Visitor, footnote: Installation, harbour: Path
) -> None:
    put(footnote, harbour, FIRST)
    library = library_of(olive)
    stale = f"{library}stale/"
    with olive.socket() as socket:
        answer = socket.read(socket.ask(QUESTION, libraries=[int(library.split("/")[-2])]))
    assert "since this answer" not in source(olive, answer)

    put(footnote, harbour, f"# Preface\n\nHow to find us.\n\n# Harbour\n\n{LOTS}\n")
    assert "It still says this." in source(olive, answer)
    assert f"<mark>{LOTS}</mark>" in source(olive, answer)
    assert "No stale answers." in olive.get(stale)[1]

    put(footnote, harbour, FIRST)  # Its chunks and vectors are made anew.
    assert "since this answer" not in source(olive, answer)
    assert f"<mark>{LOTS}</mark>" in source(olive, answer)

    put(footnote, harbour, f"# Harbour\n\n{LOTS.replace('140', '90')}\n")
    assert "its newest version doesn’t say this" in source(olive, answer)
    assert QUESTION in olive.get(stale)[1]
    status, page = olive.post(f"c/{answer.conversation}/messages/{answer.id}/again")
    assert status == 200
    newest = max(int(number) for number in re.findall(r'id="message-(\d+)"', page))
    with olive.socket() as socket:
        again = socket.read(socket.follow(Answer(newest, answer.conversation)))
    assert "since this answer" not in source(olive, again)
    assert "No stale answers." in olive.get(stale)[1]

    olive.post(f"documents/{document_of(olive, again)}/delete")
    for each in (answer, again):
        assert "This document was removed since this answer." in source(olive, each)
    assert QUESTION in olive.get(stale)[1]
