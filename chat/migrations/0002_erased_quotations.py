from django.db import migrations, models

ERASE = """
UPDATE chat_citation SET title = '', heading = '', quote = '', erased_at = now() WHERE document_id IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [
        migrations.AddField(
            "citation",
            "erased_at",
            models.DateTimeField(blank=True, null=True, help_text="Its words went then, with the document."),
        ),
        migrations.RunSQL(ERASE, migrations.RunSQL.noop),
    ]
