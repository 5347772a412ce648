"""What archives and e-mails hold, and what they try."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import Opened, media_type, parse
from documents.rag.parsing import members as lots
from documents.rag.parsing.members import Member, Room
from documents.rag.parsing.recognising import EML, MSG, ZIP
from documents.rag.parsing.unpacking import unpack
from documents.rag.types import Page

SHARED = Path(__file__).parents[3] / "shared/data"
AMPLE = Room(1000, 1 << 30, 1 << 28)


def content(member: Member) -> str:
    """What was written out."""
    return Path(member.file).read_text()


async def unpacked(path: Path, kind: str, into: Path, room: Room = AMPLE) -> list[Member]:
    into.mkdir()  # noqa: ASYNC240
    return [member async for member in unpack(path, kind, into, room, name=path.name)]


def text(path: Path, kind: str) -> tuple[str, str]:
    """Title and text."""
    opened, *pages = parse(path, kind, name=path.name)
    assert isinstance(opened, Opened)
    return opened.title, "\n".join(page.text for page in pages if isinstance(page, Page))


def zipped(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


# --- Archives -----------------------------------------------------------------------------------


async def test_the_files_of_an_archive_are_written_out(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"leave.md": "25 days", "rules/travel.md": "Book early", "rules/": ""})
    first, second = await unpacked(path, ZIP, tmp_path / "out")
    assert (first.number, first.count, first.path) == (1, 2, "leave.md")
    assert second.path == "rules/travel.md"
    assert content(second) == "Book early"
    assert text(path, ZIP) == ("", "leave.md\nrules/travel.md")


async def test_a_large_archive_is_unpacked_in_lots(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{f"{number}.md": str(number) for number in range(2 * lots.LOT + 1)})
    found = await unpacked(path, ZIP, tmp_path / "out", Room(9999, 1 << 30, 1 << 28))
    assert [member.path for member in found] == [f"{number}.md" for number in range(2 * lots.LOT + 1)]


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "C:\\evil.txt"])
async def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.zip", **{name: "evil", "good.txt": "good"})
    evil, good = await unpacked(path, ZIP, tmp_path / "out")
    assert evil.error.endswith("in a.zip has a path that leads out of the archive.")
    assert content(good) == "good"
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {"a.zip", "2"}  # noqa: ASYNC240


async def test_links_and_doubles_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("passwords")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.txt", "first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "second")
    link_, first, second = await unpacked(path, ZIP, tmp_path / "out")
    assert link_.error == "passwords in a.zip is no file, but a link to one."
    assert content(first) == "first"
    assert second.error == "a.txt in a.zip is in the archive twice; the first was taken."


async def test_a_bomb_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"zeros.txt": "0" * (5 << 20), "good.txt": "good"})
    zeros, good = await unpacked(path, ZIP, tmp_path / "out")
    assert zeros.error.endswith("would be more than 200 times as large as it is packed, as in a ZIP bomb.")
    assert content(good) == "good"


async def test_files_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"a.txt": "first", "b.txt": "second"})
    data = bytearray(path.read_bytes())
    second = data.rindex(b"PK\1\2")
    struct.pack_into("<I", data, second + 42, 0)  # Where its header begins: where the first one's does.
    path.write_bytes(data)
    for member in await unpacked(path, ZIP, tmp_path / "out"):
        assert member.error.endswith("shares its bytes with another file, as in a ZIP bomb.")


async def test_what_is_encrypted_or_damaged_is_said_of_each(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"secret.txt": "secret", "broken.txt": "broken", "good.txt": "good"})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + flags] |= 1
    data[data.index(b"broken.txt") + len(b"broken.txt")] ^= 0xFF
    path.write_bytes(data)
    secret, broken, good = await unpacked(path, ZIP, tmp_path / "out")
    assert "secret.txt in a.zip is encrypted; unpack" in secret.error
    assert broken.error == "broken.txt in a.zip is damaged in the archive."
    assert content(good) == "good"


async def test_a_truncated_archive_is_refused_by_its_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"a.txt": "first" * 1000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableDocument, match=r"a\.zip is cut off, or no ZIP archive\. Download or pack it again"):
        await unpacked(path, ZIP, tmp_path / "out")


async def test_there_is_room_for_so_many_files_and_bytes(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{f"{number}.txt": os.urandom(50_000).hex() for number in range(5)})
    *taken, left = await unpacked(path, ZIP, tmp_path / "files", Room(2, 1 << 30, 1 << 28))
    assert len(taken) == 2
    assert left.error.startswith("The last 3 files in a.zip were left out: ")
    *taken, left = await unpacked(path, ZIP, tmp_path / "bytes", Room(100, 400_000, 1 << 28))
    assert len(taken) == 4
    assert left.error.startswith("The last 1 files in a.zip were left out: ")
    for member in await unpacked(path, ZIP, tmp_path / "large", Room(100, 1 << 30, 50_000)):
        assert "Footnote takes files of up to" in member.error


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("utf-8", ["Übersicht.txt"]),
        ("cp437", ["Größe.txt", "Müller.txt"]),
        ("cp932", ["契約書.txt", "お知らせ.txt"]),
    ],
)
async def test_names_are_read_in_the_encoding_they_look_like(tmp_path: Path, encoding: str, names: list[str]) -> None:
    letters = [name.encode(encoding) for name in names]
    plain = {chr(ord("a") + number) * len(name): "text" for number, name in enumerate(letters)}
    data = zipped(tmp_path / "a.zip", **plain).read_bytes()
    for placeholder, name in zip(plain, letters, strict=True):
        data = data.replace(placeholder.encode(), name)
    (tmp_path / "a.zip").write_bytes(data)
    assert [member.path for member in await unpacked(tmp_path / "a.zip", ZIP, tmp_path / "out")] == names


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared data")
@pytest.mark.parametrize("name", ["zip-slip.zip", "zip-slip-win.zip"])
async def test_the_known_archives_that_lead_out_do_not(tmp_path: Path, name: str) -> None:
    good, evil = await unpacked(SHARED / "hostile/archives" / name, ZIP, tmp_path / "out")
    assert good.path == "good.txt"
    assert "leads out of the archive" in evil.error


# --- E-mail -------------------------------------------------------------------------------------


def write(path: Path, message: EmailMessage) -> Path:
    path.write_bytes(bytes(message))
    return path


def letter(subject: str = "Résumé of the day") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Ada <ada@example.com>"
    message["To"] = "bob@example.com"
    message["Subject"] = subject
    message.set_content("Plan\n\nIn *HTML*.\n\nBut for this.")
    message.add_alternative("<h1>Plan</h1><p>In <b>HTML</b>.</p>", subtype="html")
    return message


def test_an_email_is_its_header_and_its_body_and_what_only_its_text_says(tmp_path: Path) -> None:
    title, shown = text(write(tmp_path / "a.eml", letter()), EML)
    assert title == "Résumé of the day"
    header = "From: Ada <ada@example.com>\nTo: bob@example.com\nSubject: Résumé of the day"
    assert shown == f"{header}\n\nPlan\n\nIn HTML.\n\nBut for this."


async def test_what_is_attached_is_written_out_without_the_pictures_of_the_body(tmp_path: Path) -> None:
    message = letter()
    message.add_attachment("The plan", filename="../../plan.md")
    message.add_attachment(letter("Inside"))
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", cid="<logo>", disposition="inline")
    path = write(tmp_path / "a.eml", message)
    plan, inside = await unpacked(path, EML, tmp_path / "out")
    assert (plan.path, content(plan).strip()) == ("plan.md", "The plan")
    assert inside.path == "Inside.eml"
    assert text(Path(inside.file), EML)[0] == "Inside"


def test_an_email_in_utf_16_and_one_with_a_wrong_charset_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes("Subject: Wide\n\nHello".encode("utf-16-le"))
    assert text(path, media_type("a.eml", BytesIO(path.read_bytes()))) == ("Wide", "Subject: Wide\n\nHello")
    path.write_bytes(b'Subject: Odd\nContent-Type: text/plain; charset="no-such"\n\nGr\xfc\xdfe aus M\xfcnchen')
    assert text(path, EML)[1].endswith("Grüße aus München")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared data")
async def test_an_outlook_message_is_read_with_what_is_attached(tmp_path: Path) -> None:
    path = SHARED / "files/msg/msg_with_attachment.msg"
    assert media_type(path.name, BytesIO(path.read_bytes())) == MSG
    title, shown = text(path, MSG)
    assert title == "Email with Attachment"
    assert 'From: "Alice Example" <alice@example.com>\nTo: Bob Example <bob@example.com>\n' in shown
    assert [member.path for member in await unpacked(path, MSG, tmp_path / "out")] == ["test.txt", "report.pdf"]


def test_a_damaged_outlook_message_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.msg"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    with pytest.raises(UnreadableDocument, match=r"a\.msg is damaged, or no Outlook message\."):
        list(parse(path, MSG, name=path.name))
