"""Progress by socket, for those who may read the library."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from documents.models import Library, User, Version
from documents.progress import announce
from documents.urls import websocket_urlpatterns
from tests.documents.conftest import Give

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


class Socket:
    """A user's socket to a library's consumer."""

    def __init__(self, library: Library, user: User) -> None:
        scope = {"type": "websocket", "path": f"/ws/libraries/{library.pk}/", "user": user}
        routes: Any = URLRouter
        communicator: Any = ApplicationCommunicator
        self._socket = communicator(routes(websocket_urlpatterns), scope)

    async def connect(self) -> dict[str, Any]:
        await self._socket.send_input({"type": "websocket.connect"})
        return await self.next()

    async def next(self) -> dict[str, Any]:
        """What comes next."""
        message: dict[str, Any] = await self._socket.receive_output()
        return message

    async def disconnect(self) -> None:
        await self._socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._socket.wait()


@pytest.fixture
def version(give: Give) -> Version:
    version = give("leave.md", "# Leave").version
    version.status, version.pages_total, version.pages_read = Version.Status.READING, 80, 12
    return version


async def test_it_works(library: Library, owner: User, teammate: User, version: Version) -> None:
    for user in (owner, teammate):
        following = Socket(library, user)
        assert (await following.connect())["type"] == "websocket.accept"
        await announce(version)
        told = {
            "document": version.document_id,
            "status": "reading",
            "text": "reading page 12 of 80",
            "share": 0.15,
        }
        assert json.loads((await following.next())["text"]) == {"documents": [told]}
        await following.disconnect()


async def test_a_stranger_is_sent_away(library: Library, stranger: User) -> None:
    assert await Socket(library, stranger).connect() == {"type": "websocket.close", "code": 4404}


async def test_who_is_let_out_hears_no_more(library: Library, teammate: User, version: Version) -> None:
    following = Socket(library, teammate)
    await following.connect()
    await library.memberships.filter(user=teammate).adelete()
    await announce(version)
    assert await following.next() == {"type": "websocket.close", "code": 4404}


async def test_who_is_switched_off_hears_no_more(library: Library, teammate: User, version: Version) -> None:
    following = Socket(library, teammate)
    await following.connect()
    await User.objects.filter(pk=teammate.pk).aupdate(is_active=False)
    await announce(version)
    assert (await following.next())["type"] == "websocket.close"
