"""What texts name, and how they are linked by it; an entity is no more than what its mentions have in common."""

from __future__ import annotations

from django.db import models

from documents.models.index import Chunk
from documents.models.library import Library


class Mention(models.Model):
    """That a chunk names something. Written and read by `documents.vector_db`, and gone with its chunk.

    `key` is what the thing is known by (`documents.rag.entities`), `role` what the name is to the chunk.
    """

    library = models.ForeignKey(Library, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    chunk = models.ForeignKey(Chunk, models.DO_NOTHING, related_name="mentions", db_index=False)
    key = models.CharField(max_length=100, db_collation="C")
    name = models.CharField(max_length=100)
    role = models.PositiveSmallIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint("chunk", "key", name="one_mention_a_chunk"),)
        indexes = (models.Index("library", "key", "role", name="mentions_of_a_key"),)

    def __str__(self) -> str:
        return f"{self.name} in {self.chunk}"


class Relation(models.Model):
    """What a chunk says of what, as a chat model read it (`documents.relations`). Gone with its chunk.

    Both ends are mentions of the chunk as well.
    """

    library = models.ForeignKey(Library, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    chunk = models.ForeignKey(Chunk, models.DO_NOTHING, related_name="relations")
    subject = models.CharField(max_length=100)
    relation = models.CharField(max_length=100)
    object = models.CharField(max_length=100)
    subject_key = models.CharField(max_length=100, db_collation="C")
    object_key = models.CharField(max_length=100, db_collation="C")

    class Meta:
        indexes = (
            models.Index("library", "subject_key", name="relations_of_a_subject"),
            models.Index("library", "object_key", name="relations_of_an_object"),
        )

    def __str__(self) -> str:
        return f"{self.subject} {self.relation} {self.object}"
