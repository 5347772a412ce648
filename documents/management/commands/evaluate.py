"""How well each strategy retrieves, on questions whose answers are known."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from documents.evaluating import evaluation, report
from documents.evaluating.answers import verdicts
from documents.evaluating.collection import Collection
from documents.management import asking
from documents.management.progressing import ProgressLine
from documents.models import EvaluationRun, User
from documents.rag.errors import FootnoteError
from documents.rag.strategies import MEASURED
from documents.rag.system import DEFAULT_STRATEGY
from documents.threads import in_thread
from documents.wiring import open_system

BROKEN_OFF = "Broken off. The same command goes on where it was."
INTERRUPTED = 130


class Command(BaseCommand):
    help = "Measure how well strategies retrieve: on a collection in BEIR's layout, or on golden questions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "directory", nargs="?", type=Path, metavar="DIR", help="holds corpus.jsonl, queries.jsonl, qrels.tsv"
        )
        what.add_argument("--golden", action="store_true", help="ask the golden questions of libraries instead")
        asking.add_where(parser)
        parser.add_argument("--strategy", action="append", choices=MEASURED, help="may be repeated (default: hybrid)")
        parser.add_argument("--model", metavar="M", help="embed by this model instead; golden questions need its space")
        parser.add_argument(
            "--rerank",
            action=BooleanOptionalAction,
            help="with the reranker of the settings (default: if there is one)",
        )
        parser.add_argument(
            "--answers", action="store_true", help="let each question be answered, and judge citations and refusals"
        )
        parser.add_argument("--by", metavar="FIELD", help="the figures by this field of queries.jsonl, too")
        parser.add_argument("--why", action="store_true", help="for each place that was missed, its ranks on the way")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(
        self,
        *,
        directory: Path | None,
        libraries: Sequence[str],
        user: str | None,
        strategy: Sequence[str] | None,
        model: str | None,
        rerank: bool | None,
        answers: bool,
        by: str | None,
        why: bool,
        json: bool,
        **options: Any,
    ) -> None:
        if (directory and (libraries or user)) or ((by or answers) and not directory):
            raise CommandError(
                "--library and --user go with --golden, --by and --answers with the folder of a collection."
            )
        told: dict[str, dict[str, float]] | None = {} if answers else None
        strategies = list(dict.fromkeys(strategy or [DEFAULT_STRATEGY]))
        try:
            if directory:
                collection = Collection.read(directory)
                groups = collection.groups(by) if by else {}
                if collection.missing:
                    self.stderr.write(f"qrels.tsv names {collection.missing} documents that aren't in corpus.jsonl.")
                runs = asyncio.run(self._on_collection(collection, strategies, model, rerank, told))
            else:
                groups = {}
                runs = asyncio.run(
                    self._on_golden_questions(asking.find_user(user), libraries, strategies, model, rerank)
                )
        except FootnoteError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(BROKEN_OFF, returncode=INTERRUPTED) from None
        said = report.as_json if json else report.as_text
        self.stdout.write(said(runs, groups, why=why, answers=told or {}))

    async def _on_collection(
        self,
        collection: Collection,
        strategies: Sequence[str],
        model: str | None,
        rerank: bool | None,
        answers: dict[str, dict[str, float]] | None,
    ) -> list[EvaluationRun]:
        tell = ProgressLine(self.stderr)
        async with open_system() as wiring:
            runs = await evaluation.on_collection(
                collection, strategies, wiring, tell, model=model, rerank=rerank, answers=answers
            )
            if answers is not None and (judged := await verdicts(collection, wiring.verifier())):
                answers["verdicts"] = judged
            return runs

    async def _on_golden_questions(
        self, user: User, names: Sequence[str], strategies: Sequence[str], model: str | None, rerank: bool | None
    ) -> list[EvaluationRun]:
        libraries = await in_thread(asking.find_libraries, user, names)
        tell = ProgressLine(self.stderr)
        async with open_system() as wiring:
            return await evaluation.on_golden_questions(
                user, libraries, strategies, wiring, tell, model=model, rerank=rerank
            )
