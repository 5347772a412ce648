"""What runs came to, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from documents.models import Document, EvaluationResult, EvaluationRun
from documents.rag.evaluation import FIGURES, means

Figures = Mapping[str, float]

NO_ANSWERS: Mapping[str, Figures] = {}

Place = Mapping[str, Any]
"""As in a result's `places`."""

MISSED = 10
"""A place that isn't found by this rank counts as missed."""


def strategy(run: EvaluationRun) -> str:
    return str(run.variant["strategy"])


def as_json(
    runs: Sequence[EvaluationRun], groups: Mapping[str, str], *, why: bool, answers: Mapping[str, Figures] = NO_ANSWERS
) -> str:
    """`groups` is a name by each question's key, of those that are told of apart as well; `answers`, what a strategy's
    are worth."""
    said: dict[str, object] = {"strategies": _figures(runs)}
    if groups:
        said["groups"] = {name: _figures(runs, _keys(groups, name)) for name in _names(groups)}
    if answers:
        said["answers"] = answers
    if why:
        said["missed"] = {strategy(run): [_as_json(result) for result in _missed(run)] for run in runs}
    return json.dumps(said, ensure_ascii=False)


def as_text(
    runs: Sequence[EvaluationRun], groups: Mapping[str, str], *, why: bool, answers: Mapping[str, Figures] = NO_ANSWERS
) -> str:
    parts = [_table("strategy", _figures(runs))]
    parts += [_table(name, _figures(runs, _keys(groups, name))) for name in _names(groups)]
    parts += [_of_answers(name, figures) for name, figures in answers.items()]
    if why:
        parts += [_as_text(run, result) for run in runs for result in _missed(run)] or ["Every place was found."]
    return "\n\n".join(parts)


def _names(groups: Mapping[str, str]) -> list[str]:
    return sorted(set(groups.values()))


def _keys(groups: Mapping[str, str], name: str) -> list[str]:
    return [key for key, group in groups.items() if group == name]


# --- Figures ----------------------------------------------------------------------------------


def _figures(runs: Sequence[EvaluationRun], keys: Sequence[str] | None = None) -> dict[str, Figures]:
    """By strategy; of all questions, or of those with these keys."""
    figures = {strategy(run): run.figures if keys is None else _means(run, keys) for run in runs}
    return {name: {figure: round(of[figure], 4) for figure in FIGURES} for name, of in figures.items()}


def _means(run: EvaluationRun, keys: Sequence[str]) -> Figures:
    results = list(run.results.filter(key__in=keys))
    return means([result.figures for result in results], [result.milliseconds for result in results])


def _table(head: str, rows: Mapping[str, Figures]) -> str:
    lines = [head.ljust(12) + "".join(name.rjust(12) for name in FIGURES)]
    for row, values in rows.items():
        numbers = (f"{values[name]:.1f}" if name.endswith("_ms") else f"{values[name]:.3f}" for name in FIGURES)
        lines.append(row.ljust(12) + "".join(number.rjust(12) for number in numbers))
    return "\n".join(lines)


def _of_answers(name: str, figures: Figures) -> str:
    head = "What the verdicts are worth" if name == "verdicts" else f"{name}, its answers"
    return "\n".join(
        [head, *(f"  {figure.replace('_', ' ')}".ljust(28) + f"{value:.3f}" for figure, value in figures.items())]
    )


# --- Why --------------------------------------------------------------------------------------


def _missed(run: EvaluationRun) -> list[EvaluationResult]:
    """The results with a place that isn't among the first."""
    return [result for result in run.results.select_related("golden") if _places_missed(result)]


def _places_missed(result: EvaluationResult) -> list[Place]:
    return [place for place in result.places if not place["found"] or place["found"] > MISSED]


def _as_json(result: EvaluationResult) -> dict[str, object]:
    question = result.golden.text if result.golden else result.text
    return {"id": result.key, "question": question, "stages": result.stages, "places": _places_missed(result)}


def _as_text(run: EvaluationRun, result: EvaluationResult) -> str:
    lines = [f"{strategy(run)}: {result.golden.text if result.golden else result.text}"]
    lines += [f"  {_where(result, place)}: {_ranks(result, place)}" for place in _places_missed(result)]
    return "\n".join(lines)


def _where(result: EvaluationResult, place: Place) -> str:
    document = Document.objects.get(pk=place["document"]).name if result.golden else str(place["key"])
    return f"{document}, page {place['page']}" if place["page"] else document


def _ranks(result: EvaluationResult, place: Place) -> str:
    if place["lost"]:
        return "the document doesn't say this any more"
    return ", ".join(f"{stage} {place[stage] or f'not in {length}'}" for stage, length in result.stages)
