"""Chunks that are there already get the language and the signature that new ones have."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from documents.rag.duplicates import signature
from documents.rag.language import language
from documents.rag.types import Chunk

AT_A_TIME = 1_000


def fill(apps, schema_editor) -> None:
    chunks = apps.get_model("documents", "Chunk").objects
    for chunk in chunks.only("text", "heading_path").iterator(AT_A_TIME):
        alike = signature(Chunk(chunk.text, (), 0, {}, tuple(chunk.heading_path)))
        chunks.filter(pk=chunk.pk).update(language=language(chunk.text), signature=alike)


class Migration(migrations.Migration):
    dependencies = [("documents", "0008_recognition")]

    operations = [
        migrations.AddField(
            "chunk",
            "language",
            models.CharField(
                default="", max_length=2, blank=True, help_text="ISO 639-1, empty where it is hard to tell."
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "chunk",
            "signature",
            ArrayField(
                models.IntegerField(), default=list, help_text="Near-duplicates have some of its numbers in common."
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            "chunk", GinIndex(fields=["signature"], name="chunks_that_are_alike", fastupdate=False)
        ),
    ]
