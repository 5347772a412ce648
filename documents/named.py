"""Where something is named, and what is named with it, in what a user may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, QuerySet

from documents.models import Document, Mention, User
from documents.places import marked
from documents.rag.entities import key
from documents.rag.types import Role
from documents.searching.results import Place
from documents.searching.snippets import Marker

PLACES = 50
NEIGHBOURS = 40


@dataclass(frozen=True, slots=True)
class Named:
    """Something by its name, with the passages that name it, those that bear the name first."""

    name: str
    places: Sequence[tuple[Document, Place]]
    count: int
    neighbours: Sequence[tuple[str, int]]
    """Other names in the same passages, and in how many of them, the commonest first."""


def named(user: User, name: str) -> Named | None:
    """What is known by a name; None where nothing that the user may read names it."""
    mentions = _readable(user).filter(key=key(name))
    shown = list(mentions.select_related("chunk__version__document__library").order_by("-role", "chunk")[:PLACES])
    if not shown:
        return None
    marker = Marker(shown[0].name)
    chunks = mentions.values("chunk")
    others = _readable(user).filter(chunk__in=chunks).exclude(key=key(name)).values("key")
    near = others.annotate(count=Count("pk"), name=Max("name")).order_by("-count", "key")[:NEIGHBOURS]
    return Named(
        shown[0].name,
        [(mention.chunk.version.document, _place(mention, marker)) for mention in shown],
        mentions.count(),
        [(other["name"], other["count"]) for other in near],
    )


def is_named(user: User, name: str) -> bool:
    """Whether anything that the user may read names it."""
    return bool(key(name)) and _readable(user).filter(key=key(name)).exists()


def _readable(user: User) -> QuerySet[Mention]:
    """Of current versions alone."""
    documents = Document.objects.readable_by(user)
    return Mention.objects.filter(
        chunk__version__in=documents.values("current"), library__in=documents.values("library")
    )


def _place(mention: Mention, marker: Marker) -> Place:
    chunk = mention.chunk
    snippet = marker.snippet(chunk.text)
    return Place(
        address=chunk.address,
        where=" > ".join(chunk.heading_path),
        html=marked(chunk.text, snippet.start, snippet.end, snippet.marks),
        cut_before=snippet.start > 0,
        cut_after=snippet.end < len(chunk.text),
        language=chunk.language,
        found="" if mention.role == Role.NAME else "bears the name",
    )
