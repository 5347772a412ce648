"""Documents from one library into another, in one step: at no moment are they in both, or in neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from django.db import IntegrityError, connection, transaction

from documents.erasure import take_turn
from documents.models import Block, Chunk, Document, Embedding, Library, Mention, Posting, Relation, Version
from documents.rag.errors import PermanentError
from documents.rag.lexical import EVERY_CHUNK, POSTING, Postings


class NotMoved(PermanentError):
    """This document can't be moved."""


def move(document: Document, target: Library) -> None:
    """Put a document, and what it holds, into another library; whoever may not read that finds it no more.

    Nothing is read or embedded again. Whether the user may edit both libraries has to be known. Raises NotMoved.
    """
    if document.container_id:
        raise NotMoved(f"{document.name} came in {document.container}. Move that, and it goes with it.")
    try:
        with transaction.atomic():
            members = Document.objects.within(document).values_list("pk", flat=True)
            _move([document.pk, *members], document, target)
    except IntegrityError as error:
        raise NotMoved(f"{target} has a document of the same file as {document.name}. Remove that first.") from error


def _move(documents: Sequence[int], document: Document, target: Library) -> None:
    # Whoever takes one to work on it waits, and then sees where it is.
    versions = list(Version.objects.select_for_update().filter(document__in=documents).order_by("pk"))
    if any(version.lease for version in versions):
        raise NotMoved(f"{document.name} is being read just now. Move it once it is ready.")
    ids = [version.pk for version in versions]
    Document.objects.filter(pk__in=documents).update(library=target)
    Embedding.objects.filter(chunk__version__in=ids).update(library=target)
    for of_chunks in (Mention, Relation):
        of_chunks.objects.filter(chunk__version__in=ids).update(library=target)
    for library in sorted({document.library_id, target.pk}):
        take_turn(library)
    versions_of = dict(Chunk.objects.filter(version__in=ids).values_list("pk", "version"))
    for block in Block.objects.filter(versions__overlap=ids):
        _move_postings(block, versions_of, target)


def _move_postings(block: Block, versions_of: Mapping[int, int], target: Library) -> None:
    """Put the postings of some chunks into a block of their own in the other library."""
    chunks = np.fromiter(versions_of, np.uint32)
    kept: dict[str, Postings] = {}
    moved: dict[str, Postings] = {}
    for term, packed in Posting.objects.filter(block=block).values_list("term", "packed"):
        postings = np.frombuffer(packed, POSTING)
        goes = np.isin(postings["chunk"], chunks)
        if goes.any():
            kept[term], moved[term] = postings[~goes], postings[goes]
    if not moved:
        return
    going = {versions_of[int(chunk)] for chunk in moved[EVERY_CHUNK]["chunk"]}
    made = Block(library=target, versions=sorted(going), analysis=block.analysis)
    _count(made, moved[EVERY_CHUNK])
    Posting.objects.bulk_create(
        [Posting(library=target, term=term, block=made, packed=each.tobytes()) for term, each in moved.items()]
    )
    block.versions = [version for version in block.versions if version not in going]
    if not len(kept[EVERY_CHUNK]):
        block.delete()
        return
    _count(block, kept[EVERY_CHUNK])
    Posting.objects.filter(block=block, term__in=[term for term, each in kept.items() if not len(each)]).delete()
    left = {term: each.tobytes() for term, each in kept.items() if len(each)}
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE, [list(left), list(left.values()), block.pk])


def _count(block: Block, chunks: Postings) -> None:
    block.chunks, block.length = len(chunks), int(chunks["length"].sum())
    block.save()


_REPLACE = """
UPDATE documents_posting AS posting SET packed = fresh.packed
FROM unnest(%s::text[], %s::bytea[]) AS fresh(term, packed)
WHERE posting.block_id = %s AND posting.term = fresh.term
"""
