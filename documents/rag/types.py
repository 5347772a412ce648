"""What the heart's parts hand to one another: values, events, and the collaborators' Protocols."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum, StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Metadata = Mapping[str, Any]

PAGE_BREAK = "\n\n"
"""What stands between two pages wherever texts of several pages are joined."""


# --- Places -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page as displayed: fractions 0–1, origin top left."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (Unicode code points, end exclusive) of page `page` (1-based)."""

    page: int
    start: int
    end: int


HEADER_CHARACTERS = 300
"""Of a table's first row, what is told with each later part of the table."""


# --- A parsed document ------------------------------------------------------------------------


class HowRead(StrEnum):
    """How the text of a page was obtained, or that it is to be read from the page's picture."""

    TEXT = "text"
    OCR = "ocr"
    WAITING = "waiting"
    EMPTY = "empty"
    FAILED = "failed"


class BlockKind(StrEnum):
    """What a block of text is, so that it can be cut and shown as such."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item, table or code block: characters `start` to `end` of its page.

    `path` is the headings above it, outermost first; a heading's own path ends with itself. `level` is a heading's
    (1–6) or a list item's depth (1 = outermost), else 0. `cells` is what a block of a spreadsheet was there ("A1:F20"):
    a line of its text is a row.
    """

    kind: BlockKind
    start: int
    end: int
    path: tuple[str, ...] = ()
    level: int = 0
    cells: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a page's text and where it stands on the page."""

    start: int
    end: int
    box: Box


@dataclass(frozen=True, slots=True)
class Words:
    """A page's words in the order of its text, packed: a page has hundreds, and most are never looked at one by one."""

    packed: bytes = b""

    @classmethod
    def of(cls, words: Iterable[Word]) -> Words:
        rows = [(word.start, word.end, word.box.left, word.box.top, word.box.right, word.box.bottom) for word in words]
        columns = np.array(rows, np.float64).reshape(-1, 6)
        return cls.pack(columns[:, :2], columns[:, 2:])

    @classmethod
    def pack(cls, spans: NDArray[Any], boxes: NDArray[Any]) -> Words:
        """Spans: (n, 2) start and end in the text; boxes: (n, 4) as in Box."""
        rows = np.empty(len(spans), _WORD)
        rows["span"] = spans
        rows["box"] = np.rint(np.asarray(boxes) * _WHOLE)
        return cls(rows.tobytes())

    def __len__(self) -> int:
        return len(self.packed) // _WORD.itemsize

    def __iter__(self) -> Iterator[Word]:
        return self._each(self._rows())

    def between(self, start: int, end: int) -> Iterator[Word]:
        """The words that characters `start` to `end` touch."""
        rows = self._rows()
        starts, ends = rows["span"].T
        return self._each(rows[(starts < end) & (start < ends)])

    def _rows(self) -> NDArray[Any]:
        return np.frombuffer(self.packed, _WORD)

    def _each(self, rows: NDArray[Any]) -> Iterator[Word]:
        for span, box in zip(rows["span"].tolist(), (rows["box"] / _WHOLE).round(5).tolist(), strict=True):
            yield Word(span[0], span[1], Box(*box))


_WHOLE = 50_000
_WORD = np.dtype([("span", "<i4", 2), ("box", "<u2", 4)])


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was read; in a format without pages, one top section.

    `text` holds no NUL and no lone surrogate. Blocks are in reading order and don't overlap; what lies between them is
    white space. `width` and `height` are in points, None where the format has no pages.
    """

    number: int
    text: str
    blocks: tuple[Block, ...] = ()
    words: Words = Words()
    width: float | None = None
    height: float | None = None
    how_read: HowRead = HowRead.TEXT
    error: str = ""


# --- What is indexed and found ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: `text` is its spans' page texts joined by PAGE_BREAK.

    `metadata` is the document's, plus `chunk_id` (0-based position in the document) and `source`.
    """

    text: str
    spans: tuple[Span, ...]
    tokens: int
    metadata: Metadata
    heading_path: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """Title > heading path: read by the embedding model and the lexical index before the text."""
        title = str(self.metadata.get("title", ""))
        return " > ".join(dict.fromkeys(part for part in (title, *self.heading_path) if part))

    @property
    def indexed_text(self) -> str:
        """What is embedded and indexed: the heading line, then the text."""
        return f"{self.heading}\n{self.text}" if self.heading else self.text

    @property
    def hash(self) -> bytes:
        """SHA-256 of `indexed_text`: chunks of the same hash have the same vectors."""
        return hashlib.sha256(self.indexed_text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk's key in the vector database and its score; higher is better, the scale is the retriever's own.

    By `signature` near-duplicates are known (`documents.rag.duplicates`).
    """

    chunk: int
    score: float
    signature: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, perhaps lengthened by hydration.

    `text` is its spans' page texts joined by PAGE_BREAK, so that any part of it can be traced to its place. `ranks` are
    1-based, by retriever ("lexical", "dense", "fused", …). `also_in` are near-duplicates of it in other documents, one
    of each, which it stands for.
    """

    chunk: int
    text: str
    spans: tuple[Span, ...]
    tokens: int
    score: float
    metadata: Metadata
    heading_path: tuple[str, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=dict)
    also_in: tuple[Passage, ...] = ()

    @property
    def document(self) -> object:
        """What it has in common with the passages of the same document alone."""
        return self.metadata.get("document", self.source)

    @property
    def source(self) -> str:
        return str(self.metadata["source"])

    @property
    def title(self) -> str:
        return str(self.metadata.get("title") or self.source)

    def place(self, start: int, end: int) -> Span:
        """The place of `text[start:end]`; of a stretch that crosses pages, the part on the first of them."""
        offset = 0
        for span in self.spans:
            length = span.end - span.start
            if start < offset + length:
                first = span.start + max(start - offset, 0)
                return Span(span.page, first, min(max(span.start + end - offset, first), span.end))
            offset += length + len(PAGE_BREAK)
        last = self.spans[-1]
        return Span(last.page, last.end, last.end)


class Verdict(StrEnum):
    """What checking a sentence of an answer against what it cites came to."""

    SUPPORTED = "supported"
    PARTLY = "partly"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCITED = "uncited"


@dataclass(frozen=True, slots=True)
class Citation:
    """A footnote: the answer's marker [number] stands for these characters of this passage.

    `span` is the quote's place in the document; `verdict` the gravest on what is said with it, None where nothing is.
    """

    number: int
    passage: Passage
    span: Span
    quote: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Characters `start` to `end` of an answer's text state something; checked against the citations of these numbers.

    `text` is the same in plain words, `doubt` those of them that are doubted, and `reason` says why.
    """

    start: int
    end: int
    text: str
    numbers: tuple[int, ...]
    verdict: Verdict
    reason: str = ""
    doubt: str = ""


# --- Questions, events, answers ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation; `role` is "user" or "assistant"."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What of the readable is searched; a field that is empty doesn't narrow, one that fits nothing leaves nothing.

    `libraries` are names in any case; where none has a name, those count that begin so. `types` are words for kinds of
    files, or suffixes (`documents.rag.parsing.kinds`). A document's date, from `after` on and earlier than `before`, is
    the day on which its current version was given. `phrases` are words, or signs, all of which a passage's text must
    hold just so, but for case and white space.
    """

    libraries: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    after: date | None = None
    before: date | None = None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, what was said before it, and how many passages are wanted.

    `top_k` counts the passages kept after fusion, `rerank_top_n` those that a reranker leaves of them. `found` are
    chunks that an earlier answer to it rested on, best first: who looks deeper begins with them. `receipts` tell in a
    line each what was asked before the history begins, and where its answer came from.
    """

    text: str
    history: tuple[Turn, ...] = ()
    top_k: int = 5
    rerank_top_n: int = 3
    found: tuple[int, ...] = ()
    receipts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a model read and wrote, and what they cost, in the currency of its prices."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True)
class ModelProfile:
    """What is known of a model; None and an empty effort are what isn't.

    Prices are for a million tokens. `tools` and `json_schema`: whether it can call the one and keep to the other. It is
    `own` where what is sent to it stays with the team.
    """

    context_tokens: int | None = None
    prompt_price: float | None = None
    completion_price: float | None = None
    tools: bool | None = None
    json_schema: bool | None = None
    reasoning_effort: str = ""
    own: bool = False

    def priced(self, usage: Usage) -> Usage:
        """The usage with what it costs, as far as prices are known."""
        read = usage.prompt_tokens * (self.prompt_price or 0.0)
        written = usage.completion_tokens * (self.completion_price or 0.0)
        return replace(usage, cost=(read + written) / 1_000_000)


UNKNOWN = ModelProfile()


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that a model is offered; `parameters` are a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's call of a tool; `arguments` are as it wrote them: JSON, or what it took for that."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Thought:
    """The next piece of what a reasoning model thinks before it answers; no part of the answer."""

    text: str


ChatMessage = Mapping[str, Any]
"""A message of the chat protocol: {"role", "content"}, and what belongs to calls of tools."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something the system did before it answered, in words for the reader.

    `milliseconds` since the question; `usage` is what a chat model read and wrote for it; `queries` are the texts that
    it searched for.
    """

    name: str
    text: str
    milliseconds: int = 0
    usage: Usage = Usage()
    queries: tuple[str, ...] = ()


class Role(IntEnum):
    """What a name is to a chunk that names it: a word of its text, the heading above it, or its document's title."""

    NAME = 0
    HEADING = 1
    TITLE = 2


@dataclass(frozen=True, slots=True)
class Mention:
    """That a chunk names something, which is known by `key` (`documents.rag.entities`); 0 is no chunk yet."""

    key: str
    name: str
    role: Role
    chunk: int = 0
    signature: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """What a passage says of what, in its own words but for the relation's."""

    subject: str
    relation: str
    object: str


class Evidence(StrEnum):
    """What an answer is to rest on: the best of what was searched, all that there is, or no document at all."""

    FOUND = "found"
    WHOLE = "whole"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Passages:
    """What a strategy found, best first. The last thing it yields.

    `lists` are the whole rankings that it chose from, by name ("lexical", "dense", "fused", …). Only what was found is
    reranked, cut and lengthened; where the evidence is none, the answer is written without any on purpose. `by` is the
    strategy that found it, where another one handed the question on. `themes` are the names for which chunks were
    chosen, where it was for what they are about rather than for what was asked.
    """

    found: tuple[Passage, ...]
    lists: Mapping[str, Sequence[Hit]] = field(default_factory=dict)
    evidence: Evidence = Evidence.FOUND
    by: str = ""
    themes: Mapping[int, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence the reader must see with the answer, such as why a model could not be reached.

    It is of a `failure` where something did not do its part, rather than of how the question was understood.
    """

    text: str
    failure: bool = False


Piece = str | Thought | ToolCall | Usage | Notice
"""What a reply consists of."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a chat model is sent to write the answer from, last of all: the passages, the rules and the question."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer's Markdown, with final citation numbers."""

    text: str


Part = tuple[str, int]
"""What was sent, in a word ("system", "texts", …), and how many characters it has."""


@dataclass(slots=True)
class Call:
    """Something that left for a model: what kind of thing, to whom, how much, and what came of it.

    `kind` is "chat", "embedding" or "rerank"; `own` whether the endpoint is the team's own.
    """

    kind: str
    model: str
    host: str
    sent: tuple[Part, ...]
    own: bool = False
    milliseconds: int = 0
    usage: Usage = Usage()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole of what `query` found out; `str(answer)` is its text.

    `strategy` is the one that found the passages, also where another was asked and handed the question on to it.
    `error` is why the text broke off, empty where it is whole.
    """

    text: str
    strategy: str
    passages: tuple[Passage, ...] = ()
    citations: tuple[Citation, ...] = ()
    claims: tuple[Claim, ...] = ()
    steps: tuple[Step, ...] = ()
    notices: tuple[Notice, ...] = ()
    thinking: str = ""
    abstained: bool = False
    quoted: bool = False
    model: str = ""
    error: str = ""
    milliseconds: Mapping[str, int] = field(default_factory=dict)
    calls: tuple[Call, ...] = ()

    def __str__(self) -> str:
        return self.text

    @property
    def usage(self) -> Usage:
        """Of all models that were asked for it."""
        return sum((call.usage for call in self.calls), Usage())


Event = Step | Passages | Notice | Prompt | Thought | Text | Citation | Claim | Answer
"""What `RAGSystem.stream` yields; exactly one Answer, and it comes last."""


# --- Collaborators ----------------------------------------------------------------------------


class EmbeddingModel(Protocol):
    """Turns texts into vectors."""

    name: str
    dimensions: int
    batch: int
    """How many chunks are best embedded, and stored, at a time: some seconds' work at most."""

    def understands(self, text: str) -> float:
        """How well the model knows the text's language: from 0, where it isn't to be asked at all, to 1."""

    def windows(self, text: str) -> list[str]:
        """The text in pieces the model can see whole, in order; at least one."""

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vector:
        """n texts → (n, dimensions) float32, unit length, same order. `query` marks questions, for models that care."""


class VectorDatabase(Protocol):
    """Holds chunks with their vectors and words; made for the libraries its user may read."""

    def narrowed(self, narrowing: Narrowing) -> VectorDatabase:
        """The same chunks but for those that `narrowing` leaves out: it finds never more than this one."""

    async def known(self, hashes: Collection[bytes]) -> Mapping[bytes, Vector]:
        """The vectors, (windows, dimensions), of those of these hashes that some chunk has already, whoever's it is."""

    async def add(self, chunks: Sequence[Chunk], vectors: Sequence[Vector]) -> None:
        """Store chunks in one transaction; `vectors[i]` is (windows, dimensions) for `chunks[i]`."""

    async def dense(self, vector: Vector, limit: int) -> list[Hit]:
        """The nearest chunks by cosine similarity (best window counts), best first."""

    async def lexical(self, text: str, limit: int) -> list[Hit]:
        """The best chunks by BM25, best first."""

    async def whole(self, tokens: int) -> list[Passage] | None:
        """All chunks there are, a document's one after the other; None where they have more tokens together."""

    async def mentions_in(self, chunks: Sequence[int]) -> list[Mention]:
        """What these chunks name."""

    async def mentions_of(self, keys: Collection[str], limit: int) -> list[Mention]:
        """Where what is known by these keys is named, up to `limit` times each: as title, as heading, then in texts."""

    async def commonest(self, names: int) -> list[Mention]:
        """Where the commonest things are named, so many of them, each in two places at least."""

    async def passages(self, hits: Sequence[Hit]) -> list[Passage]:
        """The hits as passages, in the same order; chunks deleted meanwhile are left out."""

    async def neighbours(self, chunks: Sequence[int], radius: int) -> Mapping[int, Sequence[Passage]]:
        """For each chunk, itself and up to `radius` chunks either side of it in its document, in document order."""


class LLM(Protocol):
    """A chat model."""

    @property
    def name(self) -> str: ...

    @property
    def profile(self) -> ModelProfile: ...

    def stream(self, messages: Sequence[ChatMessage], *, tools: Sequence[ToolSpec] = ()) -> AsyncGenerator[Piece]:
        """The reply to chat `messages` ({"role", "content", …}) in pieces, and its usage where the endpoint tells.

        With `tools` it may consist of calls of them. Closing it ends the endpoint's work. Raises ModelUnavailable
        when there is no reply, or it breaks off.
        """


@dataclass(frozen=True, slots=True)
class Relevance:
    """How well each of some passages goes with a question, on a scale of the reranker's own; higher is better."""

    scores: Sequence[float]
    usage: Usage = Usage()


class Reranker(Protocol):
    """Reads passages together with the question."""

    @property
    def name(self) -> str: ...

    async def relevance(self, question: str, passages: Sequence[Passage]) -> Relevance:
        """A score for each passage, in their order. Raises ModelUnavailable or ModelRefused."""
