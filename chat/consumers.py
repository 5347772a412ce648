"""The chat's socket: who is connected asks, follows and stops; each message is checked again."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Coroutine, Mapping
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

from chat import answering, records
from chat.log import storable
from chat.models import Message
from chat.records import Asked, SignedOut
from chat.writing import ending
from documents.rag.errors import PermanentError
from documents.threads import in_thread

SIGNED_OUT = 4401
"""The socket's close code that asks the browser to sign in again."""

_PATIENCE = 5.0
"""Seconds of silence after which an answer's writer is looked after."""

_NOT_UNDERSTOOD = "This message was not understood. Reload the page."
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading a message raises that no page of ours sends."""

_AWAY = "The database or Redis can't be reached just now. Try again in a moment."

logger = logging.getLogger(__name__)


class ChatConsumer(AsyncWebsocketConsumer):
    """One browser tab. Messages in: ask, watch, follow, stop; out: asked, refused, and events of answers.

    A message is answered in a task of its own, so that Stop never waits behind an answer. Nothing is queued for a slow
    tab: each follower reads on when its socket takes more.
    """

    # Followers read the event log themselves; a layer would hold a connection to Redis for each tab.
    channel_layer_alias = ""

    async def connect(self) -> None:
        self._tasks: dict[object, asyncio.Task[None]] = {}
        await self.accept()
        if not (self.scope["user"] and self.scope["user"].is_authenticated):
            await self.close(SIGNED_OUT)

    async def disconnect(self, code: int) -> None:
        for task in self._tasks.values():
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = json.loads(text_data or "")
            match message["type"]:
                case "ask":
                    self._start(object(), self._ask(_asked(message)))
                case "watch":
                    conversation = uuid.UUID(message["conversation"])
                    self._start(conversation, self._watch(conversation, int(message["have"])))
                case "follow":
                    self._follow(int(message["message"]), int(message["have"]))
                case "stop":
                    self._start(object(), self._stop(int(message["message"])))
                case _:
                    await self._tell_not_understood()
        except _MALFORMED:
            await self._tell_not_understood()

    # --- What may be asked for ------------------------------------------------------------------

    async def _ask(self, asked: Asked) -> None:
        ground = await answering.current().begin(self._session, asked)
        await self._tell(
            {
                "type": "asked",
                "conversation": str(ground.conversation),
                "question": ground.question,
                "answer": ground.answer,
            }
        )
        self._start(ground.answer, self._send_unended(ground.answer, 0))

    def _follow(self, answer: int, have: int) -> None:
        self._start(answer, self._send_answer(answer, have))

    async def _send_answer(self, answer: int, have: int) -> None:
        if not await self._tell_ended(answer):
            await self._send_unended(answer, have)

    async def _send_unended(self, answer: int, have: int) -> None:
        """What the log brings, and an ending of our own where the answer has ended without the log's."""
        with answering.current().live.following_answer(answer) as log:
            async for events in log.follow(have, patience=_PATIENCE):
                if events:
                    await self._send_events(answer, events)
                    continue
                await answering.current().tidy()
                if await self._tell_ended(answer):
                    return

    async def _tell_ended(self, answer: int) -> bool:
        message = await in_thread(records.own_answer, self._session, answer)
        if message.status == Message.Status.STREAMING:
            return False
        await self._send_events(answer, [json.dumps({"type": ending(message.status)})])
        return True

    async def _send_events(self, answer: int, events: list[str]) -> None:
        await self.send(f'{{"message":{answer},"events":[{",".join(events)}]}}')

    async def _watch(self, conversation: uuid.UUID, have: int) -> None:
        await in_thread(records.own_conversation, self._session, conversation)
        with answering.current().live.following_conversation(conversation) as log:
            async for events in log.follow(have, patience=60):
                if events:
                    await self.send(f'{{"conversation":"{conversation}","events":[{",".join(events)}]}}')

    async def _stop(self, answer: int) -> None:
        await in_thread(records.own_answer, self._session, answer)
        await answering.current().live.stop(answer)

    # --- How ------------------------------------------------------------------------------------

    @property
    def _session(self) -> str:
        return str(self.scope["session"].session_key)

    def _start(self, name: object, handling: Coroutine[Any, Any, None]) -> None:
        """Handle a message in a task; what is followed a second time is no longer followed the first."""
        if name in self._tasks:
            self._tasks[name].cancel()
        task = self._tasks[name] = asyncio.create_task(self._handle(handling))
        task.add_done_callback(lambda done: self._forget(name, done))

    def _forget(self, name: object, done: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is done:
            del self._tasks[name]

    async def _handle(self, handling: Coroutine[Any, Any, None]) -> None:
        try:
            await handling
        except SignedOut:
            await self.close(SIGNED_OUT)
        except PermanentError as error:
            await self._tell({"type": "refused", "text": str(error)})
        except (OperationalError, InterfaceError, RedisError) as error:
            logger.warning("A message could not be answered: %s", error)
            await self._tell({"type": "refused", "text": _AWAY})
        except OSError:  # The tab is gone; its disconnect follows.
            logger.debug("A tab is gone.", exc_info=True)

    async def _tell_not_understood(self) -> None:
        await self._tell({"type": "refused", "text": _NOT_UNDERSTOOD})

    async def _tell(self, message: Mapping[str, Any]) -> None:
        await self.send(json.dumps(message))


def _asked(message: Mapping[str, Any]) -> Asked:
    conversation, deeper = message.get("conversation"), message.get("deeper")
    return Asked(
        text="" if deeper else storable(str(message["text"])),
        strategy=str(message["strategy"]),
        libraries=frozenset(int(library) for library in message.get("libraries", ())),
        conversation=uuid.UUID(conversation) if conversation else None,
        deeper=int(deeper) if deeper else None,
        model=str(message.get("model", "")),
    )
