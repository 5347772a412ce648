"""What is searched. Written and read by `documents.vector_db` in SQL of its own; the models are the schema.

The database itself cascades between these tables (migration 0002), so that however a row goes, nothing that was made
of it stays.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from pgvector.django import HalfVectorField

from documents.models.document import Version
from documents.models.library import Library


class Chunk(models.Model):
    """A piece of a version's text; `spans` are [page, start, end], and `text` their texts joined."""

    version = models.ForeignKey(Version, models.DO_NOTHING, related_name="chunks", db_index=False)
    position = models.PositiveIntegerField("chunk_id")
    spans = models.JSONField()
    heading_path = models.JSONField(default=list)
    text = models.TextField()
    tokens = models.PositiveIntegerField()
    hash = models.BinaryField(max_length=32)
    language = models.CharField(max_length=2, blank=True, help_text="ISO 639-1, empty where it is hard to tell.")
    related = models.BooleanField(db_default=False, help_text="Whether its relations were read.")
    signature = ArrayField(models.IntegerField(), help_text="Near-duplicates have some of its numbers in common.")

    class Meta:
        constraints = (
            # Looked at when a statement ends, so that one statement can move many chunks on.
            models.UniqueConstraint(
                fields=("version", "position"), name="one_chunk_a_position", deferrable=models.Deferrable.IMMEDIATE
            ),
        )
        indexes = (
            HashIndex(fields=("hash",), name="chunks_of_a_text"),
            # Without a list of entries to be sorted in later: each search would read all of that list.
            GinIndex(fields=("signature",), name="chunks_that_are_alike", fastupdate=False),
        )

    def __str__(self) -> str:
        return f"{self.version}, chunk {self.position}"

    @property
    def address(self) -> str:
        """Of the place where it begins."""
        return self.version.place(*self.spans[0])


class EmbeddingSpace(models.Model):
    """The vectors of one model; questions are embedded by the live one's model. Each has an HNSW index of its own.

    One that is built, with a lease of whoever builds it, comes to be live in the place of the one that then is retired.
    What is evaluated by another model than the live one's is in a space on trial, as long as that takes.
    """

    class State(models.TextChoices):
        BUILDING = "building"
        LIVE = "live"
        RETIRED = "retired"
        TRIAL = "trial"

    model = models.CharField(max_length=200)
    dimensions = models.PositiveIntegerField()
    full_dimensions = models.PositiveIntegerField(null=True, help_text="Of the model's own vectors, where shortened.")
    query_prefix = models.TextField(db_default="", help_text="What stands before each question, for the model.")
    passage_prefix = models.TextField(db_default="", help_text="What stands before each text.")
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)

    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    rate = models.FloatField(null=True, help_text="Chunks a second, as they were embedded last.")
    error = models.TextField(db_default="", help_text="Why it is not being built any further, in one sentence.")

    class Meta:
        constraints = tuple(
            models.UniqueConstraint("state", condition=models.Q(state=state), name=f"one_{state}_embedding_space")
            for state in ("live", "building")
        )

    def __str__(self) -> str:
        return f"{self.model} ({self.dimensions})"


class Embedding(models.Model):
    """The vector of one window of a chunk."""

    space = models.ForeignKey(EmbeddingSpace, models.DO_NOTHING, related_name="+", db_index=False)
    library = models.ForeignKey(Library, models.DO_NOTHING, related_name="+", db_index=False)
    chunk = models.ForeignKey(Chunk, models.DO_NOTHING, related_name="+")
    window = models.PositiveSmallIntegerField()
    vector = HalfVectorField()

    class Meta:
        constraints = (models.UniqueConstraint("space", "chunk", "window", name="one_embedding_a_window"),)
        indexes = (models.Index(fields=("library", "space"), name="embeddings_of_a_library"),)

    def __str__(self) -> str:
        return f"{self.chunk}, window {self.window}"


class Block(models.Model):
    """A stretch of the inverted index: whose words are in it, of how many chunks, and their length in words."""

    library = models.ForeignKey(Library, models.DO_NOTHING, related_name="+")
    versions = ArrayField(models.BigIntegerField())
    chunks = models.PositiveIntegerField()
    length = models.BigIntegerField()
    analysis = models.PositiveSmallIntegerField(db_default=1, help_text="Which one made the terms of its texts.")

    class Meta:
        indexes = (GinIndex(fields=("versions",), name="blocks_of_a_version"),)

    def __str__(self) -> str:
        return f"{self.library}, block {self.pk}"


class Posting(models.Model):
    """Where a term occurs in a block: packed (chunk, frequency, chunk length) triples, by chunk id.

    Its library goes when the block's does; a constraint of its own would be checked for every term of every block.
    """

    library = models.ForeignKey(Library, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    term = models.CharField(max_length=100, db_collation="C")
    block = models.ForeignKey(Block, models.DO_NOTHING, related_name="+")
    packed = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint("library", "term", "block", name="one_posting_a_block"),)

    def __str__(self) -> str:
        return f"{self.term} in {self.block}"
