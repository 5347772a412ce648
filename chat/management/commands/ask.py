"""A question and its answer, on the command line."""

from __future__ import annotations

import asyncio
import json
import re
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from documents import spending
from documents.endpoints import chat_models
from documents.management import asking
from documents.questions import check_question
from documents.rag.errors import FootnoteError
from documents.rag.metering import Allowance
from documents.rag.types import Answer, Citation, Notice
from documents.wiring import open_system

_CODE_OR_ESCAPE = re.compile(r"(`+).+?\1|\\([!-/:-@\[-`{-~])", re.DOTALL)


class Command(BaseCommand):
    help = 'Answer a question from the documents, with citations. In --json, "answer" is Markdown.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        asking.add_arguments(parser)
        parser.add_argument("--model", default="", metavar="NAME", help="a connected chat model, to be asked first")

    def handle(
        self,
        *,
        text: str,
        libraries: Sequence[str],
        user: str | None,
        strategy: str,
        json: bool,
        model: str,
        **options: Any,
    ) -> None:
        asker = asking.find_user(user)
        found = asking.find_libraries(asker, libraries)
        try:
            check_question(text)
            if model and model not in (known := [connected.name for connected in chat_models()]):
                raise CommandError(f"There is no chat model “{model}”. Connected are: {', '.join(known) or 'none'}.")
            allowance, told = spending.allowance(asker)
            answer = asyncio.run(ask(text, found, strategy, model, allowance))
            spending.keep(asker.pk, answer.calls)
        except FootnoteError as error:
            raise CommandError(str(error)) from error
        if told:
            answer = replace(answer, notices=(Notice(told), *answer.notices))
        self.stdout.write(as_json(answer) if json else as_text(answer))
        if answer.error:
            raise CommandError(answer.error)


async def ask(
    text: str, libraries: Sequence[int], strategy: str, model: str = "", allowance: Allowance | None = None
) -> Answer:
    async with open_system() as wiring:
        system = await wiring.system(libraries, model=model, allowance=allowance)
        return await system.query(text, top_k=settings.TOP_K, rerank_top_n=settings.RERANK_TOP_N, strategy=strategy)


def as_json(answer: Answer) -> str:
    return json.dumps(
        {
            "answer": answer.text,
            "strategy": answer.strategy,
            "steps": [asdict(step) for step in answer.steps],
            "notices": [notice.text for notice in answer.notices],
            "citations": [as_fields(citation) for citation in answer.citations],
            "claims": [asdict(claim) for claim in answer.claims],
            "abstained": answer.abstained,
            "thinking": answer.thinking,
            "calls": [asdict(call) for call in answer.calls],
            "usage": asdict(answer.usage),
            "milliseconds": dict(answer.milliseconds),
        },
        ensure_ascii=False,
        indent=2,
    )


def as_fields(citation: Citation) -> dict[str, Any]:
    """A footnote; `start` and `end` count characters of the whole version's text."""
    about, span = citation.passage.metadata, citation.span
    before = asking.offset(about["version"], span.page)
    return {
        "number": citation.number,
        "document": about["name"],
        "page": asking.page_number(citation.passage, span),
        "quote": citation.quote,
        "start": before + span.start,
        "end": before + span.end,
        "verdict": citation.verdict,
    }


def as_text(answer: Answer) -> str:
    """For a terminal: the Markdown stays readable as text, without the backslashes that keep it from being markup."""
    notes = [f"[{citation.number}] {_where(citation)}: {citation.quote}" for citation in answer.citations]
    text = without_escapes(answer.text).strip()
    return "\n\n".join([*(notice.text for notice in answer.notices), text, "\n".join(notes)]).strip()


def without_escapes(markdown: str) -> str:
    """Without the backslashes of `CHAT\\_MODEL`; code keeps its backslashes."""
    return _CODE_OR_ESCAPE.sub(lambda found: found[2] or found[0], markdown)


def _where(citation: Citation) -> str:
    page = asking.page_number(citation.passage, citation.span)
    return f"{citation.passage.title}, page {page}" if page else citation.passage.title
