"""What an answer rests on, so that it can be gone deeper than, what its model thought, and what it cost."""


import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0003_feedback'),
    ]

    operations = [
        migrations.AddField(
            model_name='message',
            name='cost',
            field=models.FloatField(default=0, help_text="In the currency of the models' prices, as far as these are known."),
        ),
        migrations.AddField(
            model_name='message',
            name='documents',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='The documents of these.', size=None),
        ),
        migrations.AddField(
            model_name='message',
            name='found',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, help_text='The chunks that it rests on, best first.', size=None),
        ),
        migrations.AddField(
            model_name='message',
            name='thinking',
            field=models.TextField(blank=True, help_text='What a reasoning model thought before it answered.'),
        ),
    ]
