"""Files as users have them → pages of clean text with blocks and their headings."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type, parse
from documents.rag.parsing.opened import Opened
from documents.rag.parsing.sections import PAGE_CHARACTERS
from documents.rag.types import BlockKind, HowRead, Page


def read(path: Path, content: str | bytes, first: int = 1) -> tuple[Opened, list[Page]]:
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(data)
    opened, *pages = parse(path, media_type(path.name, BytesIO(data)), first, name=path.name)
    assert isinstance(opened, Opened)
    return opened, [page for page in pages if isinstance(page, Page)]


def blocks(page: Page) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(block.kind.value, page.text[block.start : block.end], block.path) for block in page.blocks]


# --- Markdown


def test_markdown_is_read_as_plain_text_under_its_headings(tmp_path: Path) -> None:
    opened, pages = read(
        tmp_path / "guide.md",
        "---\ntitle: 'The guide'\n---\n# Guide\n\n## Leave\n\nAsk *early*, see [the form](form.pdf).\n\n"
        "- by mail\n- by phone\n  1. ring\n  2. speak\n\n## Pay\n\n| Grade | Pay |\n|---|---|\n| A | **10** |\n\n"
        "```\nx = [1](2)\n```\n",
    )
    assert opened == Opened("The guide", 2)
    assert blocks(pages[0]) == [
        ("heading", "Guide", ("Guide",)),
        ("heading", "Leave", ("Guide", "Leave")),
        ("paragraph", "Ask early, see the form.", ("Guide", "Leave")),
        ("item", "• by mail", ("Guide", "Leave")),
        ("item", "• by phone", ("Guide", "Leave")),
        ("item", "1. ring", ("Guide", "Leave")),
        ("item", "2. speak", ("Guide", "Leave")),
    ]
    assert [block.level for block in pages[0].blocks] == [1, 2, 0, 1, 1, 2, 2]
    assert blocks(pages[1])[1:] == [
        ("table", "Grade | Pay\nA | 10", ("Guide", "Pay")),
        ("code", "x = [1](2)", ("Guide", "Pay")),
    ]


def test_a_rule_at_the_top_of_markdown_is_no_front_matter(tmp_path: Path) -> None:
    opened, pages = read(tmp_path / "a.md", "---\n\nText\n")
    assert (opened.title, pages[0].text) == ("", "Text")


def test_html_within_markdown_is_read_as_html(tmp_path: Path) -> None:
    _, pages = read(
        tmp_path / "a.md", "Before\n\n<details><summary>More</summary>\n<p>Hid&shy;den &amp; so on</p></details>\n"
    )
    assert pages[0].text == "Before\n\nMore\n\nHidden & so on"


def test_a_link_of_a_site_generator_is_read_as_its_text(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.md", 'See [the page]({% page "/x/" %}).\n')
    assert pages[0].text == "See the page."


# --- HTML


def test_html_is_read_without_navigation(tmp_path: Path) -> None:
    opened, pages = read(
        tmp_path / "a.html",
        "<!doctype html><title>Leave &ndash; HR</title><nav><a>Home</a></nav><header>Logo</header>"
        "<h1>Leave</h1><p>Twenty&nbsp;days<br>a year.<script>x()</script><p hidden>no</p>"
        "<ol start=3><li>Ask</li><li><p>Wait</p></li></ol>"
        "<table><tr><th>Grade<th>Days<tr><td>A<td>20</table><pre>a\n  b</pre><footer>(c)</footer>",
    )
    assert opened.title == "Leave – HR"
    assert [text for _, text, _ in blocks(pages[0])] == [
        *("Leave", "Twenty days\na year.", "3. Ask", "4. Wait", "Grade | Days\nA | 20", "a\n  b")
    ]
    assert blocks(pages[0])[1][2] == ("Leave",)


def test_only_the_main_part_of_a_page_is_read_where_it_names_one(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.html", f"<html><body><div>Menu</div><main><p>{'word ' * 80}</p></main></body></html>")
    assert "Menu" not in pages[0].text


def test_html_that_declares_its_encoding_is_read_in_it(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.html", '<html><meta charset="koi8-r"><p>Отпуск</p>'.encode("koi8-r"))
    assert pages[0].text == "Отпуск"


def test_html_nested_thousands_deep_is_read(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.html", "<html>" + "<div>" * 10_000 + "deep")
    assert pages[0].text == "deep"


# --- Text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_is_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Résumé of the naïve façade: déjà vu, señor, über alles gehört."
    _, pages = read(tmp_path / "a.txt", text.encode(encoding))
    assert pages[0].text == text


def test_text_is_cut_into_pages_at_form_feeds_and_paragraphs(tmp_path: Path) -> None:
    paragraph = "word " * 1_000
    opened, pages = read(tmp_path / "a.txt", "First\f" + "\n\n".join([paragraph] * 9))
    assert (opened.page_count, pages[0].text) == (4, "First")
    assert all(len(page.text) <= PAGE_CHARACTERS for page in pages)
    assert "".join("".join(page.text.split()) for page in pages) == "First" + "word" * 9_000


def test_one_endless_line_is_cut_too(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.txt", "x" * 100_000)
    assert [len(page.text) for page in pages] == [PAGE_CHARACTERS] * 5


def test_reading_begins_at_the_page_asked_for(tmp_path: Path) -> None:
    opened, pages = read(tmp_path / "a.txt", "one\ftwo\fthree", first=2)
    assert (opened.page_count, [(page.number, page.text) for page in pages]) == (3, [(2, "two"), (3, "three")])


def test_a_page_holds_nothing_that_a_database_refuses(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.txt", b"a \x1b[0m \xef\xac\x81ne \xc2\xad. \x01")
    assert not set(pages[0].text) & {"\x01", "\x1b", "\xad"}
    assert "fine" in pages[0].text


def test_a_file_of_blanks_after_its_head_is_an_empty_page(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.md", "<!-- nothing -->")
    assert [(page.how_read, page.error) for page in pages] == [(HowRead.EMPTY, "This page has no text.")]


def test_blocks_cover_the_page_in_order(tmp_path: Path) -> None:
    _, pages = read(tmp_path / "a.md", "# A\n\nb\n\n- c\n- d\n\n> e\n\n    f\n")
    page = pages[0]
    between = [page.text[a.end : b.start] for a, b in zip(page.blocks, page.blocks[1:], strict=False)]
    assert not "".join(between).strip()
    assert {block.kind for block in page.blocks} > {BlockKind.HEADING, BlockKind.ITEM, BlockKind.CODE}


# --- What a file is


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.txt", b"%PDF-1.7\n", "application/pdf"),
        ("a.pdf", b"junk\n%PDF-1.7\n", "application/pdf"),
        ("a.txt", b"<!-- x -->\n<!DOCTYPE html>", "text/html"),
        ("a.md", b"<div align=center>", "text/markdown"),
        ("README", b"hello", "text/plain"),
        ("a.zip", b"PK\x03\x04....mimetypeapplication/epub+zip", "application/epub+zip"),
        ("a.doc", b"{\\rtf1", "application/rtf"),
        ("a.dat", b"PK\x03\x04", "application/zip"),
        ("../😀.MD", b"hello", "text/markdown"),
    ],
)
def test_a_file_is_known_by_its_content_before_its_name(name: str, head: bytes, expected: str) -> None:
    assert media_type(name, BytesIO(head)) == expected


@pytest.mark.parametrize(
    ("name", "head", "sentence"),
    [
        ("photo.pdf", b"\x89PNG\r\n\x1a\n", "photo.pdf is a PNG picture, not a PDF."),
        ("letter.rar", b"Rar!", "letter.rar is a RAR archive."),
        ("a.7z", b"7z\xbc\xaf'\x1c", "a.7z is a 7-Zip archive."),
        ("a.tar", b"plan.md".ljust(257, b"\0") + b"ustar\0", "a.tar is a tar archive."),
        ("a.tar.gz", b"\x1f\x8b\x08", "a.tar.gz is a gzip archive."),
        ("a.exe", b"MZ\x78\0\1\0", "a.exe is a program."),
        ("a.mp4", b"\0\0\0\x1cftypisom", "a.mp4 is a film."),
        ("a.pages", b"PK\3\4", "a.pages is a file of Pages. Export it there as a PDF, and upload that."),
        ("a.numbers", b"PK\3\4", "a.numbers is a file of Numbers."),
        ("a.key", b"PK\3\4", "a.key is a file of Keynote."),
        ("a.dwg", b"AC1032\0\0", "a.dwg is an AutoCAD drawing."),
        ("a.psd", b"8BPS\0\1", "a.psd is a Photoshop picture."),
        ("a.mobi", b"A book".ljust(60, b"\0") + b"BOOKMOBI", "a.mobi is a Kindle e-book."),
        ("a.djvu", b"AT&TFORM\0", "a.djvu is a DjVu document."),
        ("a.mdb", b"\0\1\0\0Standard Jet DB\0", "a.mdb is an Access database."),
        ("a.sqlite", b"SQLite format 3\0", "a.sqlite is an SQLite database."),
        ("letter.docx", b"hello", "letter.docx has the name of another type (Word) than its content."),
        ("letter.docx", b"\xd0\xcf\x11\xe0", "letter.docx is an old Microsoft Office file of an unknown kind."),
        ("a.pdf", b"hello", "a.pdf has the name of another type (PDF) than its content."),
        ("a.txt", b"a\0b\x01\x02\xffc", "a.txt is not text."),
        ("a.xyz", b"a,b", "a.xyz can't be read: it is a .xyz file."),
        ("a.txt", b"", "a.txt is empty."),
    ],
)
def test_what_is_not_read_is_refused_by_name(name: str, head: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        media_type(name, BytesIO(head))
    assert str(refused.value).startswith(sentence)
