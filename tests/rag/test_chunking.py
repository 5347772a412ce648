"""Documents are cut into chunks of so many tokens, along their structure, with nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.rag.chunking import InvalidChunkSize, chunk_document
from documents.rag.tokens import count_tokens
from documents.rag.types import PAGE_BREAK, Block, BlockKind, Chunk, Page, Span

TEXT = st.text(
    st.one_of(
        st.sampled_from(" \n.aé9'字한🙂\u200d\u0301\u00a0\x1c-"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=400,
)
SIZES = st.integers(8, 60).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


def sentences(count: int) -> str:
    return " ".join(f"Sentence number {number} says something about the quiet harbour town." for number in range(count))


def page(*parts: tuple[BlockKind, str, tuple[str, ...]], number: int = 1) -> Page:
    """A page of blocks with an empty line between them."""
    text, blocks = "", []
    for kind, part, path in parts:
        text += "\n\n" if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(part), path, int(kind is BlockKind.HEADING)))
        text += part
    return Page(number, text, tuple(blocks))


def section(name: str, count: int) -> list[tuple[BlockKind, str, tuple[str, ...]]]:
    return [(BlockKind.HEADING, name, (name,)), (BlockKind.PARAGRAPH, sentences(count), (name,))]


def shared_by(one: Chunk, other: Chunk) -> str:
    """The text that both chunks of a one-page document hold."""
    return one.text[other.spans[0].start - one.spans[0].start :]


def check_places(chunks: Sequence[Chunk], pages: Sequence[Page], size: int) -> None:
    texts = {page.number: page.text for page in pages}
    seen: dict[int, set[int]] = {number: set() for number in texts}
    for position, chunk in enumerate(chunks):
        assert chunk.text == PAGE_BREAK.join(texts[span.page][span.start : span.end] for span in chunk.spans)
        assert chunk.text == chunk.text.strip() != ""
        assert chunk.tokens == count_tokens(chunk.text) <= size
        assert chunk.metadata["chunk_id"] == position
        for span in chunk.spans:
            seen[span.page].update(range(span.start, span.end))
    lost = [
        (n, i) for n, text in texts.items() for i, char in enumerate(text) if not char.isspace() and i not in seen[n]
    ]
    assert not lost


def test_a_short_text_is_one_chunk() -> None:
    (chunk,) = chunk_document("The harbour opens at six.", metadata={"source": "harbour.txt"})
    assert chunk == Chunk(
        "The harbour opens at six.", (Span(1, 0, 25),), 6, {"source": "harbour.txt", "chunk_id": 0}, ()
    )


@pytest.mark.parametrize("document", ["", " \n\t ", [], [Page(1, "")]])
def test_a_document_without_text_has_no_chunks(document: str | list[Page]) -> None:
    assert chunk_document(document) == []


def test_chunks_are_counted_on_from_the_position_that_is_given() -> None:
    chunks = chunk_document(sentences(100), 128, 10, {"source": "a", "chunk_id": 7, "title": "Town"})
    assert [chunk.metadata["chunk_id"] for chunk in chunks] == list(range(7, 7 + len(chunks)))
    assert {(chunk.metadata["source"], chunk.metadata["title"]) for chunk in chunks} == {("a", "Town")}


def test_running_text_shares_about_fifty_tokens_from_chunk_to_chunk() -> None:
    chunks = chunk_document(sentences(400))
    assert len(chunks) > 8
    for one, other in pairwise(chunks):
        assert other.text.startswith(shared_by(one, other))
        assert 44 <= count_tokens(shared_by(one, other)) <= 56
    assert all(480 <= chunk.tokens <= 512 for chunk in chunks[:-1])


def test_running_text_is_cut_at_the_end_of_a_sentence() -> None:
    assert all(chunk.text.endswith("town.") for chunk in chunk_document(sentences(400)))


def test_the_overlap_begins_with_a_word() -> None:
    text = sentences(400)
    assert all(text[chunk.spans[0].start - 1] == " " for chunk in chunk_document(text)[1:])


def test_without_overlap_no_character_is_in_two_chunks() -> None:
    chunks = chunk_document(sentences(400), 256, 0)
    assert all(one.spans[0].end < other.spans[0].start for one, other in pairwise(chunks))


def test_a_heading_begins_a_chunk_when_the_one_before_is_half_full() -> None:
    chunks = chunk_document([page(*section("Boats", 30), *section("Nets", 30))])
    assert [chunk.text.split("\n")[0] for chunk in chunks] == ["Boats", "Nets"]
    assert [chunk.heading_path for chunk in chunks] == [("Boats",), ("Nets",)]


def test_small_sections_are_merged_under_their_common_headings() -> None:
    parts = [(kind, text, ("Town", *path)) for name in "ABC" for kind, text, path in section(name, 3)]
    (chunk,) = chunk_document([page(*parts)])
    assert chunk.heading_path == ("Town",)


@pytest.mark.parametrize("before", range(20, 40))
def test_a_heading_is_never_left_alone_at_the_end_of_a_chunk(before: int) -> None:
    chunks = chunk_document([page(*section("Boats", before), *section("Nets", 60))])
    assert not any(chunk.text.endswith("Nets") for chunk in chunks)


def test_headings_that_follow_one_another_stay_together() -> None:
    parts = section("Boats", 30)
    parts += [(BlockKind.HEADING, "Gear", ("Gear",)), (BlockKind.HEADING, "Nets", ("Gear", "Nets"))]
    parts += [(BlockKind.PARAGRAPH, sentences(30), ("Gear", "Nets"))]
    chunks = chunk_document([page(*parts)])
    assert chunks[1].text.startswith("Gear\n\nNets\n\nSentence")


@pytest.mark.parametrize("kind", [BlockKind.TABLE, BlockKind.CODE])
def test_tables_and_code_are_cut_at_the_ends_of_lines(kind: BlockKind) -> None:
    rows = [f"| boat {number} | built in. The yard | {number * 37} |" for number in range(200)]
    chunks = chunk_document([page((kind, "\n".join(rows), ()))], 128, 0)
    assert len(chunks) > 10
    assert {line for chunk in chunks for line in chunk.text.split("\n")} == set(rows)


def test_a_chunk_may_hold_several_pages() -> None:
    pages = [page((BlockKind.PARAGRAPH, f"Page {number}.", ()), number=number) for number in (3, 4, 5)]
    (chunk,) = chunk_document([pages[0], Page(9, "  "), *pages[1:]])
    assert chunk.text == "Page 3.\n\nPage 4.\n\nPage 5."
    assert chunk.spans == (Span(3, 0, 7), Span(4, 0, 7), Span(5, 0, 7))


@pytest.mark.parametrize("filler", ["a", "字", "-", "7", "🙂", "e\u0301"])
def test_a_long_run_without_spaces_is_cut_all_the_same(filler: str) -> None:
    text = filler * 20_000
    check_places(chunk_document(text), [Page(1, text)], 512)


@pytest.mark.parametrize("space", [" ", "\n", "\u00a0", " \n"])
def test_a_million_spaces_do_no_harm(space: str) -> None:
    text = f"before{space * 1_000_000}after"
    assert [chunk.text for chunk in chunk_document(text)] == ["before", "after"]


def test_what_looks_like_a_special_token_is_text() -> None:
    (chunk,) = chunk_document("<|endoftext|> is written so.")
    assert chunk.text == "<|endoftext|> is written so."


def test_characters_that_cannot_be_stored_are_replaced_in_place() -> None:
    (chunk,) = chunk_document("a\0b\ud800c")
    assert chunk.text == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (7, 0), (512, 512), (512, -1), (64, 100)])
def test_an_impossible_size_is_refused_with_a_sentence(size: int, overlap: int) -> None:
    with pytest.raises(InvalidChunkSize, match=f"A chunk size of {size} with an overlap of {overlap} tokens"):
        chunk_document("text", size, overlap)


@given(TEXT, SIZES)
@settings(deadline=None, max_examples=300)
def test_of_any_text_nothing_is_lost_and_every_place_is_right(text: str, sizes: tuple[int, int]) -> None:
    size, overlap = sizes
    check_places(chunk_document(text, size, overlap), [Page(1, text)], size)


@given(st.lists(st.lists(st.tuples(st.sampled_from(BlockKind), TEXT), max_size=6), max_size=4), SIZES)
@settings(deadline=None, max_examples=200)
def test_of_any_pages_nothing_is_lost_and_every_place_is_right(
    drawn: list[list[tuple[BlockKind, str]]], sizes: tuple[int, int]
) -> None:
    size, overlap = sizes
    pages = [page(*((kind, text, ()) for kind, text in parts), number=n) for n, parts in enumerate(drawn, 1)]
    check_places(chunk_document(pages, size, overlap), pages, size)
