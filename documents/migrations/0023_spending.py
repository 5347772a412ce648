"""What models cost, and how much of that may be spent."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('documents', '0022_own_endpoints'),
    ]

    operations = [
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('team', 'All together'), ('each', 'Everyone, each'), ('one', 'One person')], default='each', max_length=10, verbose_name='for')),
                ('amount', models.FloatField(help_text="In the currency of the models' prices.")),
                ('period', models.CharField(choices=[('day', 'a day'), ('month', 'a month')], default='month', max_length=10)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('scope', 'pk'),
                'constraints': [models.UniqueConstraint(models.F('scope'), models.F('period'), condition=models.Q(('user', None)), name='one_budget_a_scope'), models.UniqueConstraint(models.F('user'), models.F('period'), condition=models.Q(('user', None), _negated=True), name='one_budget_a_user'), models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='budget_not_below_nothing'), models.CheckConstraint(condition=models.Q(('scope', 'one'), ('user', None), _connector='XOR'), name='budget_of_one_names_whom')],
            },
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message', models.BigIntegerField(help_text='The answer that it was for.', null=True)),
                ('day', models.DateField(default=django.utils.timezone.localdate)),
                ('kind', models.CharField(max_length=20)),
                ('model', models.CharField(max_length=200)),
                ('host', models.CharField(max_length=200)),
                ('prompt_tokens', models.PositiveIntegerField(default=0)),
                ('completion_tokens', models.PositiveIntegerField(default=0)),
                ('cost', models.FloatField(default=0, help_text="As far as the model's prices are known.")),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'usage',
                'indexes': [models.Index(fields=['day', 'user'], name='usage_of_a_day')],
            },
        ),
    ]
