"""Containers unpacked under caps of memory and time, a lot of files at a time."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import astuple
from pathlib import Path

from documents.rag.errors import UnreadableDocument
from documents.rag.parsing.children import Breakdown, Child
from documents.rag.parsing.members import Member, Room, members
from documents.rag.parsing.reading import SMALL_BYTES, Limits
from documents.rag.parsing.recognising import EML

_LIMITS = Limits()


async def unpack(
    path: Path, media_type: str, into: Path, room: Room, *, name: str, limits: Limits = _LIMITS
) -> AsyncGenerator[Member]:
    """The files in a container, in order, written to the folder `into`; whoever takes one removes it there.

    One at which the unpacker breaks down is told as an error, and unpacking goes on after it. Raises
    UnreadableDocument where nothing of the container can be read.
    """
    if media_type == EML and await asyncio.to_thread(os.path.getsize, path) <= SMALL_BYTES:
        for member in await asyncio.to_thread(lambda: list(members(path, media_type, 1, into, room, name=name))):
            yield member
        return
    number, count = 1, None
    while count is None or number <= count:
        begun = number
        try:
            async with aclosing(_lot(path, media_type, number, into, room, name=name, limits=limits)) as lot:
                async for member in lot:
                    number, count = member.number + 1, member.count
                    yield member
        except Breakdown as breakdown:
            if count is None:
                raise UnreadableDocument(f"{name} can't be unpacked: it {breakdown}.") from breakdown
            if number == begun:
                yield Member(number, count, "", error=f"File {number} in {name} can't be unpacked: it {breakdown}.")
                number += 1
        else:
            count = count or 0


async def _lot(
    path: Path, media_type: str, first: int, into: Path, room: Room, *, name: str, limits: Limits
) -> AsyncGenerator[Member]:
    """What a child unpacks from file `first` on. Raises Breakdown and UnreadableDocument."""
    given = (str(path), media_type, str(first), str(into), name, *map(str, (*astuple(room), *astuple(limits))))
    async with Child("documents.rag.parsing.unpacker", *given, memory=limits.memory) as child:
        while line := await child.line(limits.seconds):
            said = json.loads(line)
            if "unreadable" in said:
                raise UnreadableDocument(said["unreadable"])
            yield Member(**said)
