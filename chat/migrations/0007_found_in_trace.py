"""The chunks of an answer stand in its trace."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0006_trace'),
    ]

    operations = [
        migrations.RemoveField(
            model_name='message',
            name='found',
        ),
        migrations.AlterField(
            model_name='message',
            name='documents',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='That it rests on.', size=None),
        ),
    ]
