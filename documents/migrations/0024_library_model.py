"""The chat model that answers from a library."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0023_spending'),
    ]

    operations = [
        migrations.AddField(
            model_name='library',
            name='chat_model',
            field=models.CharField(blank=True, help_text='The model that answers from this library, where whoever asks chooses none.', max_length=200),
        ),
    ]
