"""Twenty questions by each strategy at the chat model in force, for whoever has one: `make try-llm`.

They are about Footnote's own handbook, which every installation has. What came is told, not judged.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from documents import spending
from documents.endpoints import chat_models
from documents.management import asking
from documents.models import User
from documents.rag.errors import FootnoteError
from documents.rag.strategies import STRATEGIES
from documents.rag.types import Answer
from documents.threads import in_thread
from documents.wiring import open_system

HEADINGS = ("strategy", "answered", "cited", "not found", "failed", "tokens", "cost", "seconds")

QUESTIONS = (
    "Hello!",
    "How do I stop an answer?",
    "What happens when I reload the page while an answer is written?",
    "Which file types can be uploaded?",
    "How long are removed documents kept before they are erased?",
    "What does a deletion receipt tell?",
    "How do I connect Ollama?",
    "What is the difference between the strategies hybrid and naive?",
    "Compare private libraries with team libraries.",
    "Which roles can a member of a library have, and what may each do?",
    "How is a scanned page read?",
    "What does the doctor check?",
    "How do I change the embedding model, and can I go back?",
    "How are libraries, members and groups connected?",
    "What are the main themes of the handbook?",
    "List all settings that have to do with reranking.",
    "Which command measures how well strategies retrieve, and where does it keep its vectors?",
    "Research what happens to an answer when its model dies in the middle of it.",
    "Wie lade ich einen ganzen Ordner hoch?",
    "What is the capital of Peru?",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of all questions by one strategy."""

    strategy: str
    answers: Sequence[Answer]

    def __str__(self) -> str:
        answers = self.answers
        failed = [answer for answer in answers if answer.error or not answer.model]
        given = [answer for answer in answers if not answer.abstained and answer not in failed]
        figures = (
            self.strategy,
            len(given),
            sum(bool(answer.citations) for answer in given),
            sum(answer.abstained for answer in answers),
            len(failed),
            f"{fmean(answer.usage.prompt_tokens + answer.usage.completion_tokens for answer in answers):,.0f}",
            f"{sum(answer.usage.cost for answer in answers):.4f}",
            f"{fmean(answer.milliseconds['total'] for answer in answers) / 1000:.1f}",
        )
        return "".join(f"{figure:>11}" for figure in figures)


class Command(BaseCommand):
    help = "Ask the chat model in force twenty questions about the handbook, by each strategy; a table of what came."

    def add_arguments(self, parser: ArgumentParser) -> None:
        asking.add_where(parser)
        parser.add_argument("--strategy", action="append", choices=list(STRATEGIES), help="repeatable (default: all)")
        parser.add_argument("--questions", type=int, default=len(QUESTIONS), metavar="N", help="only the first N")

    def handle(
        self, *, libraries: Sequence[str], user: str | None, strategy: list[str] | None, questions: int, **options: Any
    ) -> None:
        asker = asking.find_user(user)
        found = asking.find_libraries(asker, libraries)
        if not chat_models():
            raise CommandError("There is no chat model. Set CHAT_MODEL, or connect one at /model/.")
        self.stdout.write("".join(f"{heading:>11}" for heading in HEADINGS))
        try:
            asyncio.run(self._ask(asker, found, strategy or list(STRATEGIES), QUESTIONS[: max(questions, 1)]))
        except FootnoteError as error:
            raise CommandError(str(error)) from error

    async def _ask(
        self, asker: User, libraries: Sequence[int], strategies: Sequence[str], questions: Sequence[str]
    ) -> None:
        allowance, _ = await in_thread(spending.allowance, asker)
        async with open_system() as wiring:
            system = await wiring.system(libraries, allowance=allowance)
            for strategy in strategies:
                answers = [
                    await system.query(text, settings.TOP_K, settings.RERANK_TOP_N, strategy=strategy)
                    for text in questions
                ]
                await in_thread(spending.keep, asker.pk, [call for answer in answers for call in answer.calls])
                self.stdout.write(str(Row(strategy, answers)))
                self.stdout.flush()
