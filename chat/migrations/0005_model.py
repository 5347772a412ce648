"""Which chat model a conversation asks first."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0004_deeper'),
    ]

    operations = [
        migrations.AddField(
            model_name='conversation',
            name='model',
            field=models.CharField(blank=True, help_text='Asked first; empty, the first that is connected.', max_length=200),
        ),
    ]
