"""How an answer came about, to be kept and shown; the words of documents are kept apart (`chat.models.Prompt`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from chat.models import Message, Prompt
from documents.models import Chunk, Document, User
from documents.rag.types import Call, Passage, Step


def traced(asked: str, steps: Iterable[Step], passages: Iterable[Passage], calls: Iterable[Call]) -> dict[str, Any]:
    """What is stored with the answer."""
    return {
        "asked": asked,
        "steps": [_step(step) for step in steps],
        "passages": [_passage(passage) for passage in passages],
        "calls": [asdict(call) for call in calls],
    }


def _step(step: Step) -> dict[str, Any]:
    usage = {"tokens": step.usage.prompt_tokens + step.usage.completion_tokens, "cost": step.usage.cost}
    return {"name": step.name, "text": step.text, "milliseconds": step.milliseconds, "queries": step.queries, **usage}


def _passage(passage: Passage) -> dict[str, Any]:
    about = {"chunk": passage.chunk, "score": round(float(passage.score), 4), "tokens": passage.tokens}
    return about | {"ranks": dict(passage.ranks)}


def shown(message: Message, user: User) -> dict[str, Any]:
    """The trace as this user may see it now: passages that are gone, or not to be read any more, have no title."""
    trace = message.trace
    places = _places([passage["chunk"] for passage in trace.get("passages", ())], user)
    passages = [
        {"number": number, **passage, **places.get(passage["chunk"], {})}
        for number, passage in enumerate(trace.get("passages", ()), 1)
    ]
    return {
        "question": message.parent.text if message.parent else "",
        "answer": message.text,
        "asked": trace.get("asked", message.strategy),
        "strategy": message.strategy,
        "model": message.model,
        "status": message.status,
        "notices": message.notices,
        "steps": trace.get("steps", []),
        "passages": passages,
        "calls": trace.get("calls", []),
        "prompt": _prompt(message, user),
        "cited": list(message.citations.values("number", "document")),
        "usage": {
            "prompt_tokens": message.prompt_tokens,
            "completion_tokens": message.completion_tokens,
            "cost": message.cost,
        },
        "milliseconds": message.milliseconds,
    }


def _prompt(message: Message, user: User) -> str:
    """Empty where one of its documents may not be read any more."""
    readable = Document.objects.readable_by(user).filter(pk__in=message.documents).count() == len(message.documents)
    found = Prompt.objects.filter(message=message).first() if readable else None
    return found.text if found else ""


def _places(chunks: Sequence[int], user: User) -> dict[int, dict[str, Any]]:
    """Chunk → where it stands, of those whose document the user may read now."""
    readable = Document.objects.readable_by(user)
    found = Chunk.objects.filter(pk__in=chunks, version__document__in=readable).select_related("version__document")
    return {chunk.pk: _place(chunk) for chunk in found}


def _place(chunk: Chunk) -> dict[str, Any]:
    document = chunk.version.document
    return {"document": document.pk, "title": str(document), "page": chunk.spans[0][0], "url": chunk.address}
