"""PowerPoint by python-pptx: a slide a page, with its tables, charts' figures and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from pptx import Presentation
from pptx.exc import PythonPptxError

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.cleaning import clean
from documents.rag.parsing.grids import table
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, document
from documents.rag.types import BlockKind, Page


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The slides as they follow one another, hidden ones too; a damaged shape costs itself."""
    try:
        presentation = Presentation(str(path))
        sections = [slide_pieces(number, *_slide(slide)) for number, slide in enumerate(presentation.slides, 1)]
        title = presentation.core_properties.title
    # A damaged file shows as anything: a missing part, an attribute that isn't there, XML that isn't well-formed.
    except (
        PythonPptxError,
        BadZipFile,
        OSError,
        LookupError,
        AttributeError,
        ValueError,
        TypeError,
        SyntaxError,
    ) as error:
        raise UnreadableDocument(
            f"{name} is damaged and can't be read. Save it again in its program and upload that."
        ) from error
    yield from document(clean(title or "").strip(), sections, first)


def slide_pieces(number: int, title: str, pieces: Iterable[Piece]) -> list[Piece]:
    """A slide's page: its number and title, then what it holds."""
    title = " ".join(clean(title).split())
    heading = f"Slide {number}: {title}" if title else f"Slide {number}"
    below = [
        Piece(piece.kind, text, piece.level, (heading,)) for piece in pieces if (text := clean(piece.text).rstrip())
    ]
    return [Piece(BlockKind.HEADING, heading, 1, (heading,)), *below]


def _slide(slide: Any) -> tuple[str, list[Piece]]:
    title = slide.shapes.title
    pieces = list(_shapes(shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id))
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame):
        pieces.append(Piece(BlockKind.PARAGRAPH, f"Notes: {notes.text}" if notes.text.strip() else ""))
    return title.text_frame.text if title is not None and title.has_text_frame else "", pieces


def _shapes(shapes: Iterable[Any]) -> Iterator[Piece]:
    for shape in shapes:
        try:
            found = list(_shape(shape))
        except (PythonPptxError, LookupError, AttributeError, ValueError, TypeError):
            continue
        yield from found


def _shape(shape: Any) -> Iterator[Piece]:
    if hasattr(shape, "shapes"):
        yield from _shapes(shape.shapes)
    elif shape.has_text_frame:
        for paragraph in shape.text_frame.paragraphs:
            text = paragraph.text.replace("\v", "\n")
            yield (
                Piece(BlockKind.ITEM, f"• {text}", paragraph.level)
                if paragraph.level and text.strip()
                else Piece(BlockKind.PARAGRAPH, text)
            )
    elif shape.has_table:
        yield Piece(BlockKind.TABLE, table([cell.text for cell in row.cells] for row in shape.table.rows))
    elif shape.has_chart:
        yield from _chart(shape.chart)


def _chart(chart: Any) -> Iterator[Piece]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield Piece(BlockKind.PARAGRAPH, chart.chart_title.text_frame.text)
    for plot in chart.plots:
        series = list(plot.series)
        names = ["", *(one.name for one in series)]
        rows = ([str(category), *(_value(one, at) for one in series)] for at, category in enumerate(plot.categories))
        yield Piece(BlockKind.TABLE, table([names, *rows]))


def _value(series: Any, at: int) -> str:
    values = series.values
    return "" if at >= len(values) or values[at] is None else f"{values[at]:.12g}"
