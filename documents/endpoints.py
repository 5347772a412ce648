"""Which endpoints are the team's own, and what may be sent to others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from documents.models import EmbeddingSpace, Endpoint, Library
from documents.rag.embedding import LocalEmbedding
from documents.rag.errors import PermanentError

_LOCAL = (".local", ".lan", ".internal", ".intern", ".home.arpa")


class StaysHere(PermanentError):
    """This text may go to the team's own endpoints only."""


def is_own(address: str) -> bool:
    """Whether what is sent to an address stays with the team: on this machine or network, or a host of OWN_HOSTS."""
    host = (urlsplit(address).hostname or "").lower()
    if host in settings.OWN_HOSTS:
        return True
    try:
        address_of_host = ip_address(host)
    except ValueError:
        return bool(host) and ("." not in host or host.endswith(_LOCAL))
    return address_of_host.is_private


@dataclass(frozen=True, slots=True)
class Connected:
    """A chat model that may be asked, and where text goes for it; `again` where one of its name is asked before it."""

    name: str
    host: str
    own: bool
    again: bool = False


def chat_models() -> list[Connected]:
    """Those that are in use, in the order in which they are asked."""
    rows = {(row.base_url, row.chat_model): row for row in Endpoint.objects.all()}
    found: list[Connected] = []
    if settings.CHAT_MODEL:
        row = rows.pop((settings.OPENAI_BASE_URL, settings.CHAT_MODEL), None)
        own = row.own if row else is_own(settings.OPENAI_BASE_URL)
        found.append(Connected(settings.CHAT_MODEL, _host(settings.OPENAI_BASE_URL), own))
    found += [Connected(row.chat_model, _host(row.base_url), row.own) for row in rows.values() if row.active]
    first = {model.name: model for model in reversed(found)}
    return [replace(model, again=model is not first[model.name]) for model in found]


def _host(address: str) -> str:
    return urlsplit(address).netloc


def embeds_outside(model: str) -> bool:
    """Whether texts leave the team to be embedded by this model."""
    return model != LocalEmbedding.name and not is_own(settings.OPENAI_BASE_URL)


def kept_here() -> QuerySet[Library]:
    """The libraries whose text may go to own endpoints only."""
    return Library.objects.filter(own_endpoints_only=True)


def outside_embedding() -> str:
    """The model by which texts are embedded, where that is an external one; else empty."""
    live = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.LIVE).values_list("model", flat=True)
    model = live.first() or settings.EMBEDDING_MODEL or LocalEmbedding.name
    return model if embeds_outside(model) else ""


def may_be_kept_here() -> str:
    """Why no library can be for own endpoints only as things are; empty where one can."""
    if not (model := outside_embedding()):
        return ""
    return (
        f"Texts are embedded by {model} at {_host(settings.OPENAI_BASE_URL)}, which is external. "
        "Embed by a model of your own first, as `manage.py reembed` does; then no text leaves."
    )
