"""What an answer was written from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0007_found_in_trace'),
    ]

    operations = [
        migrations.CreateModel(
            name='Prompt',
            fields=[
                ('message', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='chat.message')),
                ('text', models.TextField()),
            ],
        ),
    ]
