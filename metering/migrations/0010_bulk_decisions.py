"""Decisions over many quarantined events at once."""

import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metering', '0009_usage_rollups'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BulkDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(choices=[('release', 'Check again and release'), ('discard', 'Discard')], max_length=10)),
                ('code', models.CharField(help_text='The first reason of the events.', max_length=60)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('event_type', models.CharField(blank=True, max_length=200)),
                ('subject', models.CharField(help_text='Only events of this one, if there is one.', max_length=200, null=True)),
                ('up_to_id', models.BigIntegerField(help_text='Events that came later are not part of it.')),
                ('total', models.PositiveIntegerField()),
                ('reason', models.TextField()),
                ('started_at', models.DateTimeField()),
                ('last_id', models.BigIntegerField(default=0, help_text='The last event that was decided.')),
                ('accepted', models.PositiveIntegerField(default=0)),
                ('duplicates', models.PositiveIntegerField(default=0)),
                ('kept', models.PositiveIntegerField(default=0, help_text='Still break a rule, and wait on with their new reasons.')),
                ('discarded', models.PositiveIntegerField(default=0)),
                ('passed_over', models.PositiveIntegerField(default=0, help_text='Decided by somebody else meanwhile, or raced.')),
                ('finished_at', models.DateTimeField(null=True)),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('action__in', ['release', 'discard'])), name='metering_bulk_action'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='metering_bulk_reason'), models.CheckConstraint(condition=models.Q(('finished_at', None), ('total', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('accepted'), '+', models.F('duplicates')), '+', models.F('kept')), '+', models.F('discarded')), '+', models.F('passed_over'))), _connector='OR'), name='metering_bulk_adds_up')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkdecision',
            trigger=pgtrigger.compiler.Trigger(name='decision_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."event_type" IS DISTINCT FROM (NEW."event_type") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."up_to_id" IS DISTINCT FROM (NEW."up_to_id") OR OLD."total" IS DISTINCT FROM (NEW."total") OR OLD."action" IS DISTINCT FROM (NEW."action") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."started_by_id" IS DISTINCT FROM (NEW."started_by_id") OR OLD."started_at" IS DISTINCT FROM (NEW."started_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3c52e387b4d60656606670e7b248add0d82d72b7', operation='UPDATE', pgid='pgtrigger_decision_is_fixed_283bc', table='metering_bulkdecision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkdecision',
            trigger=pgtrigger.compiler.Trigger(name='decision_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='fffbcd6f6401f4c8a2fd85303260298f673433b1', operation='DELETE', pgid='pgtrigger_decision_is_kept_ed877', table='metering_bulkdecision', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bulkdecision',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='48a703298c98778be0f534f5022f5d99d78f102b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_6239a', table='metering_bulkdecision', when='BEFORE')),
        ),
    ]
