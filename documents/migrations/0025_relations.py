"""What chunks say of what, where a chat model read it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0024_library_model'),
    ]

    operations = [
        migrations.AddField(
            model_name='chunk',
            name='related',
            field=models.BooleanField(db_default=False, help_text='Whether its relations were read.'),
        ),
        migrations.AddField(
            model_name='library',
            name='relations',
            field=models.BooleanField(default=False, help_text='A chat model reads each passage once, for what it says of what: more for graph to follow, about as many tokens as the documents have.', verbose_name='read for relations'),
        ),
        migrations.AddField(
            model_name='library',
            name='relations_due',
            field=models.DateTimeField(editable=False, help_text='When passages are next looked for.', null=True),
        ),
        migrations.AddField(
            model_name='library',
            name='relations_error',
            field=models.TextField(blank=True, editable=False),
        ),
        migrations.CreateModel(
            name='Relation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=100)),
                ('relation', models.CharField(max_length=100)),
                ('object', models.CharField(max_length=100)),
                ('subject_key', models.CharField(db_collation='C', max_length=100)),
                ('object_key', models.CharField(db_collation='C', max_length=100)),
                ('chunk', models.ForeignKey(on_delete=django.db.models.deletion.DO_NOTHING, related_name='relations', to='documents.chunk')),
                ('library', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='documents.library')),
            ],
            options={
                'indexes': [models.Index(models.F('library'), models.F('subject_key'), name='relations_of_a_subject'), models.Index(models.F('library'), models.F('object_key'), name='relations_of_an_object')],
            },
        ),
    ]
