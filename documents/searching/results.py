"""What a search found, as a page shows it: documents, best first, each with its passages and their places."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.contrib.humanize.templatetags.humanize import ordinal
from django.db.models.functions import Length
from django.utils.safestring import SafeString

from documents.models import Document, Page, Version
from documents.places import heading, marked
from documents.rag.parsing.kinds import kind_of, media_types
from documents.rag.queries import understand
from documents.rag.sentences import sentences
from documents.rag.system import DEFAULT_STRATEGY, RAGSystem
from documents.rag.types import Notice, Passage, Passages, Question, Span
from documents.searching.facets import Chosen, Facet, chosen, facets
from documents.searching.snippets import Marker, Snippet
from documents.threads import in_thread

DEPTH = 100
"""Passages that are looked for; the facets count their documents."""

SHOWN = 10
"""Documents that are shown at a time."""

OF_EACH = 3
"""Passages of a document that are shown unfolded."""

MOST_OF_EACH = 10

_WITH_CELLS = media_types(["excel"])

_LARGE = 500_000
"""Characters of a sheet from which a passage tells its name instead of its rows: all of it would have to be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """A passage: a stretch of its text with the words marked, where it stands, and how it was found."""

    address: str
    where: str
    html: SafeString
    cut_before: bool
    cut_after: bool
    language: str
    found: str


@dataclass(frozen=True, slots=True)
class Found:
    """A document, its best passages and the others; `also_in` are near-duplicates in other documents.

    `path` is where it lay, empty where that is what it is called.
    """

    document: Document
    version: Version
    kind: str
    path: str
    first: tuple[Place, ...]
    more: tuple[Place, ...]
    also_in: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """All that is to be shown of a search. `left` counts the documents that aren't shown yet."""

    query: str
    documents: tuple[Found, ...] = ()
    left: int = 0
    passages: int = 0
    facets: tuple[Facet, ...] = ()
    chosen: tuple[Chosen, ...] = ()
    notices: tuple[str, ...] = ()
    milliseconds: int = 0

    @property
    def total(self) -> int:
        return len(self.documents) + self.left

    @property
    def more(self) -> int:
        """How many documents to show next."""
        return len(self.documents) + SHOWN


async def search(system: RAGSystem, query: str, shown: int = SHOWN) -> Results:
    """The best `shown` documents for a search, by the retrieval that answers rest on.

    Raises FootnoteError where nothing can be found out.
    """
    started = time.perf_counter()
    found: tuple[Passage, ...] = ()
    notices: list[str] = []
    async for event in system.gather(Question(query, top_k=DEPTH), DEFAULT_STRATEGY):
        if isinstance(event, Passages):
            found = event.found
        elif isinstance(event, Notice):
            notices.append(event.text)
    results = await in_thread(_results, query, found, notices, shown)
    return replace(results, milliseconds=round((time.perf_counter() - started) * 1000))


def _results(query: str, found: Sequence[Passage], notices: Sequence[str], shown: int) -> Results:
    versions = _versions(found)
    groups = _by_version(passage for passage in found if passage.metadata["version"] in versions)
    seen = dict(list(groups.items())[:shown])
    marker = Marker(understand(query).text)
    sheets = _sheets(passage for passages in seen.values() for passage in passages)
    return Results(
        query,
        tuple(_found(versions, version, passages, marker, sheets) for version, passages in seen.items()),
        left=len(groups) - len(seen),
        passages=sum(map(len, groups.values())),
        facets=tuple(facets(query, [versions[version] for version in groups])),
        chosen=tuple(chosen(query)),
        notices=tuple(notices),
    )


def _versions(found: Iterable[Passage]) -> Mapping[int, Version]:
    """The versions of the passages, and of their near-duplicates, by their numbers."""
    wanted = {each.metadata["version"] for passage in found for each in (passage, *passage.also_in)}
    return Version.objects.select_related("document__library").in_bulk(wanted)


def _by_version(found: Iterable[Passage]) -> dict[int, list[Passage]]:
    """Documents by their best passage."""
    groups: dict[int, list[Passage]] = {}
    for passage in found:
        groups.setdefault(passage.metadata["version"], []).append(passage)
    return groups


def _sheets(found: Iterable[Passage]) -> Mapping[tuple[int, int], Page]:
    """The sheets that passages begin on, by version and number."""
    of_sheets = [passage for passage in found if passage.metadata["media_type"] in _WITH_CELLS]
    spans = {(passage.metadata["version"], span.page) for passage in of_sheets for span in passage.spans[:1]}
    rows = Page.objects.filter(version__in={version for version, _ in spans}, number__in={page for _, page in spans})
    small = rows.alias(length=Length("text")).filter(length__lte=_LARGE).defer("words")
    return {(row.version_id, row.number): row for row in small} if spans else {}


def _found(
    versions: Mapping[int, Version],
    number: int,
    passages: Sequence[Passage],
    marker: Marker,
    sheets: Mapping[tuple[int, int], Page],
) -> Found:
    version = versions[number]
    places = [_place(version, passage, marker, sheets) for passage in passages[:MOST_OF_EACH]]
    others = [each.metadata["version"] for passage in passages for each in passage.also_in]
    return Found(
        version.document,
        version,
        kind_of(version.media_type).label,
        "" if version.document.path == str(version.document) else version.document.path,
        tuple(places[:OF_EACH]),
        tuple(places[OF_EACH:]),
        tuple(dict.fromkeys(versions[other].document for other in others if other in versions)),
    )


def _place(version: Version, passage: Passage, marker: Marker, sheets: Mapping[tuple[int, int], Page]) -> Place:
    shown = marker.snippet(passage.text)
    span = passage.place(_sentence(passage.text, shown), shown.end)
    return Place(
        address=version.place(span.page, span.start, span.end),
        where=_where(version, passage, span, sheets.get((version.pk, span.page))),
        html=marked(passage.text, shown.start, shown.end, shown.marks),
        cut_before=shown.start > 0,
        cut_after=shown.end < len(passage.text.rstrip()),
        language=str(passage.metadata["language"]),
        found=_how_found(passage.ranks),
    )


def _sentence(text: str, shown: Snippet) -> int:
    """Where the sentence begins that has the first of the words: what stands before it may be on another page."""
    first = shown.marks[0][0] if shown.marks else shown.start
    return next((start for start, end in sentences(text) if start <= first < end), first)


def _where(version: Version, passage: Passage, span: Span, sheet: Page | None) -> str:
    """The page, where there are pages, and the headings above; of a sheet its rows."""
    if sheet:
        return heading(sheet, span.start, span.end)
    path = " › ".join(part for part in passage.heading_path if part != passage.title)
    return " · ".join(filter(None, (f"page {span.page}" if version.paged else "", path)))


def _how_found(ranks: Mapping[str, int]) -> str:
    by = {"lexical": "by words", "dense": "by meaning"}
    return ", ".join(f"{ordinal(ranks[name])} {words}" for name, words in by.items() if name in ranks)
