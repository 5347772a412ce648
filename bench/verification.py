"""How well statements are told that sources say from those that they don't: `python -m bench.verification DIR…`.

DIR are collections in BEIR's layout. Claims are made of them by rule (`bench/claims.py`); told is the half that is held
back, unless CHOOSING=1 stands in the environment. Where a collection has answers in its own words, `manage.py evaluate
DIR --answers` tells how these are judged.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from bench.claims import KINDS, Made, claims
from documents.rag.alignment import Source
from documents.rag.embedding import LocalEmbedding
from documents.rag.types import Passage, Span
from documents.rag.verification import Reading, Rest, in_other_words, read, rest


async def main(directories: Sequence[Path]) -> None:
    made = [each for each in claims(directories) if each.held_back != bool(os.environ.get("CHOOSING"))]
    rests = [rest(each.text, [_source(each)]) for each in made]
    by_rules = [read(each.text, resting) for each, resting in zip(made, rests, strict=True)]
    readings = await _by_meaning(made, rests, by_rules)
    print(f"{len(made)} claims about {len({each.document for each in made})} documents")
    for name, told in (("by rules alone", by_rules), ("and by meaning", readings)):
        print(f"AUROC {name}: {_auroc(made, told, KINDS):.3f}", end="; ")
        print(", ".join(f"{kind} {_auroc(made, told, (kind,)):.3f}" for kind in KINDS))
    for kind in ("true", *KINDS):
        verdicts = Counter(str(one.verdict) for each, one in zip(made, readings, strict=True) if each.kind == kind)
        print(f"{kind}: " + ", ".join(f"{name} {count / verdicts.total():.3f}" for name, count in verdicts.items()))


def _source(made: Made) -> Source:
    about = {"source": made.document, "title": made.title}
    return Source(Passage(0, made.passage, (Span(1, 0, len(made.passage)),), 0, 0.0, about))


async def _by_meaning(made: Sequence[Made], rests: Sequence[Rest], by_rules: Sequence[Reading]) -> list[Reading]:
    """As the verifier does: of those that the rules find too little of."""
    model = LocalEmbedding()
    doubted = [at for at, one in enumerate(by_rules) if in_other_words(one.verdict, one.reason) and rests[at].window]
    known = [at for at in doubted if model.understands(made[at].text) == 1]
    vectors = await model.embed([text for at in known for text in (made[at].text, rests[at].window)], query=True)
    near = dict(zip(known, np.sum(vectors[0::2] * vectors[1::2], axis=1).tolist(), strict=True))
    return [read(made[at].text, rests[at], near[at]) if at in near else one for at, one in enumerate(by_rules)]


def _auroc(made: Sequence[Made], told: Sequence[Reading], kinds: Sequence[str]) -> float:
    """How often a true claim has more support than one that was made wrong in one of these ways; ties count half."""
    true = np.array([one.support for each, one in zip(made, told, strict=True) if each.kind == "true"])
    wrong = np.array([one.support for each, one in zip(made, told, strict=True) if each.kind in kinds])
    return float(np.mean((true[:, None] > wrong) + 0.5 * (true[:, None] == wrong)))


if __name__ == "__main__":
    asyncio.run(main([Path(argument) for argument in sys.argv[1:]]))
