from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.rag.alignment import Source
from documents.rag.claims import statements
from documents.rag.errors import ModelUnavailable
from documents.rag.types import Claim, Passage, Span, Verdict
from documents.rag.verification import Verifier
from tests.fakes import FakeEmbedding, FakeLLM

POLICY = (
    "Trips of more than 5,000 euros need the approval of the finance director. Hotel rooms may cost 140 euros a night. "
    "Receipts are handed in within 30 days. Taxis are not reimbursed before 6 in the morning. "
    "The policy was written by Maria Keller on 12 March 2021."
)
CANTEEN = "The canteen opens at noon. All dishes are vegetarian, and some of them are vegan."


def source(text: str, title: str = "policy.md") -> Source:
    return Source(Passage(1, text, (Span(1, 0, len(text)),), 10, 1.0, {"source": title, "title": title}))


async def claims_of(answer: str, *texts: str, verifier: Verifier | None = None) -> list[Claim]:
    cited = {number: source(text) for number, text in enumerate(texts or (POLICY,), 1)}
    return list((await (verifier or Verifier()).verify(answer, cited)).claims)


@pytest.mark.parametrize(
    "statement",
    [
        "Trips of more than 5000 euros need the finance director's approval",
        "The finance director approves trips over 5,000 euros",
        "Hotel rooms may cost 140 € a night",
        "Taxis aren't reimbursed before six in the morning",
        "Maria Keller wrote the policy on March 12, 2021",
        "Receipts must be handed in within thirty days",
        "Maria Keller wrote the policy on 2021-03-12",
        "Maria Keller wrote the policy on 12.3.2021",
    ],
)
async def test_what_the_source_says_in_other_words_is_supported(statement: str) -> None:
    (claim,) = await claims_of(f"{statement} [1].")
    assert (claim.verdict, claim.reason) == (Verdict.SUPPORTED, "")


@pytest.mark.parametrize(
    ("statement", "doubt", "instead"),
    [
        ("Trips of more than 6,000 euros need the approval of the finance director", "6,000", "5,000"),
        ("Hotel rooms may cost 140 dollars a night", "dollars", "euros"),
        ("Taxis are reimbursed before 6 in the morning", "are reimbursed", "are not reimbursed"),
        ("Hotel rooms may not cost 140 euros a night", "may not cost", "may cost"),
        ("The policy was written by Anna Keller on 12 March 2021", "Anna", "Maria"),
        ("The policy was written by Maria Keller on 12 May 2021", "May", "March"),
        ("Trips of less than 5,000 euros need the approval of the finance director", "less", "more"),
    ],
)
async def test_what_the_source_says_otherwise_is_contradicted(statement: str, doubt: str, instead: str) -> None:
    (claim,) = await claims_of(f"{statement} [1].")
    assert (claim.verdict, claim.doubt) == (Verdict.CONTRADICTED, doubt)
    assert claim.reason == f"the source says “{instead}”"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("Revenue fell by 12 % in 2022", "Revenue grew by 12% in 2022, and costs fell."),
        ("To share credentials is allowed", "To share credentials is prohibited."),
        ("Die Probezeit beträgt drei Monate", "Die Probezeit beträgt sechs Monate."),
        ("Der Urlaub muss bis zum 30. April genommen werden", "Der Urlaub muss bis zum 30. März genommen werden."),
    ],
)
async def test_opposites_and_german_are_known(statement: str, said: str) -> None:
    assert [claim.verdict for claim in await claims_of(f"{statement} [1].", said)] == [Verdict.CONTRADICTED]


async def test_numbers_in_words_are_those_in_figures() -> None:
    text = "Everyone has 25 days of leave, and thirty-two after ten years."
    right, wrong = await claims_of(
        "Everyone has twenty-five days of leave [1]. Everyone has twenty-six days of leave [1].", text
    )
    assert right.verdict is Verdict.SUPPORTED
    assert wrong.verdict is not Verdict.SUPPORTED


async def test_a_detail_that_the_source_does_not_have_is_named() -> None:
    (claim,) = await claims_of("Trips over 5,000 euros need the director's approval, which takes 9 weeks [1].")
    assert (claim.verdict, claim.doubt, claim.reason) == (Verdict.PARTLY, "9", "the source doesn’t say “9”")


async def test_what_the_source_does_not_say_is_unsupported_and_without_a_source_uncited() -> None:
    answer = "The moon circles our planet in a month [1]. Bread is baked from flour and water."
    assert [claim.verdict for claim in await claims_of(answer)] == [Verdict.UNSUPPORTED, Verdict.UNCITED]


async def test_two_sources_support_together_what_neither_says_alone() -> None:
    answer = "Receipts are handed in within 30 days, and the canteen opens at noon [1][2]."
    checked = await Verifier().verify(answer, {1: source(POLICY), 2: source(CANTEEN)})
    assert checked.claims[0].verdict is Verdict.SUPPORTED
    assert checked.verdicts == {1: Verdict.SUPPORTED, 2: Verdict.SUPPORTED}


async def test_a_citation_that_says_nothing_of_it_supports_nothing_beside_one_that_does() -> None:
    checked = await Verifier().verify("The canteen opens at noon [1][2].", {1: source(POLICY), 2: source(CANTEEN)})
    assert checked.verdicts == {1: Verdict.UNSUPPORTED, 2: Verdict.SUPPORTED}


async def test_a_citation_has_the_gravest_verdict_on_what_is_said_with_it() -> None:
    answer = "The canteen opens at noon [1]. No dishes are vegetarian [1]."
    checked = await Verifier().verify(answer, {1: source(CANTEEN)})
    assert [claim.verdict for claim in checked.claims] == [Verdict.SUPPORTED, Verdict.CONTRADICTED]
    assert checked.verdicts == {1: Verdict.CONTRADICTED}


async def test_an_embedding_model_tells_what_is_said_in_other_words() -> None:
    class Alike(FakeEmbedding):
        def _vector(self, text: str):  # type: ignore[no-untyped-def]
            return super()._vector("the same")

    answer = "Food is to be had from midday on [1]."
    assert (await claims_of(answer, CANTEEN))[0].verdict is Verdict.UNSUPPORTED
    (claim,) = await claims_of(answer, CANTEEN, verifier=Verifier(Alike()))
    assert claim.verdict is Verdict.PARTLY


async def test_an_embedding_model_that_fails_leaves_it_to_the_rules() -> None:
    model = FakeEmbedding()
    model.errors.append(ModelUnavailable("The model is away."))
    assert (await claims_of("The canteen opens at noon [1].", CANTEEN, verifier=Verifier(model)))[
        0
    ].verdict == "supported"


# --- A chat model's judgement -----------------------------------------------------------------


async def test_a_chat_model_judges_what_the_rules_doubt_and_no_more() -> None:
    llm = FakeLLM(["supported\n", "2. Contradicted."])
    answer = "The canteen opens at noon [1]. Food is to be had on Mars [1]. Nobody there eats fish from rivers [1]."
    claims = await claims_of(answer, CANTEEN, verifier=Verifier(llm=llm))
    assert [claim.verdict for claim in claims] == ["supported", "supported", "contradicted"]
    asked = llm.history[0][0]["content"]
    assert "Statement 1: Food is to be had on Mars." in asked
    assert "opens at noon." not in asked.partition("Statement 1")[0]


async def test_nothing_doubted_is_nothing_asked() -> None:
    llm = FakeLLM()
    await claims_of("The canteen opens at noon [1].", CANTEEN, verifier=Verifier(llm=llm))
    assert not llm.history


@pytest.mark.parametrize("reply", ["I don't know", "supported\nsupported\nsupported", ""])
async def test_a_judgement_of_no_use_leaves_the_rules_theirs(reply: str) -> None:
    llm = FakeLLM([reply])
    (claim,) = await claims_of("Food is to be had on Mars [1].", CANTEEN, verifier=Verifier(llm=llm))
    assert claim.verdict is Verdict.UNSUPPORTED


async def test_a_judge_that_is_away_is_told() -> None:
    llm = FakeLLM([ModelUnavailable("The model is away.")])
    checked = await Verifier(llm=llm).verify("Food is to be had on Mars [1].", {1: source(CANTEEN)})
    assert "The model is away." in checked.notice
    assert checked.claims[0].verdict is Verdict.UNSUPPORTED


# --- What an answer states --------------------------------------------------------------------


def test_statements_are_found_with_their_places_and_their_footnotes() -> None:
    answer = "# A\n\nOpen **at noon**.[1] All are vegetarian [2][3], and good.\n\n- Some dishes are vegan, none raw\n"
    found = statements(answer)
    assert [(one.text, one.numbers) for one in found] == [
        ("Open at noon.", (1,)),
        ("All are vegetarian, and good.", (2, 3)),
        ("Some dishes are vegan, none raw", ()),
    ]
    assert answer[found[1].start : found[1].end] == "All are vegetarian [2][3], and good."


@pytest.mark.parametrize(
    "answer",
    [
        "Does the canteen open at noon on all days?",
        "The canteen opens at these times of day:",
        "I could not find this in the documents.",
        "Yes.",
        "```\nthe canteen opens at noon\n```",
        "|---|---|",
        "| 17 | 2 |",
        "1.",
    ],
)
def test_what_states_nothing_is_not_checked(answer: str) -> None:
    assert statements(answer) == []


def test_each_row_of_a_table_is_a_statement() -> None:
    found = statements("| Day | Dish |\n|---|---|\n| Monday | lentil soup [1] |\n| Tuesday | potato salad [2] |\n")
    assert [one.numbers for one in found] == [(1,), (2,)]


@pytest.mark.parametrize("part", ["[", "[1,", "![a](", "**", "- x\n", "a. "])
def test_a_very_long_text_of_anything_is_read_in_a_moment(part: str) -> None:
    """It took minutes where it took longer than twice as long for twice as much."""
    assert len(statements(part * (300_000 // len(part)))) < 300_000


@given(st.text(alphabet="ab A.!\n[1]`*|#-_“”", max_size=200))
def test_statements_stand_where_they_are_said_to_in_order(answer: str) -> None:
    places = [(one.start, one.end) for one in statements(answer)]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(answer) for start, end in places)
