"""What may be asked, in the browser and on the command line alike."""

from __future__ import annotations

from documents.rag.errors import PermanentError
from documents.rag.queries import NOTHING_ASKED, understand

LONGEST = 8_000
"""Characters."""


class BadQuestion(PermanentError):
    """This question can't be asked."""


def check_question(text: str) -> None:
    """Raises BadQuestion with a sentence that says what to do."""
    if not text.strip():
        raise BadQuestion("The question is empty. Write one.")
    if len(text) > LONGEST:
        raise BadQuestion(f"The question has {len(text):,} characters; {LONGEST:,} are allowed. Shorten it.")
    if not any(map(str.isalnum, text)):
        raise BadQuestion("There is no word in the question. Write one.")
    if not understand(text).text:
        raise BadQuestion(NOTHING_ASKED)
