"""A chat model that is stopped where what it may cost is used up, also in the middle of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from documents.rag.errors import BudgetExhausted
from documents.rag.tokens import count_tokens, message_tokens
from documents.rag.types import LLM, ChatMessage, ModelProfile, Piece, Thought, ToolSpec, Usage


@dataclass(slots=True)
class Allowance:
    """What may still be spent, in the currency of the prices, and what the reader is told where that is nothing."""

    left: float
    sentence: str


class Metered:
    """Counts what a model's replies cost as they come, and takes it off an allowance.

    Tokens are counted by ourselves while a reply is written, by the endpoint's word once it is whole. A model whose
    prices aren't known costs nothing.
    """

    def __init__(self, llm: LLM, allowance: Allowance) -> None:
        self._llm = llm
        self._allowance = allowance

    @property
    def name(self) -> str:
        return self._llm.name

    @property
    def profile(self) -> ModelProfile:
        return self._llm.profile

    async def stream(self, messages: Sequence[ChatMessage], *, tools: Sequence[ToolSpec] = ()) -> AsyncGenerator[Piece]:
        """Raises BudgetExhausted before the first word, or after it."""
        if self._allowance.left <= 0:
            raise BudgetExhausted(self._allowance.sentence)
        read = await asyncio.to_thread(message_tokens, messages)
        written, taken = 0, 0.0
        async with aclosing(self._llm.stream(messages, tools=tools)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str | Thought):
                    # A piece is one token, as a rule; white space at its end would count as another.
                    written += max(count_tokens((piece if isinstance(piece, str) else piece.text).rstrip()), 1)
                usage = piece if isinstance(piece, Usage) else self.profile.priced(Usage(read, written))
                self._allowance.left -= usage.cost - taken
                taken = usage.cost
                if self._allowance.left <= 0 and not isinstance(piece, Usage):
                    raise BudgetExhausted(self._allowance.sentence)
                yield piece
