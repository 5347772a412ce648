"""Files under a name that isn't theirs, told by what is in them."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from pptx import Presentation

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type, parse
from documents.rag.parsing.recognising import DOC, DOCX, MSG, PPT, PPTX, XLS, XLSX, ZIP
from documents.rag.types import Page
from tests.rag.presentations import entry, ole, presentation, shape, slide, title
from tests.rag.test_parsing_office import DOCX as WORD

SHARED = Path(__file__).parents[3] / "shared/data/files"
NAMES = ("a.doc", "a.docx", "a.pdf", "a.txt", "a.zip", "a.bak", "a.xls", "a.xlsb", "a")


def zipped(*paths: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for path in paths:
            archive.writestr(path, "x")
    return file.getvalue()


def kind(name: str, data: bytes) -> str:
    return media_type(name, BytesIO(data))


def text(path: Path) -> str:
    with path.open("rb") as file:
        media = media_type(path.name, file)
    return "\n".join(page.text for page in parse(path, media, name=path.name) if isinstance(page, Page))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("part", "expected"), [("word", DOCX), ("ppt", PPTX), ("xl", XLSX)])
def test_an_office_file_is_told_by_its_parts_whatever_its_name(name: str, part: str, expected: str) -> None:
    much = [f"docProps/thumbnail{number}.jpeg" for number in range(200)]
    for paths in (["[Content_Types].xml", *much, f"{part}/main.xml"], [*much, f"{part}/main.xml", "_rels/.rels"]):
        assert kind(name, zipped(*paths)) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("WordDocument", DOC),
        ("Workbook", XLS),
        ("Book", XLS),
        ("PowerPoint Document", PPT),
        ("__properties_version1.0", MSG),
    ],
)
def test_an_older_office_file_is_told_by_its_streams_whatever_its_name(name: str, stream: str, expected: str) -> None:
    assert kind(name, ole({"Data": b"", stream: b"", "\x05SummaryInformation": b""})) == expected


def test_the_directory_of_a_large_older_file_is_found() -> None:
    first = 109 * 128  # The first sector that only a table not listed in the header speaks of.
    header = bytearray(ole({"Data": b""})[:512])
    struct.pack_into("<I", header, 48, first)
    struct.pack_into("<I", header, 68, 0)
    sectors = {
        0: struct.pack("<I", 1),
        1: struct.pack("<II", first + 1, 0xFFFFFFFE),
        first: entry("Root Entry", 5, below=4),
        first + 1: entry("WordDocument", 2),
    }
    data = bytes(header) + b"".join(sectors.get(number, b"").ljust(512, b"\xff") for number in range(first + 2))
    assert kind("minutes.docx", data) == DOC


@pytest.mark.parametrize("paths", [("letter.docx", "plan.xlsx"), ("a/[Content_Types].xml", "word/notes.txt")])
def test_an_archive_that_holds_office_files_is_an_archive(paths: tuple[str, ...]) -> None:
    assert kind("a.zip", zipped(*paths)) == ZIP
    assert kind("a.docx", zipped(*paths)) == ZIP


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.vsdx", zipped("[Content_Types].xml", "visio/document.xml"), "a.vsdx is packed like an Office file, but is"),
        ("a.doc", ole({"EncryptionInfo": b"", "EncryptedPackage": b""}), "a.doc is protected by a password."),
        ("a.vsd", ole({"VisioDocument": b""}), "a.vsd is an old Microsoft Office file of an unknown kind."),
    ],
)
def test_an_office_file_of_another_kind_is_refused_by_name(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        kind(name, data)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("cut", [40, 600, 1200, -30])
def test_what_is_cut_off_is_taken_for_what_its_name_says(cut: int) -> None:
    word, old = zipped("[Content_Types].xml", "word/document.xml"), ole({"WordDocument": b""})
    assert kind("a.docx", word[:cut]) == DOCX
    assert kind("a.doc", old[:cut]) == DOC


@pytest.mark.parametrize("name", NAMES)
def test_each_is_read_as_what_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with ZipFile(path, "w") as archive:
        for part, content in WORD.items():
            archive.writestr(part, content)
    assert "Thirty days a year." in text(path)
    talk = Presentation()
    talk.slides.add_slide(talk.slide_layouts[0]).shapes.title.text = "The plan"
    talk.save(path.open("wb"))
    assert "The plan" in text(path)
    workbook = xlsxwriter.Workbook(path)
    workbook.add_worksheet().write_row(0, 0, ["Year", "Days"])
    workbook.close()
    assert "Year | Days" in text(path)
    path.write_bytes(presentation([slide(shape(title("Of before 2007")))]))
    assert "Of before 2007" in text(path)


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared data")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", ["doc/fake.doc", "xls/test.xls", "msg/fake-email.msg"])
def test_older_files_are_read_under_any_name(tmp_path: Path, name: str, file: str) -> None:
    data = (SHARED / file).read_bytes()
    (tmp_path / name).write_bytes(data)
    (tmp_path / Path(file).name).write_bytes(data)
    assert text(tmp_path / name) == text(tmp_path / Path(file).name) != ""
