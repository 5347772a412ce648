"""Where something is named, and what is named with it, in what a user may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, Q, QuerySet

from documents.models import Document, Mention, Relation, User
from documents.places import marked
from documents.rag.entities import key
from documents.rag.types import Role
from documents.searching.results import Place
from documents.searching.snippets import Marker

PLACES = 50
NEIGHBOURS = 40
RELATIONS = 100


@dataclass(frozen=True, slots=True)
class Named:
    """Something by its name, with the passages that name it, those that bear the name first."""

    name: str
    places: Sequence[tuple[Document, Place]]
    count: int
    neighbours: Sequence[tuple[str, int]]
    """Other names in the same passages, and in how many of them, the commonest first."""
    relations: Sequence[Relation]
    """What is said of it, where a chat model read that."""


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
        list(_relations(user, key(name))[:RELATIONS]),
    )


def is_named(user: User, name: str) -> bool:
    """Whether anything that the user may read names it."""
    return bool(key(name)) and _readable(user).filter(key=key(name)).exists()


def _relations(user: User, known_by: str) -> QuerySet[Relation]:
    said = Relation.objects.filter(_in_documents(user), Q(subject_key=known_by) | Q(object_key=known_by))
    return said.select_related("chunk__version__document").order_by("subject_key", "relation", "object_key", "pk")


def _readable(user: User) -> QuerySet[Mention]:
    return Mention.objects.filter(_in_documents(user))


def _in_documents(user: User) -> Q:
    """That its chunk is of a current version which the user may read."""
    documents = Document.objects.readable_by(user)
    return Q(chunk__version__in=documents.values("current"), library__in=documents.values("library"))


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
