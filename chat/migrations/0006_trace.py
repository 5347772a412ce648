"""How an answer came about."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0005_model'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='trace',
            field=models.JSONField(default=dict, help_text='How it came about (chat.tracing); no word of a document.'),
        ),
    ]
