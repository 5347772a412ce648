"""Office files, tables, markups and data as users have them → pages of clean text with blocks and their places."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from pptx import Presentation
from pptx.util import Inches

from documents.rag.chunking import chunk_document
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.reading import read
from documents.rag.parsing.recognising import FORMATS
from documents.rag.types import Page
from tests.rag.letters import letter

Read = tuple[str, list[Page]]
DOCX = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    ),
    "word/document.xml": (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Leave</w:t></w:r></w:p>'
        "<w:p><w:r><w:t xml:space='preserve'>Thirty </w:t></w:r><w:r><w:t>days a year.</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Year</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Days</w:t></w:r></w:p></w:tc>"
        "</w:tr><w:tr><w:tc><w:p><w:r><w:t>First</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>25</w:t></w:r></w:p></w:tc>"
        "</w:tr></w:tbl></w:body></w:document>"
    ),
}
ODF = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
    ' xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0">'
    "<office:body>{}</office:body></office:document-content>"
)


def packed(path: Path, members: dict[str, str]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def odf(path: Path, kind: str, body: str) -> Path:
    members = {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": ODF.format(body)}
    return packed(path, members)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.write_text(content)
        return path

    return write


async def opened(path: Path) -> Read:
    """What the reader gives, by its child where the format wants one."""
    with path.open("rb") as content:
        kind = media_type(path.name, content)
    title, *pages = [item async for item in read(path, kind, name=path.name)]
    assert isinstance(title, Opened)
    return title.title, [page for page in pages if isinstance(page, Page)]


def blocks(page: Page) -> list[tuple[str, str]]:
    return [(block.kind.value, page.text[block.start : block.end]) for block in page.blocks]


async def test_a_word_document(tmp_path: Path) -> None:
    title, [page] = await opened(packed(tmp_path / "leave.docx", DOCX))
    assert title == "Leave"
    assert blocks(page) == [
        ("heading", "Leave"),
        ("paragraph", "Thirty days a year."),
        ("table", "Year | Days\nFirst | 25"),
    ]
    assert page.blocks[2].path == ("Leave",)


async def test_an_opendocument_text(tmp_path: Path) -> None:
    body = (
        '<office:text><text:h text:outline-level="1">Leave</text:h>'
        "<text:p>Thirty<text:s/>days <text:span>a</text:span> year.<text:note><text:note-body>"
        "<text:p>Since May</text:p>"
        "</text:note-body></text:note></text:p>"
        "<text:list><text:list-item><text:p>Ask</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>Year</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell></table:table-row>'
        "</table:table></office:text>"
    )
    _, [page] = await opened(odf(tmp_path / "leave.odt", "text", body))
    assert blocks(page) == [
        ("heading", "Leave"),
        ("paragraph", "Thirty days a year. (Since May)"),
        ("item", "• Ask"),
        ("table", "Year | x | x"),
    ]


async def test_presentations_have_a_page_a_slide(tmp_path: Path) -> None:
    presentation = Presentation()
    for title in ("First", "Second"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = title
    cells = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    cells.cell(0, 0).text, cells.cell(1, 1).text = "Year", "25"
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    presentation.save(str(tmp_path / "talk.pptx"))
    _, [first, second] = await opened(tmp_path / "talk.pptx")
    assert first.text == "Slide 1: First"
    assert blocks(second) == [
        ("heading", "Slide 2: Second"),
        ("table", "Year\n | 25"),
        ("paragraph", "Notes: Say it slowly."),
    ]
    body = (
        '<office:presentation><draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Hello</text:p>'
        "</draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>World</text:p></draw:text-box></draw:frame>"
        "</draw:page></office:presentation>"
    )
    _, [page] = await opened(odf(tmp_path / "talk.odp", "presentation", body))
    assert page.text == "Slide 1: Hello\n\nWorld"


async def test_a_workbook_says_in_which_cells_its_tables_stand(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "budget.xlsx")) as workbook:
        sheet = workbook.add_worksheet("Budget")
        for row, values in enumerate([["Plan"], ["Item", "Cost"], ["Desk", 250], [], ["Year"], [2026]], 2):
            sheet.write_row(row, 1, values)
        workbook.add_worksheet("Empty")
    _, [page] = await opened(tmp_path / "budget.xlsx")
    assert [(block.cells, page.text[block.start : block.end]) for block in page.blocks] == [
        ("", "Budget"),
        ("B3", "Plan"),
        ("B4:C5", "Item | Cost\nDesk | 250"),
        ("B7:B8", "Year\n2026"),
    ]


async def test_a_long_table_goes_on_under_its_first_row(file: Callable[[str, str], Path]) -> None:
    rows = "\n".join(f"{number};person{number}@example.org" for number in range(2_000))
    _, pages = await opened(file("people.csv", f"Number;Address\n{rows}"))
    assert len(pages) > 2
    assert pages[0].blocks[0].cells.startswith("A1:B")
    chunks = chunk_document(pages)
    assert len(chunks) > 10
    assert all("Number | Address" in chunk.indexed_text for chunk in chunks)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
async def test_a_table_whatever_separates_its_cells(file: Callable[[str, str], Path], separator: str) -> None:
    rows = [["Name", "Say"], ["Ada", f'"a{separator}b"'], ["Ben", "c, d; e" if separator not in ",;" else "c"]]
    _, [page] = await opened(file("people.csv", "\n".join(separator.join(row) for row in rows)))
    assert page.text.split("\n")[:2] == ["Name | Say", f"Ada | {' '.join(f'a{separator}b'.split())}"]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.rst", "Leave\n=====\n\nThirty *days*.\n", "Leave\n\nThirty days."),
        ("a.org", "* Leave\n\nThirty days.\n", "Leave\n\nThirty days."),
        ("a.adoc", "= Leave\n\nThirty *days*.\n\n* Ask\n", "Leave\n\nThirty days.\n\n• Ask"),
        ("a.rtf", r"{\rtf1\ansi Thirty days.\par}", "Thirty days."),
        ("a.xml", "<doc><title>Leave</title><p>Thirty <b>days</b>.</p></doc>", "Leave\n\nThirty days."),
        ("b.xml", "<all><one><name>Ada</name><age>36</age></one></all>", "name: Ada\nage: 36"),
        ("a.json", '{"name":"Ad\\u00e8le"}', '{\n "name": "Adèle"\n}'),
        ("a.py", "def a():\n    return 1\n", "def a():\n    return 1"),
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n00:01:00,000 --> 00:01:02,000\n<i>World</i>",
            "Hello\n\nWorld",
        ),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ada>Hello", "Ada: Hello"),
        (
            "a.ipynb",
            json.dumps(
                {
                    "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Leave\n", "\n", "Thirty days."]}],
                    "metadata": {},
                    "nbformat": 4,
                    "nbformat_minor": 5,
                }
            ),
            "Leave\n\nThirty days.",
        ),
    ],
)
async def test_light_formats(file: Callable[[str, str], Path], name: str, content: str, text: str) -> None:
    _, [page] = await opened(file(name, content))
    assert page.text == text


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.odt", "a.ods", "a.epub"])
async def test_a_damaged_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    whole = io.BytesIO()
    with ZipFile(whole, "w") as archive:
        archive.writestr("content.xml", "<x" * 1_000)
    path = tmp_path / name
    path.write_bytes(whole.getvalue()[:800])
    with pytest.raises(UnreadableDocument, match=f"{name} is damaged"):
        await opened(path)


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        '<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "&b;">]><a>&b;</a>',
    ],
)
async def test_no_entity_of_xml_is_expanded(file: Callable[[str, str], Path], content: str) -> None:
    with pytest.raises(UnreadableDocument, match=r"a\.xml"):
        await opened(file("a.xml", content))


def test_the_handbook_names_every_format_and_ending() -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "libraries.md").read_text()
    told = {line.split(" | ")[0].removeprefix("| "): line for line in handbook.splitlines() if line.startswith("| ")}
    for known in FORMATS:
        assert known.what in told
        endings = [suffix for suffix in known.suffixes if suffix and f"`{suffix}`" not in told[known.what]]
        assert not endings or "more" in told[known.what]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Figure \x13 SEQ Figure \\* ARABIC \x141\x15: a duck", "Figure 1: a duck"),
        ('See \x13 HYPERLINK "https://a.example/" \x14our page\x15.', "See our page."),
        (
            '\x13 TOC \\o "1-3" \\h \x14\x13HYPERLINK \\l "_Toc1"\x14Leave \x13 PAGEREF _Toc1 \\h \x143\x15\x15\x15',
            "Leave 3",
        ),
        (
            "Type SEQ Figure \\* ARABIC on that \x13 PAGE \x142\x15 PAGE \\o",
            "Type SEQ Figure \\* ARABIC on that  PAGE 2 PAGE \\o",
        ),
    ],
)
async def test_a_field_of_word_before_2007_shows_its_text_alone(
    tmp_path: Path, written: str, text: str, wide: bool
) -> None:
    path = tmp_path / "a.doc"
    path.write_bytes(letter(f"{written}\r", wide=wide))
    _, [page] = await opened(path)
    assert page.text == text
