"""What chunks name. Upkeep finds it out of what was indexed before."""

import django.db.models.deletion
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("documents", "0019_results_cascade")]

    operations = [
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(db_collation="C", max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("role", models.PositiveSmallIntegerField()),
                (
                    "chunk",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="mentions",
                        to="documents.chunk",
                    ),
                ),
                (
                    "library",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="documents.library",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(models.F("library"), models.F("key"), models.F("role"), name="mentions_of_a_key")
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("chunk"), models.F("key"), name="one_mention_a_chunk")
                ],
            },
        ),
    ]
