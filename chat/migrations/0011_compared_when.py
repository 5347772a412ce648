from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("chat", "0010_claims")]

    operations = [
        migrations.RemoveField("citation", "compared"),
        migrations.AddField(
            "citation",
            "compared",
            models.DateTimeField(null=True, help_text="When its words were looked for in a later version."),
        ),
    ]
