from django.db import migrations, models

from documents.rag.types import Box, Word, Words


def pack(apps, schema_editor):
    Page = apps.get_model("documents", "Page")
    for page in Page.objects.exclude(boxes=[]).only("boxes").iterator(100):
        page.words = Words.of(Word(start, end, Box(*sides)) for start, end, *sides in page.boxes).packed
        page.save(update_fields=["words"])


class Migration(migrations.Migration):
    dependencies = [("documents", "0003_document_latest")]

    operations = [
        migrations.RenameField("page", "words", "boxes"),
        migrations.AddField("page", "words", models.BinaryField(default=b"")),
        migrations.RunPython(pack, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("page", "boxes"),
    ]
