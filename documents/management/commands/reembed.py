"""Another embedding model for all documents, while the present one serves."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

import psycopg
from celery import current_app
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError

from documents import spaces
from documents.management.progressing import ProgressLine
from documents.models import EmbeddingSpace
from documents.progress import worker_is_running
from documents.queueing import REEMBED
from documents.rag.errors import FootnoteError
from documents.reembedding import Standing, go_on, standing, standings
from documents.threads import in_thread
from documents.wiring import open_system

State = EmbeddingSpace.State

LOOK_EVERY = 1.0


class Command(BaseCommand):
    help = (
        "Embed all documents by another model, while the present one serves; interrupted, it goes on where it was. "
        "Without an option, tell how things stand."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--model", metavar="M", help="embed everything by this model, or go on with it")
        what.add_argument(
            "--promote",
            action="store_true",
            help="embed what is missing yet, if it is not too much, and let what was built serve from now on",
        )
        what.add_argument("--rollback", action="store_true", help="let what served before serve again")
        what.add_argument("--discard", action="store_true", help="throw away what was built, or served before")
        parser.add_argument(
            "--dimensions", type=int, metavar="N", help="with --model, shorten its vectors to N numbers"
        )
        parser.add_argument("--wait", action="store_true", help="with --model, return when it can be promoted")
        parser.add_argument("--json", action="store_true", help="print JSON alone")

    def handle(
        self,
        *,
        model: str,
        promote: bool,
        rollback: bool,
        discard: bool,
        dimensions: int | None,
        wait: bool,
        json: bool,
        **options: Any,
    ) -> None:
        if (wait or dimensions is not None) and not model:
            raise CommandError("--wait and --dimensions go with --model.")
        if model:
            self.run(self.build(model, dimensions, wait=wait))
        elif promote:
            self.run(put_in_force(State.BUILDING, "There is nothing to promote. Build a space by --model first."))
        elif rollback:
            self.run(
                put_in_force(State.RETIRED, "There is nothing to go back to: no space that served before is kept.")
            )
        elif discard:
            self.run(throw_away())
        self.report(self.run(standings()), as_json=json)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the work gives, with the system open; what is wrong, as a sentence."""

        async def opened() -> Any:
            async with open_system():
                return await work

        try:
            return asyncio.run(opened())
        except FootnoteError as error:
            raise CommandError(str(error)) from error
        except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
            raise CommandError("Postgres went away. What was embedded is kept; run this again to go on.") from error

    async def build(self, model: str, dimensions: int | None, *, wait: bool) -> None:
        await spaces.begin(model, dimensions)
        if await asyncio.to_thread(worker_is_running):
            await asyncio.to_thread(current_app.send_task, REEMBED)
        elif not wait:
            self.stderr.write("No worker is running, so it waits. Start Footnote with `make run`, or use --wait.")
        if wait:
            await self.until_ready()

    async def until_ready(self) -> None:
        """Wait for a worker; do its work, under the same lease, while none is running."""
        tell = ProgressLine(self.stderr)
        work = asyncio.create_task(work_or_wait())
        try:
            while row := await in_thread(spaces.in_state, State.BUILDING):
                now = await standing(row)
                if now.state == "ready":
                    return
                if now.error:
                    raise CommandError(f"{now.error} What was embedded is kept; run this again to go on.")
                if now.chunks < now.of:  # Else it is being indexed.
                    tell(f"Embedding by {now.model}", now.chunks, now.of)
                await asyncio.wait([work], timeout=LOOK_EVERY)
                work = asyncio.create_task(work_or_wait()) if work.done() else work
        finally:
            work.cancel()
            await asyncio.wait([work])

    def report(self, found: list[Standing], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"spaces": [asdict(one) for one in found]}, ensure_ascii=False))
        else:
            self.stdout.write(
                "\n".join(map(str, found)) or "There is no embedding space yet; the first document makes one."
            )


async def work_or_wait() -> None:
    if not await asyncio.to_thread(worker_is_running):
        await go_on()
    await asyncio.sleep(LOOK_EVERY)


async def put_in_force(state: State, otherwise: str) -> None:
    row = await in_thread(spaces.in_state, state)
    if row is None:
        raise CommandError(otherwise)
    await spaces.put_in_force(row)


async def throw_away() -> None:
    if not await spaces.discard(State.BUILDING, State.RETIRED):
        raise CommandError("There is nothing to discard: the only space is the live one.")
