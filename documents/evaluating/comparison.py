"""Runs side by side: their figures, the questions on which they differ, and where a place was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.utils.functional import cached_property

from documents.evaluating.report import MISSED, strategy
from documents.models import Document, EvaluationResult, EvaluationRun, User
from documents.rag.evaluation import FIGURES

NAMES = {
    "ndcg@10": "nDCG@10",
    "recall@5": "Recall@5",
    "recall@10": "Recall@10",
    "recall@100": "Recall@100",
    "mrr": "MRR",
    "p50_ms": "Median",
    "p95_ms": "95th percentile",
}

TOLD = {"embedding_model": "model", "reranker": "reranker", "k1": "k1", "b": "b", "code": "code"}
"""What of a way to search is told where the runs differ in it, and how it is called."""

JUDGED_BY = "ndcg@10"

STAGES = {
    "lexical": "By words",
    "dense": "By meaning",
    "fused": "Joined",
    "reranked": "Reranked",
    "found": "Found",
    "hydrated": "Read",
}
"""What a question goes through, in this order; strategies may have others besides."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of one run, how far it is from the first run's, both as people read them, and a bar's length of 100."""

    of: str
    value: str
    difference: str
    bar: str
    is_best: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of all runs."""

    name: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands, the stages of all runs, and for each run, by name, its rank at each of these.

    A rank is None where it isn't among the `length` that the stage had; where a run has no such stage, both are None.
    """

    name: str
    address: str
    lost: bool
    stages: tuple[str, ...]
    ranks: tuple[tuple[str, tuple[tuple[int | None, int | None], ...]], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what each run reached on it, and its places."""

    text: str
    scores: tuple[float | None, ...]
    places: tuple[Place, ...]


class Comparison:
    """Some runs, the first of which the others are compared with, as a user may see them."""

    def __init__(self, runs: Sequence[EvaluationRun], user: User | AnonymousUser) -> None:
        self.runs = runs
        self._user = user

    @property
    def same_questions(self) -> bool:
        return len({run.digest for run in self.runs}) == 1

    @cached_property
    def columns(self) -> list[tuple[EvaluationRun, str]]:
        """Each run, and in what its way to search differs from the others'."""
        differing = [name for name in TOLD if len({str(run.variant.get(name, "")) for run in self.runs}) > 1]
        return [(run, ", ".join(_told(run, name) for name in differing)) for run in self.runs]

    @property
    def rows(self) -> list[Row]:
        return [self._row(figure) for figure in FIGURES]

    def _row(self, figure: str) -> Row:
        values = [run.figures.get(figure) for run in self.runs]
        known = [value for value in values if value is not None]
        in_milliseconds = figure.endswith("_ms")
        best = min(known, default=None) if in_milliseconds else max(known, default=None)
        first = values[0] if self.same_questions else None
        highest = max(known, default=0.0) if in_milliseconds else 1.0
        cells = [
            Cell(
                strategy(self.runs[number]).capitalize(),
                _written(value, in_milliseconds=in_milliseconds),
                _difference(value, first if number else None, in_milliseconds=in_milliseconds),
                f"{100 * value / (highest or 1):.1f}",
                self.same_questions and value == best and len(set(known)) > 1,
            )
            if value is not None
            else None
            for number, value in enumerate(values)
        ]
        return Row(NAMES[figure], tuple(cells))

    # --- Questions ------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> list[tuple[str, list[Question]]]:
        """The questions on which the runs differ, most of all first, and those that all of them missed."""
        if not self.same_questions:
            return []
        judged = [question for question in self._questions if None not in question.scores]
        better = [question for question in judged if _gain(question) > 0]
        worse = [question for question in judged if _gain(question) < 0]
        missed = [question for question in judged if not any(question.scores)]
        groups = [
            ("Better than in the first run", sorted(better, key=_gain, reverse=True)),
            ("Worse than in the first run", sorted(worse, key=_gain)),
            ("Missed by all" if len(self.runs) > 1 else "Missed", missed),
        ]
        return [(name, questions) for name, questions in groups if questions]

    @cached_property
    def _questions(self) -> list[Question]:
        results = [{result.key: result for result in run.results.select_related("golden", "run")} for run in self.runs]
        documents = self._documents(result for of_run in results for result in of_run.values())
        return [self._question([of_run.get(key) for of_run in results], documents) for key in results[0]]

    def _documents(self, results: Iterable[EvaluationResult]) -> Mapping[int, Document]:
        """Those of the places' documents that the user may read."""
        wanted = {place["document"] for result in results if result.golden_id for place in result.places}
        return Document.objects.readable_by(self._user).in_bulk(wanted)

    def _question(self, results: Sequence[EvaluationResult | None], documents: Mapping[int, Document]) -> Question:
        first = next(result for result in results if result)
        text = first.golden.text if first.golden else first.text
        scores = tuple(result.figures[JUDGED_BY] if result else None for result in results)
        places = tuple(
            _place(number, results, documents)
            for number, place in enumerate(first.places)
            if any(_is_missed(result, number) for result in results if result)
        )
        return Question(text, scores, places)


def _written(value: float, *, in_milliseconds: bool) -> str:
    return f"{value:.1f} ms" if in_milliseconds else f"{value:.3f}"


def _difference(value: float, first: float | None, *, in_milliseconds: bool) -> str:
    """With a sign; "" where there is nothing to compare with, or nothing that shows."""
    if first is None:
        return ""
    written = f"{value - first:+.1f}" if in_milliseconds else f"{value - first:+.3f}"
    return written.replace("-", "−") if float(written) else "±0"


def _told(run: EvaluationRun, name: str) -> str:
    value = run.variant.get(name, "")
    return f"no {TOLD[name]}" if value in ("", None) else f"{TOLD[name]} {value}"


def _gain(question: Question) -> float:
    """How much the run that differs most from the first is better than it."""
    first, *others = (score or 0.0 for score in question.scores)
    return max((other - first for other in others), key=abs, default=0.0)


def _is_missed(result: EvaluationResult, number: int) -> bool:
    rank = result.places[number]["found"] if number < len(result.places) else None
    return not rank or rank > MISSED


def _place(number: int, results: Sequence[EvaluationResult | None], documents: Mapping[int, Document]) -> Place:
    first = next(result for result in results if result)
    place, stages = first.places[number], _stages(result for result in results if result)
    document = documents.get(place["document"]) if first.golden_id else None
    hidden = "A document you can’t open" if first.golden_id else str(place["key"])
    name = str(document) if document else hidden
    return Place(
        name=f"{name}, page {place['page']}" if place["page"] and (document or not first.golden_id) else name,
        address=document.get_absolute_url() if document else "",
        lost=bool(place["lost"]),
        stages=tuple(STAGES.get(stage, stage.capitalize()) for stage in stages),
        ranks=tuple((strategy(result.run), _ranks(result, number, stages)) for result in results if result),
    )


def _stages(results: Iterable[EvaluationResult]) -> list[str]:
    """Those of all the runs."""
    found = dict.fromkeys(stage for result in results for stage, _ in result.stages)
    return [*(stage for stage in STAGES if stage in found), *(stage for stage in found if stage not in STAGES)]


def _ranks(result: EvaluationResult, number: int, stages: Iterable[str]) -> tuple[tuple[int | None, int | None], ...]:
    place = result.places[number] if number < len(result.places) else {}
    lengths = dict(result.stages)
    return tuple((place.get(stage), lengths.get(stage)) for stage in stages)
