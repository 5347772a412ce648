"""PowerPoint before 2007, from its records: a slide a page, with its tables and notes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from olefile import OleFileIO  # type: ignore[import-untyped]

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.grids import table
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.records import Record, below, objects, records
from documents.rag.parsing.sections import Piece, document
from documents.rag.parsing.slides import slide_pieces
from documents.rag.types import BlockKind, Page

_SLIDE_LIST, _SLIDE_PLACE, _SLIDE_ABOUT = 0x0FF0, 0x03F3, 0x03EF
_SLIDES, _NOTES = 0, 2
"""Instances of a list of slides."""

_GROUP, _SHAPE_PLACE, _TEXT_BOX = 0xF003, 0xF00F, 0xF00D
_OPTIONS, _OPTION, _IS_TABLE = (0xF00B, 0xF121, 0xF122), struct.Struct("<HI"), (0x039F, 1)
_TEXT_HEADER, _WIDE_TEXT, _NARROW_TEXT, _TEXT_IN_LIST = 0x0F9F, 0x0FA0, 0x0FA8, 0x0F9E
_TITLES, _NOTE = (0, 6), 2
"""Kinds of text."""

_SLIDE_NUMBER = "*"


@dataclass(frozen=True, slots=True)
class Text:
    """What a text box says, and what kind of text it is."""

    kind: int
    text: str = ""


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The slides as they follow one another. Raises UnreadableDocument for a file that is damaged or has a password."""
    try:
        with OleFileIO(path) as file:
            streams = [file.openstream(stream).read() for stream in ("Current User", "PowerPoint Document")]
        sections = list(_slides(*objects(*streams)))
    # What is damaged shows as anything: a stream that isn't there, a number that is none, an offset beyond the end.
    except (OSError, LookupError, ValueError, TypeError, AttributeError, struct.error) as error:
        raise UnreadableDocument(
            f"{name} is damaged or has a password, and can't be read. Save it again, without one, and upload that."
        ) from error
    # The title in the file's summary is left: where that is damaged, olefile reads it without end.
    yield from document("", sections, first)


def _slides(whole: Record, known: Mapping[int, Record]) -> Iterator[list[Piece]]:
    lists = {each.instance: each for each in records(whole.content) if each.kind == _SLIDE_LIST}
    notes = {slide_id: slide for slide_id, slide, _ in _listed(lists.get(_NOTES), known)}
    for number, (_, slide, outline) in enumerate(_listed(lists.get(_SLIDES), known), 1):
        yield slide_pieces(number, *_slide(slide, outline, notes))


def _listed(slides: Record | None, known: Mapping[int, Record]) -> Iterator[tuple[int, Record, list[Text]]]:
    """The id of each slide in a list, the slide, and those of its texts that the list holds."""
    within = list(records(slides.content)) if slides else []
    places = [at for at, record in enumerate(within) if record.kind == _SLIDE_PLACE]
    for at, after in pairwise([*places, len(within)]):
        number, _, _, slide_id = struct.unpack_from("<IIII", within[at].content)
        if number in known:
            yield slide_id, known[number], _texts(within[at:after])


def _slide(slide: Record, outline: Sequence[Text], notes: Mapping[int, Record]) -> tuple[str, list[Piece]]:
    """Its title and the rest."""
    title, pieces = "", list[Piece]()
    for found in below(slide, lambda record: record.kind == _TEXT_BOX or _is_table(record)):
        if found.kind == _GROUP:
            pieces.append(Piece(BlockKind.TABLE, _table(found)))
            continue
        for text in _texts(records(found.content), outline):
            if text.kind in _TITLES and not title:
                title = text.text
            else:
                pieces += _paragraphs(text.text)
    return title, [*pieces, *_noted(slide, notes)]


def _paragraphs(text: str) -> Iterator[Piece]:
    if text != _SLIDE_NUMBER:
        yield from (Piece(BlockKind.PARAGRAPH, line) for line in text.split("\n"))


def _noted(slide: Record, notes: Mapping[int, Record]) -> Iterator[Piece]:
    """What the speaker is to say."""
    about = next((record.content for record in records(slide.content) if record.kind == _SLIDE_ABOUT), b"")
    page = notes.get(struct.unpack_from("<I", about, 16)[0]) if about else None
    boxes = below(page, lambda record: record.kind == _TEXT_BOX) if page else ()
    texts = [text.text for box in boxes for text in _texts(records(box.content)) if text.kind == _NOTE]
    if said := "\n".join(texts).strip():
        yield Piece(BlockKind.PARAGRAPH, f"Notes: {said}")


def _texts(box: Iterable[Record], outline: Sequence[Text] = ()) -> list[Text]:
    """The texts that these records are; a box may leave its own to the list of slides, its `outline`."""
    texts: list[Text] = []
    for record in box:
        if record.kind == _TEXT_HEADER:
            texts.append(Text(*struct.unpack_from("<I", record.content)))
        elif record.kind == _TEXT_IN_LIST:
            (at,) = struct.unpack_from("<I", record.content)
            texts += outline[at : at + 1]
        elif record.kind in (_WIDE_TEXT, _NARROW_TEXT) and texts:
            written = bytes(record.content).decode("utf-16-le" if record.kind == _WIDE_TEXT else "latin-1", "replace")
            texts[-1] = replace(texts[-1], text=written.replace("\r", "\n").replace("\v", "\n"))
    return texts


def _is_table(record: Record) -> bool:
    """Whether it is a group of shapes that are the cells and the lines of a table."""
    shape = next(records(record.content), None) if record.kind == _GROUP else None
    options = (each for each in records(shape.content) if each.kind in _OPTIONS) if shape else ()
    return any(
        _OPTION.unpack_from(each.content, 6 * at) == _IS_TABLE
        for each in options
        for at in range(min(each.instance, len(each.content) // 6))
    )


def _table(group: Record) -> str:
    """The cells as rows, by where they stand."""
    cells: dict[tuple[int, int], str] = {}
    for shape in records(group.content):
        parts = {part.kind: part.content for part in records(shape.content)}
        if _TEXT_BOX in parts and _SHAPE_PLACE in parts:
            left, top = struct.unpack_from("<ii", parts[_SHAPE_PLACE])
            cells[top, left] = "\n".join(text.text for text in _texts(records(parts[_TEXT_BOX])))
    lefts, tops = sorted({left for _, left in cells}), sorted({top for top, _ in cells})
    return table([cells.get((top, left), "") for left in lefts] for top in tops)
