"""One answer on its way: from what the system yields to the log that is followed and the record that is kept."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from chat import records
from chat.log import Draft, storable
from chat.markdown import BlockReader, render_block
from chat.models import Message
from chat.records import Ground, Outcome
from chat.tracing import traced
from documents import wiring
from documents.rag.alignment import Source
from documents.rag.errors import FootnoteError
from documents.rag.types import (
    Answer,
    Call,
    Citation,
    Claim,
    Event,
    Evidence,
    Notice,
    Passage,
    Passages,
    Prompt,
    Question,
    Step,
    Text,
    Thought,
    Usage,
)
from documents.rag.verification import Verifier
from documents.threads import in_thread

_PATIENCE = 60.0
"""Seconds for which storing an answer is tried while the database is away."""

_MOST_THOUGHT = 100_000
"""Characters of a model's thinking that are kept."""

_BROKEN = "Something went wrong here. Ask again; if it happens again, tell your administrator."

Status = Message.Status

logger = logging.getLogger(__name__)


class Writing:
    """One answer on its way: what has come of it, into the log and for the record.

    `gathered` is set as soon as its passages are found, or there will be none.
    """

    def __init__(self, ground: Ground, draft: Draft) -> None:
        self.answer = ground.answer
        self.draft = draft
        self._ground = ground
        self._ended_as: Status | None = None
        self._blocks = BlockReader()
        self._text: list[str] = []
        self._steps: list[Step] = []
        self._notices: list[str] = []
        self._thinking: list[str] = []
        self._prompt = ""
        self._calls: list[Call] = []
        self._found: Sequence[Passage] = ()
        self._citations: dict[int, dict[str, Any]] = {}
        self._claims: list[dict[str, Any]] = []
        self._cited: dict[int, Passage] = {}
        self._searched: Sequence[int] = ()
        self._whole: Answer | None = None
        self.gathered = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(lambda _: self.gathered.set())

    def end(self, status: Status) -> None:
        """Break off."""
        self._ended_as = status
        self._reading.cancel()

    async def finish(self) -> None:
        """Wait for the end, commit it, and only then tell it."""
        await asyncio.wait([self._reading])
        status, error = self._verdict()
        self._show(self._blocks.finish())
        if status is Status.STOPPED:
            await self._check()
        citations = list(self._citations.values())
        outcome = Outcome(
            status, self._fields(error), citations, self._calls, self._prompt, self._claims, self._searched
        )
        await _keep(self.answer, outcome)
        self.draft.append({"type": ending(status)} | ({"text": error} if error else {}))

    async def _check(self) -> None:
        """What a stopped answer states so far, by rules alone: nobody waits for it any more."""
        cited = {number: Source(passage) for number, passage in self._cited.items()}
        checked = await Verifier().verify("".join(self._text), cited)
        self._claims = [_claim_fields(claim) for claim in checked.claims if self._found]
        for number, verdict in checked.verdicts.items():
            if number in self._citations:
                self._citations[number]["verdict"] = verdict

    async def _read(self) -> None:
        ground = self._ground
        if ground.warning:
            self._take(Notice(ground.warning))
        system = await wiring.current().system(
            ground.libraries, model=ground.asked.model, allowance=ground.allowance, stays=ground.stays
        )
        question = Question(
            ground.asked.text,
            ground.history,
            top_k=settings.TOP_K,
            rerank_top_n=settings.RERANK_TOP_N,
            found=ground.found,
            receipts=ground.receipts,
        )
        async for event in system.stream(question, strategy=ground.asked.strategy, calls=self._calls):
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Step(name, text, milliseconds):
                self._steps.append(event)
                self.draft.append({"type": "step", "name": name, "text": text, "milliseconds": milliseconds})
            case Passages(found, evidence=evidence):
                self._found = found
                self._searched = () if evidence is Evidence.NONE else self._ground.libraries
                self.gathered.set()
            case Prompt(text):
                self._prompt = storable(text)
            case Thought(text):
                self._thinking.append(storable(text))
                self.draft.append({"type": "thought", "text": storable(text)})
            case Notice(text):
                self._notices.append(text)
                self.draft.append({"type": "notice", "text": text})
            case Citation():
                self._citations[event.number] = fields = _fields_of(event)
                self._cited[event.number] = event.passage
                self.draft.append({"type": "citation", **fields})
            case Text(text):
                self._write(storable(text))
            case Claim():
                self._claims.append(fields := _claim_fields(event))
                self.draft.append({"type": "claim", **fields})
            case Answer(citations=citations):
                self._whole = event
                for citation in citations:
                    self._citations[citation.number] |= {"verdict": citation.verdict or ""}

    def _write(self, text: str) -> None:
        self._text.append(text)
        self.draft.append({"type": "text", "text": text})
        self._show(self._blocks.feed(text))

    def _show(self, blocks: Iterable[str]) -> None:
        if html := "".join(render_block(block, self._citations) for block in blocks):
            self.draft.append({"type": "block", "html": html, "rest": self._blocks.tail})

    def _verdict(self) -> tuple[Status, str]:
        if self._ended_as:
            return self._ended_as, ""
        failure = self._reading.exception()
        if isinstance(failure, FootnoteError):
            return Status.FAILED, str(failure)
        if failure:
            logger.error("Answer %d failed.", self.answer, exc_info=failure)
            return Status.FAILED, _BROKEN
        error = self._whole.error if self._whole else ""
        return (Status.FAILED, error) if error else (Status.COMPLETE, "")

    def _fields(self, error: str) -> dict[str, Any]:
        fields = {
            "text": "".join(self._text),
            "error": error,
            "steps": [[step.name, step.text, step.milliseconds] for step in self._steps],
            "notices": self._notices,
            "thinking": "".join(self._thinking)[:_MOST_THOUGHT],
            "documents": sorted({passage.metadata["document"] for passage in self._found}),
            "trace": traced(self._ground.asked.strategy, self._steps, self._found, self._calls),
            **asdict(sum((call.usage for call in self._calls), Usage())),
        }
        return fields | (_about(self._whole) if self._whole else {})


def ending(status: str) -> str:
    """The type of the event that tells of an answer's end."""
    return "done" if status == Status.COMPLETE else status


async def _keep(answer: int, outcome: Outcome) -> None:
    """Store an answer, trying again while the database is away."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return await in_thread(records.finish, answer, outcome)
        except (OperationalError, InterfaceError) as error:
            logger.warning("Answer %d can't be stored just now: %s", answer, error)
            if time.monotonic() > until:
                raise
            await asyncio.sleep(1)


def interrupted(events: Iterable[Mapping[str, Any]]) -> Outcome:
    """What is left of an answer of which only the log's events are known."""
    kinds: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        kinds[event["type"]].append(event)
    fields = {
        "text": "".join(event["text"] for event in kinds["text"]),
        "steps": [[event["name"], event["text"], event["milliseconds"]] for event in kinds["step"]],
        "notices": [event["text"] for event in kinds["notice"]],
        "thinking": "".join(event["text"] for event in kinds["thought"])[:_MOST_THOUGHT],
    }
    claims = [{name: event[name] for name in _CLAIM_FIELDS} for event in kinds["claim"]]
    return Outcome(Status.INTERRUPTED, fields, kinds["citation"], claims=claims)


def _about(answer: Answer) -> dict[str, Any]:
    return {
        "strategy": answer.strategy,
        "model": answer.model,
        "quoted": answer.quoted,
        "abstained": answer.abstained,
        "milliseconds": dict(answer.milliseconds),
    }


def _fields_of(citation: Citation) -> dict[str, Any]:
    about = citation.passage.metadata
    return {
        "number": citation.number,
        "version": about["version"],
        "title": storable(citation.passage.title)[:500],
        "page": citation.span.page,
        "paged": about["paged"],
        "start": citation.span.start,
        "end": citation.span.end,
        "quote": citation.quote,
        "verdict": citation.verdict or "",
    }


_CLAIM_FIELDS = ("start", "end", "numbers", "verdict", "reason", "doubt")


def _claim_fields(claim: Claim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in _CLAIM_FIELDS}
