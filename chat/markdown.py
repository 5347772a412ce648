"""An answer's Markdown as HTML, block by block while it is being written.

A block is a top-level one (a paragraph, a list, a table, …). Each is rendered alone, so that what was shown live and
what a reload shows are the same by construction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from html import escape
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from chat.marking import Mark, mark

_LONGEST_BLOCK = 20_000
"""Characters from which a block is shown as it was written: parsers take long over nesting nobody meant."""

_ONGOING = frozenset({"bullet_list_open", "ordered_list_open", "code_block"})
"""Blocks that may go on after an empty line."""


class BlockReader:
    """Cuts Markdown that arrives in pieces into its blocks; `tail` is what of it is still open."""

    def __init__(self) -> None:
        self.tail = ""
        self._looked_at = 0

    def feed(self, piece: str) -> list[str]:
        """The blocks that this piece brought to an end, as Markdown."""
        self.tail += piece
        if "\n" not in piece or len(self.tail) - self._looked_at < len(self.tail) // 8:
            return []
        *blocks, self.tail = _cut(self.tail)
        self._looked_at = len(self.tail)
        return blocks

    def finish(self) -> list[str]:
        """The blocks that were still open."""
        *blocks, rest = _cut(self.tail)
        self.tail = ""
        return [block for block in (*blocks, rest) if block.strip()]


def render(text: str, known: Collection[int] = (), marks: Sequence[Mark] = ()) -> str:
    """A whole answer as HTML; markers [n] of the `known` citations become links to their notes."""
    return "".join(render_block(block, known, marks) for block in blocks(text))


def blocks(text: str) -> list[str]:
    """A whole answer's blocks, as Markdown."""
    reader = BlockReader()
    return [*reader.feed(text), *reader.finish()]


def render_block(block: str, known: Collection[int] = (), marks: Sequence[Mark] = ()) -> str:
    """One block as HTML that is safe to show."""
    if len(block) > _LONGEST_BLOCK:
        return f"<pre>{escape(block.strip())}</pre>\n"
    return _cleaner.clean(_markdown.render(block, {"known": known, "marks": marks}))


def parse_block(block: str, known: Collection[int] = (), marks: Sequence[Mark] = ()) -> list[Token]:
    """One block as what `render_block` makes HTML of."""
    if len(block) > _LONGEST_BLOCK:
        return [Token("code_block", "code", 0, content=block, map=[0, block.count("\n") + 1])]
    return _markdown.parse(block, {"known": known, "marks": marks})


# --- Where blocks end -------------------------------------------------------------------------


def _cut(text: str) -> list[str]:
    """The blocks that nothing after them can change, then the rest of the text."""
    whole, newline, started = text.rpartition("\n")
    lines = (whole + newline).split("\n")[:-1]
    tokens = [token for token in _blocks.parse(whole + newline) if token.level == 0 and token.nesting >= 0]
    starts = [token.map[0] for token in tokens if token.map]
    if tokens and _is_closed(tokens[-1], lines):
        starts.append(len(lines))
    bounds = [0, *starts[1:]]
    blocks = ["\n".join(lines[start:end]) + "\n" for start, end in pairwise(bounds)]
    rest = "".join(f"{line}\n" for line in lines[bounds[-1] :])
    return [*blocks, rest + started]


def _is_closed(token: Token, lines: Sequence[str]) -> bool:
    if token.type in ("heading_open", "hr"):
        return True
    end = token.map[1] if token.map else 0
    return token.type not in _ONGOING and end < len(lines) and not lines[-1].strip()


# --- From Markdown to HTML --------------------------------------------------------------------

_CITATIONS = re.compile(r"((?:\[\d{1,3}\](?!\())+)([.,;:!?…]?)")


def _citations(state: StateInline, silent: bool) -> bool:
    """A run of markers; the punctuation behind it goes before it, to the word it belongs to."""
    found = _CITATIONS.match(state.src, state.pos)
    numbers = re.findall(r"\d+", found[1]) if found and not state.linkLevel else []
    if not found or not numbers or not {int(number) for number in numbers} <= set(state.env.get("known", ())):
        return False
    punctuation = found[2] if state.src[: state.pos].rstrip() else ""
    if not silent:
        state.pending += punctuation
        for number in numbers:
            state.push("citation", "a", 0).content = number
    state.pos = found.end(1) + len(punctuation)
    return True


def _render_citation(_: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    number = tokens[index].content
    return f'<a class="cite" href="#note-{number}" data-n="{number}" aria-label="Footnote {number}">{number}</a>'


def _render_image(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Its words only: fetching it would tell another server what was asked."""
    return escape(renderer.renderInlineAsText(tokens[index].children, options, env))


def _render_cell(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    style = str(tokens[index].attrs.pop("style", ""))
    if style:
        tokens[index].attrs["class"] = style.removeprefix("text-align:")
    return renderer.renderToken(tokens, index, options, env)


def _highlighted(code: str, language: str, _: str) -> str:
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _is_outward(url: str) -> bool:
    return bool(re.match(r"(?:https?://|mailto:)", url, re.IGNORECASE))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "highlight": _highlighted})
    parser.enable(["table", "strikethrough"]).disable("reference")
    parser.validateLink = _is_outward  # type: ignore[method-assign]
    parser.inline.ruler.before("link", "citation", _citations)
    parser.core.ruler.push("mark", mark)
    rules: dict[str, Callable[..., str]] = {
        "citation": _render_citation,
        "image": _render_image,
        "th_open": _render_cell,
        "td_open": _render_cell,
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


def _block_parser() -> MarkdownIt:
    parser = _parser()
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


_markdown = _parser()
_blocks = _block_parser()
_cleaner = nh3.Cleaner(
    tags={
        *("a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "s", "span", "strong", "ul"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody", "td", "th", "thead", "tr"),
    },
    attributes={
        "a": {"aria-label", "class", "data-n", "href", "title"},
        "code": {"class"},
        "ol": {"start"},
        "span": {"class", "data-verdict", "title"},
        "td": {"class"},
        "th": {"class"},
    },
    link_rel="noopener nofollow noreferrer",
    url_schemes={"http", "https", "mailto"},
)
