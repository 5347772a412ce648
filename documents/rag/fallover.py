"""Several chat models as one: where one can't be reached, the next one answers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, MutableMapping, Sequence
from contextlib import aclosing

from documents.rag.errors import CannotCallTools, FootnoteError
from documents.rag.types import LLM, ChatMessage, ModelProfile, Notice, Piece, Thought, ToolSpec

LEFT_ALONE = 60.0
"""Seconds for which a model that failed is asked only where all others fail as well."""


class FallOver:
    """Asks chat models by their order, and tells by a Notice where another one answers.

    That is before the first word of an answer: one that breaks off later is not begun anew, as its reader has seen it.
    A model's thinking is no word yet. `failed` is when models failed last, by their names, and outlives this.
    """

    def __init__(self, models: Sequence[LLM], failed: MutableMapping[str, float]) -> None:
        self._models = models
        self._failed = failed
        self._answering = models[0]

    @property
    def name(self) -> str:
        """Of the model that answers, or did last."""
        return self._answering.name

    @property
    def profile(self) -> ModelProfile:
        return self._answering.profile

    async def stream(self, messages: Sequence[ChatMessage], *, tools: Sequence[ToolSpec] = ()) -> AsyncGenerator[Piece]:
        """Raises what the last of the models did, where none of them answers."""
        *others, last = sorted(self._models, key=self._was_failing)
        for model, then in zip(others, [*others[1:], last], strict=True):
            self._answering, begun = model, False
            try:
                async with aclosing(model.stream(messages, tools=tools)) as pieces:
                    async for piece in pieces:
                        begun = begun or not isinstance(piece, Thought)
                        yield piece
                return
            except FootnoteError as error:
                if not isinstance(error, CannotCallTools):
                    self._failed[model.name] = time.monotonic()
                if begun:
                    raise
                yield Notice(f"{error} {then.name} was asked instead.", failure=True)
        self._answering = last
        async with aclosing(last.stream(messages, tools=tools)) as pieces:
            async for piece in pieces:
                yield piece

    def _was_failing(self, model: LLM) -> bool:
        return time.monotonic() - self._failed.get(model.name, -LEFT_ALONE) < LEFT_ALONE
