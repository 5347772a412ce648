"""PDF by PDFium: each page's text in its own order, with paragraphs, headings and a box for every word."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from documents.rag.errors import PasswordNeeded, UnreadableDocument
from documents.rag.parsing.characters import quick
from documents.rag.parsing.cleaning import clean, is_legible, is_scant
from documents.rag.parsing.layout import Trail, arrange
from documents.rag.parsing.lines import Frame, read_lines
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import EMPTY, HIDDEN
from documents.rag.parsing.tags import Tags
from documents.rag.types import HowRead, Page

_MOST = 0.8
"""The part of a scanned page that its picture covers at least."""

_TEXT_UPON = {raw.FPDF_ANNOT_FREETEXT, raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_STAMP}

# A page may have a hundred links.
_annotation = quick(raw.FPDFPage_GetAnnot, ctypes.c_void_p)
_subtype = quick(raw.FPDFAnnot_GetSubtype, ctypes.c_int, ctypes.c_void_p)
_close_annotation = quick(raw.FPDFPage_CloseAnnot, None, ctypes.c_void_p)

# Most PDF titles nobody chose: a program's template, the file's name.
_PROGRAM = re.compile(r"^(?:Microsoft (?:Word|PowerPoint|Excel) - )")
_NO_TITLE = re.compile(
    r"\.\w{2,5}$|^(?:untitled.*|title|document\d*|presentation\d*|powerpoint presentation|\W*)$", re.I
)


def parse(path: Path, first: int, *, name: str) -> Iterator[Opened | Page]:
    """The document's pages as displayed. A page that can't be read is yielded as FAILED, and the others go on.

    Raises UnreadableDocument for a file that is damaged or needs a password.
    """
    with open_pdf(path, name) as document:
        yield Opened(_title(document), len(document))
        trail: Trail = ()
        tags = Tags(document)
        for number in range(first, len(document) + 1):
            page, trail = _read(document, number, trail, tags)
            yield page


@contextmanager
def open_pdf(path: Path, name: str, password: str | None = None) -> Iterator[pdfium.PdfDocument]:
    """The document, closed at the end.

    Raises UnreadableDocument where it can't be opened or has no pages, PasswordNeeded where another password opens it.
    """
    damaged = UnreadableDocument(f"{name} is damaged and can't be read. Save it as a PDF again and upload that.")
    try:
        document = pdfium.PdfDocument(path, password)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise PasswordNeeded(
                f"{name} needs a password. Enter it on the document's page, or upload an unlocked copy."
            ) from error
        raise damaged from error
    try:
        if not len(document):
            raise damaged
        yield document
    finally:
        document.close()


def _title(document: pdfium.PdfDocument) -> str:
    title = _PROGRAM.sub("", clean(document.get_metadata_value("Title")).strip())
    return "" if _NO_TITLE.search(title) else title


def _read(document: pdfium.PdfDocument, number: int, trail: Trail, tags: Tags) -> tuple[Page, Trail]:
    """A page, and the headings in force at its end."""
    with _open_page(document, number) as (page, text_page):
        if not text_page:
            return Page(
                number, "", how_read=HowRead.FAILED, error=f"Page {number} is damaged and can't be read."
            ), trail
        frame = _frame(page)
        lines = read_lines(page, text_page, frame, tags.headings(page))
        arranged = arrange(lines, trail)
        if not is_legible(arranged.text):
            return _unread(page, number, frame, HIDDEN if lines.hides else ""), trail
        how_read = HowRead.WAITING if is_scant(arranged.text) and _is_scan(page, frame) else HowRead.TEXT
    size, error = (frame.width, frame.height), HIDDEN if lines.hides else ""
    return Page(number, arranged.text, arranged.blocks, arranged.words, *size, how_read, error), arranged.trail


def _unread(page: Any, number: int, frame: Frame, error: str) -> Page:
    """A page without a text of use: to be read from its picture, where anything is drawn on it."""
    is_drawn = raw.FPDFPage_CountObjects(page) > 0
    how_read, error = (HowRead.WAITING, error) if is_drawn else (HowRead.EMPTY, EMPTY)
    return Page(number, "", width=frame.width, height=frame.height, how_read=how_read, error=error)


def _is_scan(page: Any, frame: Frame) -> bool:
    """Whether pictures cover most of the page."""
    objects = (raw.FPDFPage_GetObject(page, index) for index in range(raw.FPDFPage_CountObjects(page)))
    pictures = (each for each in objects if raw.FPDFPageObj_GetType(each) == raw.FPDF_PAGEOBJ_IMAGE)
    return sum(_part(picture, frame) for picture in pictures) >= _MOST


def _part(picture: Any, frame: Frame) -> float:
    """Which part of the page it covers, 0–1."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    raw.FPDFPageObj_GetBounds(picture, left, bottom, right, top)
    across = min(right.value, frame.right) - max(left.value, frame.left)
    up = min(top.value, frame.top) - max(bottom.value, frame.bottom)
    whole = (frame.right - frame.left) * (frame.top - frame.bottom)
    return max(across, 0) * max(up, 0) / whole if whole else 0


@contextmanager
def _open_page(document: pdfium.PdfDocument, number: int) -> Iterator[tuple[Any, Any]]:
    """PDFium's page and text page, closed at the end; null where it can't load them."""
    page = raw.FPDF_LoadPage(document, number - 1)
    if page and _has_text_upon(page) and raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS:
        raw.FPDF_ClosePage(page)
        page = raw.FPDF_LoadPage(document, number - 1)
    text_page = raw.FPDFText_LoadPage(page) if page else page
    try:
        yield page, text_page
    finally:
        if text_page:
            raw.FPDFText_ClosePage(text_page)
        if page:
            raw.FPDF_ClosePage(page)


def _has_text_upon(page: Any) -> bool:
    """Whether text boxes, filled-in fields or stamps lie on the page, which PDFium doesn't count as its text."""
    count = raw.FPDFPage_GetAnnotCount(page)
    return count > 0 and not _TEXT_UPON.isdisjoint(_kinds_of_annotations(ctypes.cast(page, ctypes.c_void_p), count))


def _kinds_of_annotations(page: ctypes.c_void_p, count: int) -> Iterator[int]:
    for index in range(count):
        annotation = _annotation(page, index)
        yield _subtype(annotation)
        _close_annotation(annotation)


def _frame(page: Any) -> Frame:
    crop = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, crop)
    return Frame(
        crop.left,
        crop.bottom,
        crop.right,
        crop.top,
        turns=raw.FPDFPage_GetRotation(page) % 4,
        width=raw.FPDF_GetPageWidthF(page),
        height=raw.FPDF_GetPageHeightF(page),
    )
