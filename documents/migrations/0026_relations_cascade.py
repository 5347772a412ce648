"""What a chunk says of what goes with it in the database itself."""

from importlib import import_module

from django.db import migrations

CASCADE = import_module("documents.migrations.0002_index").CASCADE


class Migration(migrations.Migration):
    dependencies = [("documents", "0025_relations")]

    operations = [
        migrations.RunSQL(CASCADE.format(table="documents_relation", column="chunk_id", parent="documents_chunk"))
    ]
