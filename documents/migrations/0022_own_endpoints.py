"""Several chat models, what is known of each, and libraries whose text stays at own endpoints."""


from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from documents.endpoints import is_own


def mark_own(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for endpoint in apps.get_model("documents", "Endpoint").objects.all():
        endpoint.own = is_own(endpoint.base_url)
        endpoint.save()


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0021_mentions_cascade'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='endpoint',
            options={'ordering': ('position', 'pk')},
        ),
        migrations.RemoveConstraint(
            model_name='endpoint',
            name='one_endpoint',
        ),
        migrations.AddField(
            model_name='endpoint',
            name='active',
            field=models.BooleanField(default=True, verbose_name='in use'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='completion_price',
            field=models.FloatField(blank=True, help_text='Of a million tokens.', null=True, verbose_name='price of writing'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='context_tokens',
            field=models.PositiveIntegerField(blank=True, help_text='Tokens.', null=True, verbose_name='context length'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='json_schema',
            field=models.BooleanField(blank=True, null=True, verbose_name='keeps to a JSON schema'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='own',
            field=models.BooleanField(default=False, help_text='What is sent there stays with us, as on a server of ours. Else it is external.', verbose_name='our own'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='position',
            field=models.PositiveSmallIntegerField(default=1, help_text='1 is asked first.', verbose_name='order'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='prompt_price',
            field=models.FloatField(blank=True, help_text='Of a million tokens.', null=True, verbose_name='price of reading'),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='reasoning_effort',
            field=models.CharField(blank=True, choices=[('minimal', 'minimal'), ('low', 'low'), ('medium', 'medium'), ('high', 'high')], help_text='Only for models that reason.', max_length=10),
        ),
        migrations.AddField(
            model_name='endpoint',
            name='tools',
            field=models.BooleanField(blank=True, null=True, verbose_name='calls tools'),
        ),
        migrations.AddField(
            model_name='library',
            name='own_endpoints_only',
            field=models.BooleanField(default=False, help_text='Its text goes to no external model: none that writes, embeds, reranks or judges.'),
        ),
        migrations.AddConstraint(
            model_name='endpoint',
            constraint=models.UniqueConstraint(models.F('base_url'), models.F('chat_model'), name='one_model_an_address', violation_error_message='This model of this address is connected already. Change it in the table.'),
        ),
        migrations.RunPython(mark_own, migrations.RunPython.noop),
    ]
