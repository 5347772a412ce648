"""What becomes of files made to do harm: none may crash or hang a reader, fill memory, reach out, or write elsewhere.

Run from the project's root: `python -m bench.hostile [FILES]`, where FILES holds a manifest.tsv. A line for each file,
then how many behave as the manifest expects. All are held to 20 seconds, 512 MB of the reader's process, no connection
and no file outside the folder given, and end with text or a sentence; whatever else the manifest says is checked too.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.figures import Figure, tell
from bench.memory import Watched
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import media_type
from documents.rag.parsing.members import Room
from documents.rag.parsing.reading import read
from documents.rag.parsing.recognising import CONTAINERS
from documents.rag.parsing.unpacking import unpack
from documents.rag.types import HowRead, Page

FILES = Path(__file__).parents[2] / "shared/data/hostile"
FOLDERS = ("archives", "pdf_fuzz", "pdf_malformed", "ooxml_malformed", "ole_malformed", "xml")
SECONDS, MEGABYTES = 20, 512
ROOM = Room(files=1000, bytes=1 << 30, file_bytes=100 << 20)

UNEXPANDED = 20
"""How many times its own size a text may have: an entity that is expanded makes it thousands of times as long."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: its text, what was unpacked of it, what was said, and what its readers did meanwhile."""

    file: str
    bytes: int
    seconds: float
    megabytes: float
    characters: int
    said: tuple[str, ...]
    connected: bool
    strays: int

    @property
    def contained(self) -> bool:
        """Whether it kept to what all files are held to."""
        within = self.seconds <= SECONDS and self.megabytes <= MEGABYTES
        return within and not self.connected and not self.strays and bool(self.said or self.characters)


class Readers:
    """This process' children, looked at again and again; `connected` once one of them had a socket of the Internet."""

    def __init__(self) -> None:
        self.connected = False

    def __call__(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            children = [*psutil.Process().children(recursive=True)]
            self.connected |= any(map(_has_socket, children))
            return children
        return []


def main(root: Path) -> None:
    if not (root / "manifest.tsv").exists():
        sys.exit(f"There are no hostile files in {root}. Name their folder: python -m bench.hostile FILES")
    with (root / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["file"].split("/")[0] in FOLDERS]
    outcomes = {row["file"]: _outcome(root, row["file"]) for row in rows}
    for outcome in outcomes.values():
        print(json.dumps(asdict(outcome), ensure_ascii=False))
    failed = [row["file"] for row in rows if not _holds(outcomes[row["file"]], row)]
    figure = Figure("hostile files that do no harm", len(rows) - len(failed), "files", len(rows), at_least=True)
    tell(figure, failed=failed)
    tell(Figure("longest on a hostile file", max(each.seconds for each in outcomes.values()), "s", SECONDS))
    tell(Figure("most memory for a hostile file", max(each.megabytes for each in outcomes.values()), "MB", MEGABYTES))


# --- What is expected -------------------------------------------------------------------------


def _holds(outcome: Outcome, row: Mapping[str, str]) -> bool:
    """Whether each part of the manifest's sentence is true that goes beyond what all files are held to."""
    rules = [rule for words, rule in _RULES.items() if words in row["expected_behaviour"]]
    return outcome.contained and all(rule(outcome) for rule in rules)


def _unexpanded(outcome: Outcome) -> bool:
    return outcome.characters <= UNEXPANDED * outcome.bytes


def _refused(outcome: Outcome) -> bool:
    return bool(outcome.said)


def _named(outcome: Outcome) -> bool:
    """Whether it is told by its name that the file, or what would lead out of it, isn't taken in."""
    return _refused(outcome) and all(Path(outcome.file).name in sentence for sentence in outcome.said)


_RULES: dict[str, Callable[[Outcome], bool]] = {
    "entities": _unexpanded,
    "refuse by ratio": _refused,
    "or refuse archives": _named,
}


# --- A file -----------------------------------------------------------------------------------


def _outcome(root: Path, file: str) -> Outcome:
    path, readers = root / file, Readers()
    with tempfile.TemporaryDirectory() as folder:
        # Deep, so that a path that climbs out of it still ends where we look.
        into = Path(folder, *"unpacked")
        into.mkdir(parents=True)
        began = time.monotonic()
        with Watched(readers) as watched:
            texts, said, names = asyncio.run(_all(path, into))
        seconds = time.monotonic() - began
        strays = [found for found in Path(folder).rglob("*") if found.is_file() and found.parent != into]
        strays += [into / name for name in names if (into / name).exists() and (into / name).resolve().parent != into]
    return Outcome(
        file,
        path.stat().st_size,
        round(seconds, 2),
        round(watched.peak / 2**20, 1),
        sum(map(len, texts)),
        tuple(said),
        readers.connected,
        len(strays),
    )


async def _all(path: Path, into: Path) -> tuple[list[str], list[str], list[str]]:
    """Its texts, what was said of it and its pages and members, and the paths that it gives its members."""
    texts, said, names = list[str](), list[str](), list[str]()
    try:
        with path.open("rb") as file:
            kind = media_type(path.name, file)
        async for page in read(path, kind, name=path.name):
            if isinstance(page, Page):
                texts.append(page.text)
                said += filter(None, [page.error or ("left for OCR" if page.how_read is HowRead.WAITING else "")])
        if kind in CONTAINERS:
            async for member in unpack(path, kind, into, ROOM, name=path.name):
                names.append(member.path)
                said += filter(None, [member.error])
    except UnreadableDocument as refusal:
        said.append(str(refusal))
    return texts, said, names


def _has_socket(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return bool(process.net_connections("inet"))
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FILES)
