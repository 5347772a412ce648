"""What answers are worth: whether they cite what answers the question, refuse what nothing answers, and are checked
rightly."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from django.conf import settings

from documents.evaluating.collection import Collection, Entry, history
from documents.evaluating.runs import Tell
from documents.rag.alignment import Source
from documents.rag.claims import plain, states
from documents.rag.evaluation import percentile
from documents.rag.sentences import sentences
from documents.rag.system import RAGSystem
from documents.rag.types import Answer, Passage, Question, Span, Verdict
from documents.rag.verification import Verifier

PAGES = 3
"""Cited pages among which one that answers is looked for."""


@dataclass(slots=True)
class _Told:
    """What was noted of each answer, by the name of a figure: its mean is the figure."""

    notes: dict[str, list[float]] = field(default_factory=dict)

    def note(self, **values: float | None) -> None:
        for name, value in values.items():
            if value is not None:
                self.notes.setdefault(name, []).append(float(value))

    def figures(self) -> dict[str, float]:
        times = self.notes.pop("ms", [])
        known = {name: round(fmean(values), 4) for name, values in self.notes.items() if values}
        return known | ({"p50_ms": percentile(times, 50), "p95_ms": percentile(times, 95)} if times else {})


async def measured(collection: Collection, system: RAGSystem, strategy: str, tell: Tell) -> dict[str, float]:
    """The figures of a strategy's answers to all questions of a collection, those that nothing answers among them.

    "page" counts documents of the collection; "sentence" is told where it says which sentences answer. Abstention's
    precision is the part of the refusals that were right, its recall the part of what nothing answers that was refused.
    """
    told = _Told()
    questions = [*collection.queries, *collection.unanswerable]
    for number, query in enumerate(questions):
        tell(f"{strategy}, answers", number, len(questions))
        _judge(await _answered(query, system, strategy, told), query, collection, told)
    tell(f"{strategy}, answers", len(questions), len(questions))
    return told.figures()


async def _answered(query: Entry, system: RAGSystem, strategy: str, told: _Told) -> Answer:
    question = Question(query["text"], history(query), top_k=settings.TOP_K, rerank_top_n=settings.RERANK_TOP_N)
    began = time.perf_counter()
    answers = [event async for event in system.stream(question, strategy=strategy) if isinstance(event, Answer)]
    told.note(ms=(time.perf_counter() - began) * 1000)
    return answers[0]


def _judge(answer: Answer, query: Entry, collection: Collection, told: _Told) -> None:
    gold = collection.relevance.get(query["id"], {})
    if answer.abstained:
        told.note(abstention_precision=not gold)
    if not gold:
        told.note(abstention_recall=answer.abstained)
        return
    told.note(answered=not answer.abstained)
    if answer.abstained:
        return
    cited = list(dict.fromkeys(citation.passage.source for citation in answer.citations))
    told.note(
        cites_a_gold_page=bool(gold.keys() & set(cited[:PAGES])),
        page_precision=_share(source in gold for source in cited),
        page_recall=_share(source in cited for source in gold),
        statements_supported=_share(claim.verdict is Verdict.SUPPORTED for claim in answer.claims),
    )
    if facts := collection.facts(query["id"]):
        told.note(**_by_sentence(answer, facts))


def _by_sentence(answer: Answer, facts: Mapping[str, Sequence[tuple[int, int]]]) -> dict[str, float | None]:
    """By characters of the documents: `facts` are the stretches that answer, by document."""
    spans = [(citation.passage.source, citation.span.start, citation.span.end) for citation in answer.citations]
    stretches = [(source, start, end) for source, places in facts.items() for start, end in places]
    return {
        "sentence_precision": _share(any(_overlap(span, each) for each in stretches) for span in spans),
        "sentence_recall": _share(any(_overlap(span, each) for span in spans) for each in stretches),
    }


def _overlap(one: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def _share(those: Iterable[bool]) -> float | None:
    noted = list(those)
    return fmean(noted) if noted else None


# --- Verdicts ---------------------------------------------------------------------------------


async def verdicts(collection: Collection, verifier: Verifier) -> dict[str, float]:
    """How the collection's own answers are judged, sentence by sentence, against the documents that they are from, and
    against those of another question, which say nothing of the kind. Of short answers nothing is told."""
    told = _Told()
    pairs = _pairs(collection)
    for at, (text, sources) in enumerate(pairs):
        own = await _verdict(text, sources, verifier)
        told.note(
            own_unsupported=own is Verdict.UNSUPPORTED,
            own_contradicted=own is Verdict.CONTRADICTED,
            verdict_accuracy=own in (Verdict.SUPPORTED, Verdict.PARTLY),
        )
        if others := _foreign(pairs, at):
            foreign = await _verdict(text, others, verifier)
            told.note(
                foreign_supported=foreign is Verdict.SUPPORTED,
                verdict_accuracy=foreign in (Verdict.UNSUPPORTED, Verdict.CONTRADICTED),
            )
    return told.figures() | {"statements": len(pairs)} if pairs else {}


async def _verdict(text: str, sources: Mapping[int, Source], verifier: Verifier) -> Verdict:
    markers = "".join(f"[{number}]" for number in sources)
    checked = await verifier.verify(f"{text.rstrip('.!?')} {markers}", sources)
    return checked.claims[0].verdict if checked.claims else Verdict.UNCITED


def _foreign(pairs: Sequence[tuple[str, dict[int, Source]]], at: int) -> dict[int, Source]:
    """The documents of the next question that has none in common with this one, from half of them away on."""
    own = {source.text for source in pairs[at][1].values()}
    turned = [*pairs[at + len(pairs) // 2 :], *pairs[: at + len(pairs) // 2]]
    return next((sources for _, sources in turned if own.isdisjoint(each.text for each in sources.values())), {})


def _pairs(collection: Collection) -> list[tuple[str, dict[int, Source]]]:
    documents = {entry["id"]: entry for entry in collection.corpus}
    pairs: list[tuple[str, dict[int, Source]]] = []
    for key, grades in collection.relevance.items():
        found = [_source(documents[name]) for name in grades if name in documents]
        for text in collection.answers.get(key, {}).get("answers", ())[:1]:
            said = [plain(text[start:end]).lstrip("-*• ") for start, end in sentences(text)]
            pairs += [(one, dict(enumerate(found, 1))) for one in said if states(one) and found]
    return pairs


def _source(entry: Entry) -> Source:
    text, about = entry["text"], {"source": entry["id"], "title": entry.get("title", "")}
    return Source(Passage(0, text, (Span(1, 0, len(text)),), 0, 0.0, about))
