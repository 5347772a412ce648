"""What belongs to golden questions and runs goes with them in the database itself: a result may be stored meanwhile."""

from importlib import import_module

from django.db import migrations

CASCADE = import_module("documents.migrations.0002_index").CASCADE

CASCADES = (
    ("documents_goldenquestion", "library_id", "documents_library"),
    ("documents_goldenplace", "question_id", "documents_goldenquestion"),
    ("documents_goldenplace", "document_id", "documents_document"),
    ("documents_evaluationrun_libraries", "library_id", "documents_library"),
    ("documents_evaluationresult", "golden_id", "documents_goldenquestion"),
    ("documents_evaluationresult", "run_id", "documents_evaluationrun"),
)


class Migration(migrations.Migration):
    dependencies = [("documents", "0018_analysis")]

    operations = [
        migrations.RunSQL(CASCADE.format(table=table, column=column, parent=parent))
        for table, column, parent in CASCADES
    ]
