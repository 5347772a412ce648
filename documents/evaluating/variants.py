"""Ways to search: written down with what was measured of them, and made from that again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

import documents
from documents.rag.lexical import K1, B
from documents.rag.system import RAGSystem
from documents.wiring import Wiring

Variant = dict[str, Any]
"""All that it depends on what is found, by name: the strategy, the models, settings, and the code itself."""

CACHE = "evaluation"
"""The folder of the data folder in which vectors of collections are kept."""

_SEARCHING = ("rag/**/*.py", "blocks.py", "narrowing.py", "statements.py", "vector_db.py")


async def variant_of(wiring: Wiring, strategy: str) -> Variant:
    """The strategy, as it works now."""
    model = await wiring.embedding_model()
    return {
        "strategy": strategy,
        "embedding_model": model.name,
        "k1": K1,
        "b": B,
        "top_k": settings.TOP_K,
        "context_tokens": settings.CONTEXT_TOKENS,
        "code": _code(),
    }


async def system_of(variant: Variant, wiring: Wiring, libraries: Sequence[int], *, cached: bool) -> RAGSystem:
    return await wiring.system(libraries, cache=settings.DATA_DIR / CACHE if cached else None)


@cache
def _code() -> str:
    """What tells one state of the code that searches from another."""
    root = Path(documents.__file__).parent
    files = [path for part in _SEARCHING for path in sorted(root.glob(part))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
