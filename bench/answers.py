"""How soon answers begin, how evenly they stream and whether they are whole, beside a bare relay in the same run."""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from bench.client import Load, Read
from bench.corpus import Corpus
from bench.figures import Figure, percentile, rounded, tell
from bench.model_server import Pace, Told
from bench.programs import Floor, ModelServer, Product, fill, read_answers, rows
from bench.sizes import CHUNKS, LIBRARIES, PASSWORD, READABLE, READER
from bench.visitor import Visitor

RATE = 50.0
"""Tokens that the model writes in a second."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Questions at times (seconds from the start), or each after the answer before, and how long their answers are."""

    name: str
    questions: int
    tokens: int
    at: tuple[float, ...] = ()
    rounds: int = 1


def arriving(each_second: float, count: int) -> tuple[float, ...]:
    """Times at which people who don't know of one another ask."""
    chance = random.Random(1)
    return tuple(accumulate(chance.expovariate(each_second) for _ in range(count)))


WARMING = Scenario("warming up", 20, 20, (0.0,) * 20)
ONE = Scenario("one user", 60, 20)
ARRIVING = Scenario("10 questions a second", 200, 100, arriving(10, 200))
BURST = Scenario("100 at once", 100, 100, (0.0,) * 100, rounds=3)
HUNDRED = Scenario("100 answers", 100, 500, (0.0,) * 100)
THREE_HUNDRED = Scenario("300 answers", 300, 1_000, (0.0,) * 300)


@dataclass(frozen=True, slots=True)
class Run:
    """A scenario's answers, and the seconds of processor time that each side spent."""

    scenario: Scenario
    answers: list[Read]
    told: Mapping[str, Told]
    cpu: dict[str, float]

    @property
    def first(self) -> list[float]:
        """Milliseconds to the first text."""
        return [answer.first * 1000 for answer in self.answers if answer.text]

    @property
    def asked(self) -> list[float]:
        """Milliseconds until the model was asked."""
        told = [(answer, self.told[tag(answer)]) for answer in self.answers if tag(answer) in self.told]
        return [(model.asked - answer.sent) * 1000 for answer, model in told]

    @property
    def rates(self) -> list[float]:
        """Tokens a second, from the first text of an answer to its last."""
        tokens = self.scenario.tokens - 1
        return [tokens / max(answer.last - answer.first, 0.001) if answer.text else 0.0 for answer in self.answers]

    @property
    def broken(self) -> list[str]:
        """Why answers aren't whole, one reason each."""
        faults = (next(_faults(answer, self.scenario.tokens), "") for answer in self.answers)
        return [fault for fault in faults if fault]

    @property
    def lost(self) -> int:
        """How many answers never came to their end."""
        return sum(answer.ending != "done" for answer in self.answers)


def tag(answer: Read) -> str:
    return answer.text.split(" ", 1)[0]


def _faults(answer: Read, tokens: int) -> Iterator[str]:
    if answer.ending != "done":
        yield f"{answer.message} ended as {answer.ending}"
    if not answer.in_order:
        yield f"{answer.message} has an event twice, or misses one"
    if [int(place) for place in re.findall(r"w(\d+)", answer.text)] != list(range(1, tokens)):
        yield f"{answer.message} has its tokens out of order, or misses one"


class Side:
    """What is asked: the product or the floor."""

    def __init__(self, name: str, served: Product | Floor, model: ModelServer, *, path: str, cookie: str = "") -> None:
        self.name = name
        self._served = served
        self._model = model
        self._path = path
        self._cookie = cookie
        self._corpus = Corpus(seed=sum(name.encode()))
        self._asked = 0

    def run(self, scenario: Scenario) -> Run:
        self._model.pace(Pace(scenario.tokens, RATE))
        before = self._cpu()
        answers: list[Read] = []
        reading = 0.0
        for _ in range(scenario.rounds):
            read, cpu = read_answers(self._load(scenario))
            answers += read
            reading += cpu
        spent = self._cpu()
        spent.subtract(before)
        return Run(scenario, answers, self._model.told(), {**spent, "client": reading})

    def _load(self, scenario: Scenario) -> Load:
        numbers = range(self._asked, self._asked + scenario.questions)
        self._asked += scenario.questions
        questions = [self._corpus.question(number) for number in numbers]
        return Load(self._served.port, self._path, questions, list(scenario.at), self._cookie)

    def _cpu(self) -> Counter[str]:
        return self._served.cpu() + self._model.cpu()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="footnote-bench-") as folder, ModelServer() as model:
        data = Path(folder)
        fill(data, model)
        with Floor(model) as floor, Product(data, model.settings) as product:
            cookie = Visitor(product.address, READER, PASSWORD).cookie
            measure(
                Side("product", product, model, path="/ws/chat/", cookie=cookie),
                Side("floor", floor, model, path="/"),
                data,
            )


def measure(product: Side, floor: Side, data: Path) -> None:
    for side in (floor, product):
        side.run(WARMING)
    runs = []
    for scenario, figures in ((ONE, _one), (ARRIVING, _arriving), (BURST, _burst), (HUNDRED, _hundred)):
        run, bare = product.run(scenario), floor.run(scenario)
        runs.append(run)
        _tell(figures(run), run, bare)
    run, bare = product.run(THREE_HUNDRED), floor.run(THREE_HUNDRED)
    runs.append(run)
    share = 100 * median(run.rates) / median(bare.rates)
    figure = Figure("300 answers at 50 tokens/s, of what the floor gets", share, "%", 70, at_least=True)
    _tell(figure, run, bare)
    broken = [reason for run in runs for reason in run.broken] + list(_differing(runs, data))
    tell(Figure("answers lost, out of order or unlike the stored ones", len(broken), "", 0), reasons=broken[:10])


def _one(run: Run) -> Figure:
    return Figure("first token, one user, p50", median(run.first), "ms", 30)


def _arriving(run: Run) -> Figure:
    return Figure("first token, 10 questions a second, p95", percentile(run.first, 95), "ms", 100)


def _burst(run: Run) -> Figure:
    return Figure("first token, 100 at once, p50", median(run.first), "ms", 1_500)


def _hundred(run: Run) -> Figure:
    return Figure("100 answers at 50 tokens/s, slowest", 100 * min(run.rates) / RATE, "%", 95, at_least=True)


def _differing(runs: Sequence[Run], data: Path) -> Iterator[str]:
    """Answers that are stored otherwise than they were read."""
    read = {answer.message: answer.text for run in runs for answer in run.answers if answer.ending == "done"}
    stored: dict[int, str] = dict(rows(data, "SELECT id, text FROM chat_message WHERE id = ANY(%s)", [list(read)]))
    yield from (f"{message} is stored otherwise" for message, text in read.items() if stored.get(message) != text)


def _tell(figure: Figure, run: Run, bare: Run) -> None:
    about: dict[str, Any] = {
        "scenario": run.scenario.name,
        "questions": run.scenario.questions * run.scenario.rounds,
        "tokens each": run.scenario.tokens,
        "tokens a second": RATE,
        "chunks": LIBRARIES * CHUNKS,
        "readable": READABLE * CHUNKS,
        "libraries": LIBRARIES,
        "whole": len(run.answers) - len(run.broken),
        "until the model was asked, ms": _spread(run.asked),
        "first token, ms": _spread(run.first),
        "floor's first token, ms": _spread(bare.first),
        "tokens a second got": _spread(run.rates),
        "floor's tokens a second got": _spread(bare.rates),
        "cpu seconds": rounded(run.cpu),
        "floor's cpu seconds": rounded(bare.cpu),
    }
    tell(replace(figure, lost=run.lost), **about)


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return rounded({"min": min(values), "p50": median(values), "p95": percentile(values, 95), "max": max(values)}, 1)


if __name__ == "__main__":
    main()
