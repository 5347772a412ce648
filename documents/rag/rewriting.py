"""Questions written anew by a chat model, so that more is found for them. What it says is only searched for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from documents.rag.errors import ModelUnavailable
from documents.rag.prompts import turns
from documents.rag.types import LLM, Question, Usage

PATIENCE = 8.0
"""Seconds after which a reader is better off without it."""

REWORDINGS = 3

_LONGEST = 2_000
"""Characters of what is written that are searched for."""

_STANDALONE = """\
The conversation above went before this question: {question}

Write the question so that someone who has not read the conversation understands it: with the names of what it speaks \
of, in the same language, and asking nothing else. Reply with the question alone."""

_PASSAGE = """\
Write a short passage, of three or four sentences, as it would stand in a team's own document that answers this \
question: {question}

Write it in the language of the question. Where you don't know something, write what is likely. Reply with the \
passage alone."""

_REWORDINGS = """\
Write {count} other ways to ask this question, in the words that a document about it might use, one a line, in the \
same language, and nothing else: {question}"""

_NUMBER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s*")


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote, a text or several, and what that cost."""

    texts: tuple[str, ...]
    usage: Usage

    @property
    def text(self) -> str:
        return self.texts[0]


async def standalone(question: Question, llm: LLM) -> Written:
    """The question as it stands without what was said before it. Raises FootnoteError."""
    text, usage = await _reply(llm, [*turns(question), _asked(_STANDALONE.format(question=question.text))])
    return Written((" ".join(text.split()),), usage)


async def passage(question: str, llm: LLM) -> Written:
    """What a document might say that answers it (HyDE: Gao et al., ACL 2023). Raises FootnoteError."""
    text, usage = await _reply(llm, [_asked(_PASSAGE.format(question=question))])
    return Written((text,), usage)


async def rewordings(question: str, llm: LLM) -> Written:
    """Other ways to ask it, at most REWORDINGS. Raises FootnoteError."""
    return await lines(_REWORDINGS.format(count=REWORDINGS, question=question), llm, REWORDINGS)


async def lines(prompt: str, llm: LLM, most: int) -> Written:
    """The first lines of what it replies to a prompt, without their numbers. Raises FootnoteError."""
    text, usage = await _reply(llm, [_asked(prompt)])
    written = (_NUMBER.sub("", line).strip() for line in text.splitlines())
    return Written(tuple(line for line in written if line)[:most], usage)


def _asked(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


async def _reply(llm: LLM, messages: Sequence[dict[str, str]]) -> tuple[str, Usage]:
    try:
        async with asyncio.timeout(PATIENCE):
            pieces = [piece async for piece in llm.stream(messages)]
    except TimeoutError as error:
        raise ModelUnavailable(f"The model “{llm.name}” took more than {PATIENCE:.0f} seconds.") from error
    text = "".join(piece for piece in pieces if isinstance(piece, str)).strip()
    if not text:
        raise ModelUnavailable(f"The model “{llm.name}” sent an empty answer.")
    return text[:_LONGEST], next((piece for piece in pieces if isinstance(piece, Usage)), Usage())
