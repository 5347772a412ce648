"""Whether sources say what a sentence says: read by rules, then by the closeness of meaning.

By rules, without any model: how much of the sentence's weight in words its source carries, and whether its numbers,
dates, names and denials stand there too, or others in their places. An embedding model adds the cosine between the
sentence and what it rests on, for what is said in other words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from documents.rag.alignment import ENOUGH, Alignment, Source
from documents.rag.claims import Statement, statements
from documents.rag.details import Kind, Token, stated, tokens
from documents.rag.differences import change
from documents.rag.errors import FootnoteError
from documents.rag.judging import MOST, judged
from documents.rag.types import LLM, Claim, EmbeddingModel, Verdict

SUPPORTED_FROM = 0.45
PARTLY_FROM = 0.2
"""Support from which a sentence is supported, and from which it is so in part (docs/benchmarks.md)."""

_ALIKE_FROM = 0.5
"""Share of a sentence that its source must carry before what else it says can contradict it."""

_ABSENT = {Kind.NUMBER: 0.3, Kind.DATE: 0.3, Kind.NAME: 0.6}
_ELSEWHERE = {Kind.NUMBER: 0.75, Kind.DATE: 0.75, Kind.NAME: 0.85}
_CONTRADICTED = 0.35
"""What is left of support for each detail that the source doesn't have, has elsewhere, or has otherwise."""

_MOST_DETAILS = 3

_MOST_READ = 64
"""Statements of an answer whose meaning is looked at: each takes some hundredths of a second."""

GRAVEST_FIRST = (Verdict.CONTRADICTED, Verdict.UNSUPPORTED, Verdict.PARTLY, Verdict.SUPPORTED)


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer's statements in order, and the verdict on each of its citations, by number."""

    claims: Sequence[Claim]
    verdicts: Mapping[int, Verdict]
    notice: str = ""


class Verifier:
    """Checks what an answer states against what it cites, sentence by sentence.

    By rules; with an embedding model what they find too little of by meaning; and what is doubted then by an LLM, where
    there is one.
    """

    def __init__(self, embedding_model: EmbeddingModel | None = None, llm: LLM | None = None) -> None:
        self._embedding_model = embedding_model
        self._llm = llm

    async def verify(self, answer: str, cited: Mapping[int, Source]) -> Checked:
        """`cited` are the sources of the answer's citations by their numbers."""
        found = statements(answer)
        rests, claims = await asyncio.to_thread(_by_rules, found, cited)
        claims = await self._by_meaning(found, rests, claims)
        notice = ""
        if self._llm:
            try:
                claims = await _judged(claims, rests, self._llm)
            except FootnoteError as error:
                notice = f"{error} What the rules doubt was not judged by it."
        return Checked(claims, await asyncio.to_thread(_of_citations, claims, cited), notice)

    async def _by_meaning(
        self, found: Sequence[Statement], rests: Sequence[Rest], claims: Sequence[Claim]
    ) -> list[Claim]:
        """Those that the rules find too little of, by how near they are in meaning to what they rest on."""
        model = self._embedding_model
        if model is None:
            return list(claims)
        doubted = [at for at, claim in enumerate(claims) if in_other_words(claim.verdict, claim.reason)]
        known = [at for at in doubted if rests[at].window and model.understands(found[at].text) == 1][:_MOST_READ]
        texts = [text for at in known for text in (found[at].text, rests[at].window)]
        try:
            vectors = await model.embed(texts, query=True) if texts else np.empty((0, 1), np.float32)
        except FootnoteError:
            return list(claims)
        near = dict(zip(known, np.sum(vectors[0::2] * vectors[1::2], axis=1).tolist(), strict=True))
        return [_claim(found[at], rests[at], near[at]) if at in near else claim for at, claim in enumerate(claims)]


def _by_rules(found: Sequence[Statement], cited: Mapping[int, Source]) -> tuple[list[Rest], list[Claim]]:
    rests = [rest(one.text, [cited[number] for number in one.numbers if number in cited]) for one in found]
    return rests, [_claim(one, each) for one, each in zip(found, rests, strict=True)]


def in_other_words(verdict: Verdict, reason: str) -> bool:
    """Whether the rules find too little of a statement, and no fault with it: it may be said in other words."""
    return verdict in (Verdict.PARTLY, Verdict.UNSUPPORTED) and not reason


def _claim(statement: Statement, resting: Rest, cosine: float | None = None) -> Claim:
    place = statement.start, statement.end, statement.text
    if not resting.whole:
        return Claim(*place, (), Verdict.UNCITED)
    reading = read(statement.text, resting, cosine)
    return Claim(*place, statement.numbers, reading.verdict, reading.reason, reading.doubt)


async def _judged(claims: Sequence[Claim], rests: Sequence[Rest], llm: LLM) -> list[Claim]:
    """Those that are doubted, as the model sees them. What it finds no fault with has no reason any more."""
    doubted = [at for at, claim in enumerate(claims) if claim.verdict not in (Verdict.SUPPORTED, Verdict.UNCITED)]
    pairs = [(claims[at].text, rests[at].window) for at in doubted[:MOST]]
    verdicts = dict(zip(doubted, await judged(pairs, llm) if pairs else (), strict=False))
    return [_revised(claim, verdicts.get(at)) for at, claim in enumerate(claims)]


def _revised(claim: Claim, verdict: Verdict | None) -> Claim:
    if verdict is None or verdict is claim.verdict:
        return claim
    return replace(claim, verdict=verdict, reason="", doubt="")


def _of_citations(claims: Sequence[Claim], cited: Mapping[int, Source]) -> dict[int, Verdict]:
    """For each citation the gravest verdict on what is said with it; one of several that carries none of it supports
    nothing."""
    verdicts: dict[int, Verdict] = {}
    for claim in claims:
        for number in claim.numbers:
            told = (verdicts.get(number), _alone(claim, cited.get(number)))
            verdicts[number] = next(each for each in GRAVEST_FIRST if each in told)
    return verdicts


def _alone(claim: Claim, source: Source | None) -> Verdict:
    carries_some = source is None or len(claim.numbers) == 1 or source.align(claim.text).share >= ENOUGH
    return claim.verdict if carries_some else Verdict.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class Reading:
    """How a sentence reads against its sources: `support` from 0 to 1, and why it is no more.

    `doubt` are the words of the sentence that are doubted.
    """

    support: float
    verdict: Verdict
    reason: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """What of its sources a sentence rests on, all that they say, and the alignment with both."""

    window: str
    whole: str
    alignment: Alignment


def rest(claim: str, sources: Sequence[Source]) -> Rest:
    """The stretches of the sources that carry a sentence together."""
    found = [(source, source.align(claim)) for source in sources]
    if not found:
        return Rest("", "", Alignment())
    found.sort(key=lambda each: each[1].share, reverse=True)
    windows = [source.text[one.start : one.end] for source, one in found]
    (best, alignment), *others = found
    if others:
        alignment = best.align(claim, known=" ".join((*windows[1:], *(other.context for other, _ in others))))
    whole = "\n\n".join(f"{source.context}\n{source.text}" for source, _ in found)
    return Rest("\n\n".join(windows), whole, alignment)


def read(claim: str, resting: Rest, cosine: float | None = None) -> Reading:
    """A sentence against what it rests on. Where the cosine isn't known, the words stand for it."""
    share, whole = resting.alignment.share, resting.alignment.whole
    meaning = share if cosine is None else max(cosine, 0.0)
    said, there, anywhere = stated(claim), tokens(resting.window), tokens(resting.whole)
    differs = change(claim, resting.window) if share >= _ALIKE_FROM else None
    absent, elsewhere = _missing(said, there, anywhere)
    support = 0.5 * share + 0.2 * whole + 0.3 * meaning
    for token in absent:
        support *= _ABSENT[token.kind]
    for token in elsewhere:
        support *= _ELSEWHERE[token.kind]
    if differs:
        verdict = Verdict.CONTRADICTED if differs.sure else Verdict.PARTLY
        return Reading(support * _CONTRADICTED, verdict, f"the source says “{differs.instead}”", differs.said)
    if support < PARTLY_FROM and share + whole < 2 * _ALIKE_FROM:
        return Reading(support, Verdict.UNSUPPORTED)
    if absent:
        words = claim[absent[0].start : absent[0].end]
        return Reading(support, Verdict.PARTLY, f"the source doesn’t say “{words}”", words)
    return Reading(support, Verdict.SUPPORTED if support >= SUPPORTED_FROM else Verdict.PARTLY)


def _missing(
    said: Sequence[Token], there: Sequence[Token], anywhere: Sequence[Token]
) -> tuple[list[Token], list[Token]]:
    """The sentence's details that its sources don't have at all, and those that they have elsewhere."""
    near, far = {token.key for token in there}, {token.key for token in anywhere}
    details = {token.key: token for token in said if token.kind in _ABSENT}.values()
    absent = [token for token in details if token.key not in far]
    elsewhere = [token for token in details if token.key in far - near]
    return absent[:_MOST_DETAILS], elsewhere[:_MOST_DETAILS]
