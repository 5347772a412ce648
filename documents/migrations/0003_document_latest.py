from django.db import migrations, models
from django.db.models.deletion import SET_NULL


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_index")]

    operations = [
        migrations.AddField(
            "document",
            "latest",
            models.ForeignKey("documents.Version", SET_NULL, null=True, blank=True, related_name="+"),
        ),
        migrations.AddField("version", "title", models.CharField(max_length=500, blank=True)),
        migrations.AddField(
            "version",
            "attempts",
            models.PositiveIntegerField(default=0, help_text="How often it failed for a reason that may pass."),
        ),
    ]
