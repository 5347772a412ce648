"""What is found for a text, without an answer."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from documents import spending
from documents.management import asking
from documents.models import User
from documents.questions import check_question
from documents.rag.errors import FootnoteError
from documents.rag.types import Notice, Passage, Passages, Question
from documents.wiring import open_system


class Command(BaseCommand):
    help = "Find the passages that an answer would rest on, best first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        asking.add_arguments(parser)
        parser.add_argument(
            "--top-k", type=how_many, default=settings.TOP_K, metavar="N", help="how many passages, 1–100"
        )

    def handle(
        self,
        *,
        text: str,
        libraries: Sequence[str],
        user: str | None,
        strategy: str,
        top_k: int,
        json: bool,
        **options: Any,
    ) -> None:
        searcher = asking.find_user(user)
        found = asking.find_libraries(searcher, libraries)
        try:
            check_question(text)
            question = Question(text, top_k=top_k, rerank_top_n=top_k)
            passages, notices = asyncio.run(search(question, searcher, found, strategy))
        except FootnoteError as error:
            raise CommandError(str(error)) from error
        for notice in notices:
            self.stderr.write(notice)
        self.stdout.write(as_json(passages) if json else as_text(passages))


def how_many(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given) <= 100:
        raise ArgumentTypeError(f"{given} passages can't be looked for; give a number from 1 to 100.")
    return int(given)


async def search(
    question: Question, user: User, libraries: Sequence[int], strategy: str
) -> tuple[tuple[Passage, ...], tuple[str, ...]]:
    """The passages, and what there is to know about how they were found."""
    async with open_system() as wiring, spending.kept(user.pk):
        system = await wiring.system(libraries)
        events = [event async for event in system.gather(question, strategy)]
    notices = tuple(event.text for event in events if isinstance(event, Notice))
    return next(event.found for event in events if isinstance(event, Passages)), notices


def as_json(passages: Sequence[Passage]) -> str:
    found = [
        {
            "document": passage.metadata["name"],
            "page": asking.page_number(passage, passage.spans[0]),
            "chunk": passage.metadata["chunk_id"],
            "score": passage.score,
            "text": passage.text,
            "ranks": dict(passage.ranks),
        }
        for passage in passages
    ]
    return json.dumps(found, ensure_ascii=False, indent=2)


def as_text(passages: Sequence[Passage]) -> str:
    if not passages:
        return "Nothing was found."
    return "\n\n".join(f"{number}. {heading(passage)}\n{passage.text}" for number, passage in enumerate(passages, 1))


def heading(passage: Passage) -> str:
    return f"{where(passage)}; also in {', '.join(map(where, passage.also_in))}" if passage.also_in else where(passage)


def where(passage: Passage) -> str:
    page = asking.page_number(passage, passage.spans[0])
    return f"{passage.title}, page {page}" if page else passage.title
