"""Usage added up by hour, day and month, and the repairs of it."""

import django.contrib.postgres.fields
import django.db.models.deletion
import metering.rules.covering
import metering.rules.exact_json
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_external_ids'),
        ('metering', '0008_webhook_sources'),
    ]

    operations = [
        migrations.CreateModel(
            name='RollupSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value_property', models.CharField(blank=True, max_length=120)),
                ('filters', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, encoder=metering.rules.exact_json.ExactEncoder, null=True)),
                ('arrival_sign', models.SmallIntegerField(help_text='-1 where of one instant the first received counts as later.')),
                ('group_by', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), help_text='Properties whose values are kept apart.', size=None)),
                ('reading_hash', models.CharField(help_text='SHA-256 over these.', max_length=64)),
                ('seq', models.BigIntegerField(default=0, help_text='Every accepted event up to this one is in, and no other.')),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.eventcontract')),
            ],
            options={
                'verbose_name_plural': 'rollup series',
            },
        ),
        migrations.CreateModel(
            name='RollupRepair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(max_length=5)),
                ('starts_at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(null=True), size=None)),
                ('found', models.JSONField(help_text='What the row said; empty where there was none.', null=True)),
                ('counted', models.JSONField(help_text='What the events say; empty where there are none.', null=True)),
                ('seq', models.BigIntegerField(help_text='The last event that both have seen.')),
                ('repaired_at', models.DateTimeField()),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ('series', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='repairs', to='metering.rollupseries')),
            ],
            options={
                'ordering': ['-repaired_at', '-id'],
            },
        ),
        migrations.CreateModel(
            name='UsageRollup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.CharField(max_length=5)),
                ('starts_at', models.DateTimeField()),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(null=True), help_text="The values of the series' properties, in order.", size=None)),
                ('groups_hash', models.BinaryField(help_text='A value may be longer than an index takes.', max_length=32)),
                ('event_count', models.BigIntegerField()),
                ('measured_count', models.BigIntegerField(help_text='Of these, events with a value the series can read.')),
                ('total', models.DecimalField(decimal_places=18, max_digits=60, null=True)),
                ('highest', models.DecimalField(decimal_places=18, max_digits=38, null=True)),
                ('lowest', models.DecimalField(decimal_places=18, max_digits=38, null=True)),
                ('last_value', models.DecimalField(decimal_places=18, max_digits=38, null=True)),
                ('last_at', models.DateTimeField(null=True)),
                ('last_arrival', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ('last_event_id', models.CharField(db_collation='C', max_length=200, null=True)),
                ('last_source', models.CharField(db_collation='C', max_length=200, null=True)),
                ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ('series', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='metering.rollupseries')),
            ],
        ),
        migrations.AddConstraint(
            model_name='rollupseries',
            constraint=models.UniqueConstraint(fields=('contract', 'reading_hash'), name='metering_rollup_series_once'),
        ),
        migrations.AddConstraint(
            model_name='rollupseries',
            constraint=models.CheckConstraint(condition=models.Q(('arrival_sign__in', [-1, 1])), name='metering_rollup_series_sign'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolluprepair',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a6e9a49d956aad7d37bc26201c1f69b5101575a3', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_4f785', table='metering_rolluprepair', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolluprepair',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='4d10a2b1f0ed86ccfddc15baa20bb4ee1faca5b1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0751a', table='metering_rolluprepair', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='usagerollup',
            constraint=models.UniqueConstraint(fields=('series', 'customer', 'grain', 'starts_at', 'groups_hash'), name='metering_rollup_once'),
        ),
        migrations.AddConstraint(
            model_name='usagerollup',
            constraint=models.CheckConstraint(condition=models.Q(('grain__in', [metering.rules.covering.Grain['HOUR'], metering.rules.covering.Grain['DAY'], metering.rules.covering.Grain['MONTH']])), name='metering_rollup_grain'),
        ),
        migrations.AddConstraint(
            model_name='usagerollup',
            constraint=models.CheckConstraint(condition=models.Q(('event_count__gt', 0), ('measured_count__gte', 0), ('measured_count__lte', models.F('event_count'))), name='metering_rollup_counts'),
        ),
    ]
