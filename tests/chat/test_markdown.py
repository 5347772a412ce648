from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.markdown import BlockReader, render, render_block
from chat.marking import Mark

PIECES = st.sampled_from(
    [
        *(
            "a",
            "word ",
            "\n",
            "\n\n",
            "\n\n\n",
            "- ",
            "* ",
            "1. ",
            "2) ",
            "> ",
            "    ",
            "  ",
            "# ",
            "---",
            "===",
            "```",
        ),
        *(
            "~~~",
            "`",
            "**",
            "_",
            "[1]",
            "[2]",
            "](http://a.b)",
            "| a | b |\n",
            "|--:|:-:|\n",
            "\\",
            "<b>",
            "&amp;",
            "!",
        ),
        *("\t", "é🙂"),
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def written_live(text: str, cuts: list[int]) -> str:
    reader = BlockReader()
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(places)]
    blocks = [block for piece in pieces for block in reader.feed(piece)] + reader.finish()
    return "".join(render_block(block, {1}) for block in blocks)


@given(TEXTS, st.lists(st.integers(min_value=0), max_size=40))
def test_what_is_shown_live_is_what_a_reload_shows(text: str, cuts: list[int]) -> None:
    assert written_live(text, cuts) == render(text, {1})


@given(TEXTS)
def test_no_character_is_lost_between_blocks_and_tail(text: str) -> None:
    reader = BlockReader()
    blocks = [block for character in text for block in reader.feed(character)]
    assert "".join(blocks) + reader.tail == text


def test_a_paragraph_is_closed_by_the_empty_line_after_it() -> None:
    reader = BlockReader()
    assert reader.feed("One.\n") == []
    assert reader.feed("\nTwo") == ["One.\n\n"]
    assert reader.tail == "Two"


def test_only_known_citations_become_links_and_never_in_code() -> None:
    html = render("Paid leave [1], perhaps [7]. `[1]`\n\n```\n[1]\n```", {1})
    assert html.count('class="cite"') == 1
    assert "[7]" in html
    assert html.count("[1]") == 2


@pytest.mark.parametrize("text", ["[see [1]](https://example.org)", "[**[1]**](https://example.org)"])
def test_a_link_never_stands_inside_a_link(text: str) -> None:
    assert render(text, {1}).count("<a") == 1


@pytest.mark.parametrize(
    "link", ["[x](javascript:alert(1))", "[x](/account/logout/)", "[x](#main)", "[x](data:text/html,a)"]
)
def test_a_link_that_does_not_lead_outward_stays_text(link: str) -> None:
    assert "<a" not in render(link)


def test_an_outward_link_carries_no_trust() -> None:
    assert 'rel="noopener nofollow noreferrer"' in render("[x](https://example.org)")


def test_an_image_is_shown_as_its_words() -> None:
    assert render("![the <chart>](https://example.org/x.png)") == "<p>the &lt;chart&gt;</p>\n"


def test_html_is_shown_as_text() -> None:
    assert "<script" not in render("<script>alert(1)</script>\n\n<b onclick=x>a</b>")


def test_a_table_is_aligned_by_class() -> None:
    html = render("| a | b |\n|--:|---|\n| 1 | 2 |")
    assert '<td class="right">1</td>' in html
    assert "style=" not in html


def test_code_is_coloured_by_classes() -> None:
    assert '<span class="k">def</span>' in render("```python\ndef f(): pass\n```")


def test_a_reference_definition_stays_text() -> None:
    assert render("[1]: https://example.org", {1}).startswith("<p><a")


@pytest.mark.parametrize("text", ["[" * 50_000, "![" * 50_000, "> " * 50_000, "*a_" * 50_000, "- a\n" * 5_000])
def test_a_hostile_text_is_rendered_too(text: str) -> None:
    assert render(text)


def test_footnotes_stand_behind_the_punctuation() -> None:
    assert re.sub("<a[^>]*>|</a>", "|", render("Two weeks[1][2]. None[1], he says[3]\n", {1, 2, 3})) == (
        "<p>Two weeks.|1||2| None,|1| he says|3|</p>\n"
    )
    assert "[1][9]." in render("Two weeks[1][9].", {1})


# --- What is doubted --------------------------------------------------------------------------


def marked(text: str, *marks: Mark) -> str:
    return render(text, {1}, marks)


def test_a_doubted_sentence_is_marked_and_so_are_its_doubted_words() -> None:
    doubted = Mark("The fee is 6,000 euros.", "contradicted", "Contradicted: the source says “5,000”", "6,000")
    html = marked("We **asked**. The fee is **6,000** euros [1]. Pay it.", doubted)
    claim = '<span class="claim" data-verdict="contradicted" title="Contradicted: the source says “5,000”">'
    assert f"{claim}The fee is </span><strong>{claim.replace('claim', 'doubt', 1)}6,000</span></strong>" in html
    assert html.startswith("<p>We <strong>asked</strong>. <span")
    assert html.endswith("</a> Pay it.</p>\n")


def test_a_sentence_is_marked_through_code_and_in_lists_and_tables() -> None:
    doubted = Mark("Set KEY to 5", "uncited", "Uncited")
    for text in ("Set `KEY` to 5", "- Set `KEY`\n  to 5", "| a |\n|---|\n| Set `KEY` to 5 |"):
        assert re.search(
            r'<code><span class="claim"[^>]*>KEY</span></code>|<span class="claim"[^>]*><code>', marked(text, doubted)
        )


def test_a_row_of_a_table_is_marked_in_all_of_its_cells_and_no_other() -> None:
    table = "| Room | Seats |\n|---|---|\n| Blue | 5 |\n| Red | 5 |\n"
    html = marked(table, Mark("Red | 5", "contradicted", "Contradicted", "5"))
    assert html.count('<span class="claim"') == html.count('<span class="doubt"') == 1
    assert "<td>Blue</td>" in html
    assert re.search(r'<td><span class="claim"[^>]*>Red</span></td>\s*<td><span class="doubt"[^>]*>5</span></td>', html)


@given(TEXTS, st.lists(st.builds(Mark, TEXTS, st.just("partly"), st.just("Partly supported"), TEXTS), max_size=3))
def test_marks_change_nothing_but_that_there_are_spans(text: str, marks: list[Mark]) -> None:
    spans = re.compile(r'<span class="(?:claim|doubt)"[^>]*>([^<]*(?:<code>[^<]*</code>)?[^<]*)</span>')
    html = marked(text, *marks)
    while (bare := spans.sub(r"\1", html)) != html:
        html = bare
    assert html == render(text, {1})
