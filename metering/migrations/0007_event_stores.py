"""Which store holds the raw events, and how far they were shipped or copied there."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metering', "0006_meter_versions"),
    ]

    operations = [
        migrations.CreateModel(
            name='StoreCopy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('store', models.CharField(choices=[('postgres', 'PostgreSQL'), ('clickhouse', 'ClickHouse')], max_length=10)),  # noqa: E501  as pgtrigger writes it
                ('copied_seq', models.BigIntegerField(default=0)),
                ('started_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'store copies',
            },
        ),
        migrations.CreateModel(
            name='StoreSwitch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('store', models.CharField(choices=[('postgres', 'PostgreSQL'), ('clickhouse', 'ClickHouse')], max_length=10)),  # noqa: E501  as pgtrigger writes it
                ('up_to_seq', models.BigIntegerField(help_text='Every event up to here was copied and compared.')),
                ('event_count', models.BigIntegerField()),
                ('digest', models.CharField(help_text='Of every column of every row that was compared, in capture order.', max_length=64)),  # noqa: E501  as pgtrigger writes it
                ('switched_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Shipment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_seq', models.BigIntegerField()),
                ('last_seq', models.BigIntegerField()),
                ('event_count', models.BigIntegerField()),
                ('noted_at', models.DateTimeField()),
                ('shipped_at', models.DateTimeField(help_text='Set once, when the other store had counted as many.', null=True)),  # noqa: E501  as pgtrigger writes it
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('event_count__gt', 0), ('first_seq__lte', models.F('last_seq'))), name='metering_shipment_has_events')],  # noqa: E501  as pgtrigger writes it
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='shipment',
            trigger=pgtrigger.compiler.Trigger(name='shipment_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."first_seq" IS DISTINCT FROM (NEW."first_seq") OR OLD."last_seq" IS DISTINCT FROM (NEW."last_seq") OR OLD."event_count" IS DISTINCT FROM (NEW."event_count") OR OLD."noted_at" IS DISTINCT FROM (NEW."noted_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0da25a82a2795c0190c15900f321c4375050cc5c', operation='UPDATE', pgid='pgtrigger_shipment_is_fixed_d7705', table='metering_shipment', when='BEFORE')),  # noqa: E501  as pgtrigger writes it
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='shipment',
            trigger=pgtrigger.compiler.Trigger(name='shipped_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."shipped_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f21c6248e200ba21552a1996f8c401c8f4edc774', operation='UPDATE', pgid='pgtrigger_shipped_once_5c22c', table='metering_shipment', when='BEFORE')),  # noqa: E501  as pgtrigger writes it
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='shipment',
            trigger=pgtrigger.compiler.Trigger(name='shipment_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c878b53d1b3c87575228c7b4603d0d1609d3afab', operation='DELETE', pgid='pgtrigger_shipment_is_kept_7459b', table='metering_shipment', when='BEFORE')),  # noqa: E501  as pgtrigger writes it
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='shipment',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='88c3d5b2f4086c39f420f92ae22a218b0d4fb450', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_5327c', table='metering_shipment', when='BEFORE')),  # noqa: E501  as pgtrigger writes it
        ),
        migrations.AddConstraint(
            model_name='storecopy',
            constraint=models.CheckConstraint(condition=models.Q(('store__in', ['postgres', 'clickhouse'])), name='metering_copy_store'),  # noqa: E501  as pgtrigger writes it
        ),
        migrations.AddConstraint(
            model_name='storecopy',
            constraint=models.UniqueConstraint(models.Value(1), name='metering_copy_one'),
        ),
        migrations.AddConstraint(
            model_name='storeswitch',
            constraint=models.CheckConstraint(condition=models.Q(('store__in', ['postgres', 'clickhouse'])), name='metering_switch_store'),  # noqa: E501  as pgtrigger writes it
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='storeswitch',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='67537f4d73c405936fd22ee8745124b92b5d28fe', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_2c38b', table='metering_storeswitch', when='BEFORE')),  # noqa: E501  as pgtrigger writes it
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='storeswitch',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e9b4f8da3a4850d41db824dbdb9e62e6c9682cb9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4ebe5', table='metering_storeswitch', when='BEFORE')),  # noqa: E501  as pgtrigger writes it
        ),
    ]
