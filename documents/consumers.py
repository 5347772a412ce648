"""How far the documents of a library are, live."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer

from documents.models import Library, User
from documents.progress import group
from documents.threads import in_thread

UNKNOWN = 4404


class LibraryConsumer(AsyncJsonWebsocketConsumer):
    """Passes on what is announced of one library, as long as its user may read it."""

    async def connect(self) -> None:
        if not await self._may_read():
            await self.close(UNKNOWN)
            return
        await self.channel_layer.group_add(self._group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self._group, self.channel_name)

    async def progress(self, event: dict[str, Any]) -> None:
        if not await self._may_read():
            await self.close(UNKNOWN)
            return
        await self.send_json({"documents": event["documents"]})

    @property
    def _library(self) -> int:
        return int(self.scope["url_route"]["kwargs"]["library_id"])

    @property
    def _group(self) -> str:
        return group(self._library)

    async def _may_read(self) -> bool:
        user = self.scope["user"]
        return user is not None and await in_thread(_may_read, user.pk, self._library)


def _may_read(user_id: int | None, library_id: int) -> bool:
    """Looked up anew: the user may have been let out of the library, or switched off, since the socket was opened."""
    users = User.objects.filter(pk=user_id) if user_id else User.objects.none()
    return any(Library.objects.readable_by(user).filter(pk=library_id).exists() for user in users)
