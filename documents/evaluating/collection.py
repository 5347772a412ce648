"""A collection in BEIR's layout, read and checked."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from documents.rag.errors import PermanentError
from documents.rag.types import Turn

Entry = dict[str, Any]
"""A document or a question: its id, its text, and what else the file says of it."""


class NotACollection(PermanentError):
    """This folder is not in BEIR's layout."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, questions that some of them answer, and which these are: question → document → grade above 0.

    `unanswerable` are questions that say themselves that none answers them.
    `answers` is what answers.jsonl tells of a question, where there is one. Collections of one `digest` are the same,
    wherever they lie.
    """

    name: str
    corpus: list[Entry]
    queries: list[Entry]
    relevance: dict[str, dict[str, int]]
    digest: str
    unanswerable: list[Entry] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> Collection:
        """Raises NotACollection where a file is missing or not of the layout, or no question has an answer."""
        try:
            files = {name: _content(directory / name) for name in ("qrels.tsv", "queries.jsonl", "corpus.jsonl")}
        except FileNotFoundError as error:
            raise NotACollection(f"{error.filename} is missing; {directory} must be in BEIR's layout.") from error
        except (OSError, EOFError) as error:
            raise NotACollection(f"{directory} can't be read: {error}.") from error
        relevance = _relevance(files["qrels.tsv"], directory / "qrels.tsv")
        queries = list(_entries(files["queries.jsonl"], directory / "queries.jsonl"))
        corpus = list(_entries(files["corpus.jsonl"], directory / "corpus.jsonl"))
        judged = [query for query in queries if query["id"] in relevance]
        if not corpus or not judged:
            raise NotACollection(
                f"There is no document in {directory}, or no question that qrels.tsv has an answer to."
            )
        _check_once(corpus, f"{directory} has the document")
        _check_once(judged, f"{directory} has the question")
        digest = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in files.values())).hexdigest()
        refused = [query for query in queries if query["id"] not in relevance and query.get("answerable") is False]
        return cls(directory.resolve().name[:255], corpus, judged, relevance, digest, refused, _answers(directory))

    @property
    def missing(self) -> int:
        """How many documents answer a question, and aren't there."""
        there = {entry["id"] for entry in self.corpus}
        return len({name for grades in self.relevance.values() for name in grades} - there)

    def facts(self, question: str) -> dict[str, list[tuple[int, int]]]:
        """Document → the characters of its sentences that answer a question; none where that isn't told."""
        found: dict[str, list[tuple[int, int]]] = {}
        documents = {entry["id"]: entry for entry in self.corpus}
        for fact in self.answers.get(question, {}).get("supporting_facts") or ():
            entry = documents.get(fact["doc"], {})
            said = entry.get("sentences", ())[fact["sentence"] : fact["sentence"] + 1]
            if said and (start := entry["text"].find(said[0].strip())) >= 0:
                found.setdefault(fact["doc"], []).append((start, start + len(said[0].strip())))
        return found

    def groups(self, field: str) -> dict[str, str]:
        """Question → what it says in this field. Raises NotACollection where none says anything."""
        found = {query["id"]: str(query[field]) for query in self.queries if query.get(field)}
        if not found:
            raise NotACollection(f"No question of {self.name} has a field “{field}”.")
        return found


def history(query: Entry) -> tuple[Turn, ...]:
    """What was said before a question."""
    return tuple(Turn(turn["role"], turn["text"]) for turn in query.get("history", ()))


def _answers(directory: Path) -> dict[str, dict[str, Any]]:
    """By question; empty where there is no such file."""
    try:
        content = _content(directory / "answers.jsonl")
    except FileNotFoundError:
        return {}
    rows = (json.loads(line) for line in content.splitlines() if line.strip())
    return {str(row.get("id", row.get("_id"))): row for row in rows}


def _content(path: Path) -> bytes:
    packed = path.with_name(f"{path.name}.gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() and not path.exists() else path.read_bytes()


def _entries(content: bytes, path: Path) -> Iterator[Entry]:
    for number, line in enumerate(content.splitlines(), 1):
        yield _entry(line, f"{path}, line {number},")


def _entry(line: bytes, where: str) -> Entry:
    try:
        entry = json.loads(line)
        # BEIR itself says _id.
        entry["id"] = entry["id"] if "id" in entry else entry["_id"]
        if entry["id"] and isinstance(entry["id"], str) and isinstance(entry["text"], str):
            return dict(entry)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise NotACollection(f"{where} is not in BEIR's layout: it must be a JSON object with an id and a text.")


def _relevance(content: bytes, path: Path) -> dict[str, dict[str, int]]:
    """Of the questions that any document answers."""
    found: dict[str, dict[str, int]] = {}
    rows = csv.reader(content.decode(errors="replace").splitlines(), delimiter="\t")
    next(rows, None)
    for row in rows:
        try:
            query, document, grade = row[0], row[1], int(row[2])
        except (IndexError, ValueError):
            raise NotACollection(
                f"{path}, line {rows.line_num}, is not in BEIR's layout: a question, a document and a whole number."
            ) from None
        if grade > 0:
            found.setdefault(query, {})[document] = grade
    return found


def _check_once(entries: list[Entry], sentence: str) -> None:
    if twice := [name for name, count in Counter(entry["id"] for entry in entries).items() if count > 1]:
        raise NotACollection(f"{sentence} {twice[0]} twice.")
