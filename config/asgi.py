"""What the web server runs: pages, sockets, and the one system that both share."""

from __future__ import annotations

import gc
import os
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

# Consumers import models, which exist only from here on.
from chat.answering import open_answers
from chat.urls import websocket_urlpatterns as chat_sockets
from config.origins import from_our_pages
from config.static import Receive, Scope, Send, with_static_files
from documents.urls import websocket_urlpatterns as document_sockets
from documents.wiring import open_system


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the system open as long as the server runs."""
    await receive()
    async with open_system(), open_answers():
        _spare_the_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _spare_the_collector() -> None:
    """Look for cyclic garbage seldom, and never among what was loaded at the start: each full look stops all answers
    for a tenth of a second, and the garbage of an answer is no cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


sockets: list[Any] = [*chat_sockets, *document_sockets]
signed_in: Any = AuthMiddlewareStack(URLRouter(sockets))
application = ProtocolTypeRouter(
    {
        "http": with_static_files(pages),
        "websocket": from_our_pages(signed_in),
        "lifespan": lifespan,
    }
)
