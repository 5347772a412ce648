"""Who wrote an e-mail, to whom and when, as its footnotes tell it."""

from __future__ import annotations

from documents.models import Version
from documents.rag.parsing.recognising import EML, MSG

_TOLD = ("From", "To", "Date")


def letterhead(version: Version) -> dict[str, str]:
    """From, To and Date, as far as they are known; empty for what is no e-mail."""
    first = version.pages.filter(number=1).first() if version.media_type in (EML, MSG) else None
    if first is None or not first.blocks:
        return {}
    _, start, end, *_ = first.blocks[0]
    lines = (line.partition(": ") for line in first.text[start:end].split("\n"))
    said = {name: value for name, _, value in lines}
    return {name: said[name] for name in _TOLD if name in said}
