"""Spreadsheets by calamine: each sheet's tables as rows of text, with the cells they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.grids import Row, sheet
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import Piece, document
from documents.rag.types import Page

COLUMNS = 1_000
"""Of a row, what is read: what lies beyond is a slip, or a computer's."""


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """One page a sheet, or more where it is long; hidden sheets too. Formulas are read as their last values."""
    try:
        with _opened(path) as workbook:
            sections = [page for title in workbook.sheet_names for page in _sheet(workbook, title)]
    except PasswordError as error:
        raise UnreadableDocument(f"{name} is protected by a password. Save it without one and upload that.") from error
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableDocument(
            f"{name} is damaged and can't be read. Save it again in its program and upload that."
        ) from error
    yield from document("", sections, first)


def _opened(path: Path) -> CalamineWorkbook:
    """The library believes a path's ending; only of an open file does it look what it is, and sees no password then."""
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise
    except CalamineError:
        with path.open("rb") as file:
            return CalamineWorkbook.from_filelike(file)


def _sheet(workbook: CalamineWorkbook, title: str) -> list[list[Piece]]:
    try:
        found = workbook.get_sheet_by_name(title)
    except CalamineError:  # a sheet that is a chart has no cells
        return []
    top, left = found.start or (0, 0)
    return list(sheet(title, _rows(found), left=left + 1, top=top + 1)) if found.end else []


def _rows(found: CalamineSheet) -> Iterator[Row]:
    for row in found.to_python(skip_empty_area=True):
        yield [_written(value) for value in row[:COLUMNS]]


def _written(value: object) -> str:
    match value:
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return f"{value:.12g}"
        case datetime():
            return value.isoformat(" ", "minutes")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return str(value)
