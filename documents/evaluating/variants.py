"""Ways to search: written down with what was measured of them, and made from that again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

import documents
from documents.models import EmbeddingSpace
from documents.rag.metering import Allowance
from documents.rag.system import RAGSystem
from documents.spaces import Refused, in_state, of_model
from documents.vector_db import Space
from documents.wiring import Wiring

Variant = dict[str, Any]
"""All that it depends on what is found, by name: the strategy, the models, settings, and the code itself."""

CACHE = "evaluation"
"""The folder of the data folder in which vectors of collections are kept."""

_SEARCHING = ("rag/**/*.py", "blocks.py", "bm25.py", "narrowing.py", "statements.py", "vector_db.py")


def variants_of(strategies: Sequence[str], space: Space | None = None, *, rerank: bool | None = None) -> list[Variant]:
    """The strategies, as they work now, in an embedding space, or the live one. Raises Refused before there is one.

    `rerank` is whether with the reranker of the settings, None if there is one; without one it is Refused.
    """
    used = space or in_state(EmbeddingSpace.State.LIVE)
    if used is None:
        raise Refused("There is no document yet.")
    common = {
        "embedding_model": used.model,
        "dimensions": used.dimensions,
        "reranker": "" if rerank is False else _reranker(wanted=bool(rerank)),
        "k1": settings.BM25_K1,
        "b": settings.BM25_B,
        "top_k": settings.TOP_K,
        "context_tokens": settings.CONTEXT_TOKENS,
        "code": _code(),
    }
    return [{"strategy": strategy, **common} for strategy in strategies]


async def system_of(
    variant: Variant,
    wiring: Wiring,
    libraries: Sequence[int],
    *,
    cached: bool = False,
    allowance: Allowance | None = None,
) -> RAGSystem:
    """What searches in that way. Vectors of texts that are no documents of ours may be `cached`."""
    space = await of_model(variant["embedding_model"], on_trial=cached)
    cache = settings.DATA_DIR / CACHE if cached else None
    rerank = bool(variant.get("reranker"))
    return await wiring.system(libraries, cache=cache, space=space, rerank=rerank, allowance=allowance)


def _reranker(*, wanted: bool) -> str:
    """What the settings name, in a word; "" for none."""
    if settings.RERANK_URL:
        return settings.RERANK_MODEL or settings.RERANK_URL
    if settings.RERANK_BY_CHAT_MODEL:
        return "chat model"
    if wanted:
        raise Refused("There is no reranker. Set RERANK_URL, or RERANK_BY_CHAT_MODEL, and try again.")
    return ""


@cache
def _code() -> str:
    """What tells one state of the code that searches from another."""
    root = Path(documents.__file__).parent
    files = [path for part in _SEARCHING for path in sorted(root.glob(part))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
