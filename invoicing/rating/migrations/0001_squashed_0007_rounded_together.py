import core.migrating
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('rating', '0001_initial'), ('rating', '0002_parts_of_usage'), ('rating', '0003_ratedline_plan_version'), ('rating', '0004_charge_models'), ('rating', '0005_lines_of_plans'), ('rating', '0006_ratedline_fee_version'), ('rating', '0007_rounded_together')]

    initial = True

    dependencies = [
        ('metering', '0001_squashed_0016_sums_of_whatever_is_priced'),
        ('pricing', '0001_squashed_0012_kept_prices_are_told'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='RatedLine',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('segment_start', models.DateTimeField()),
                    ('segment_end', models.DateTimeField()),
                    ('effective_at', models.DateTimeField(help_text='Since when the price version was in force.')),
                    ('quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                    ('share_part', models.BigIntegerField(default=1, help_text="Numerator of a fee's share of its period, in days or microseconds.")),
                    ('share_whole', models.BigIntegerField(default=1)),
                    ('share_unit', models.CharField(default='day', max_length=10)),
                    ('computation', models.JSONField(help_text='How the amount came about, step by step; numbers as decimal strings.')),
                    ('currency', models.CharField(max_length=3)),
                    ('amount_exact', models.DecimalField(decimal_places=50, help_text='Before its one rounding.', max_digits=70)),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('rated_at', models.DateTimeField()),
                    ('charge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.charge')),
                    ('price_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.priceversion')),
                    ('snapshot', models.OneToOneField(help_text='Empty: flat fee.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rated_line', to='metering.aggregationsnapshot')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.subscription')),
                    ('part_count', models.BigIntegerField(help_text='Into how many parts the usage was split; empty where the price needs the quantity alone.', null=True)),
                    ('parts_digest', models.CharField(blank=True, help_text='SHA-256 over all that the parts say, in order.', max_length=64)),
                    ('plan_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.planversion')),
                    ('fee_version', models.ForeignKey(help_text='The figures in force, where the price follows a fee program.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.feeprogramversion')),
                    ('rounding', models.DecimalField(decimal_places=4, default=0, help_text='What rounding together gave or took, beside the amount rounded half up by itself.', max_digits=20)),
                    ('rounding_level', models.CharField(default='line', help_text='By itself, or together with the other lines of its invoice.', max_length=10)),
                ],
                options={
                    'indexes': [models.Index(fields=['subscription', 'segment_start'], name='rating_line_segment_idx')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('segment_start__lt', models.F('segment_end'))), name='rating_line_segment'), models.CheckConstraint(condition=models.Q(('amount__range', ('-1e15', '1e15')), ('amount_exact__range', ('-1e15', '1e15')), ('quantity__range', ('-1e15', '1e15'))), name='rating_line_bounds'), models.CheckConstraint(condition=models.Q(('share_part__range', (0, models.F('share_whole'))), ('share_whole__gt', 0)), name='rating_line_share'), models.CheckConstraint(condition=models.Q(models.Q(('rounding', 0), ('rounding_level', 'line')), models.Q(('rounding__range', (-1, 1)), ('rounding_level', 'invoice')), _connector='OR'), name='rating_line_rounding'), models.CheckConstraint(condition=models.Q(models.Q(('part_count', None), ('parts_digest', '')), models.Q(('part_count__gte', 0), models.Q(('parts_digest', ''), _negated=True)), _connector='OR'), name='rating_line_parts')],
                },
            ),
            migrations.CreateModel(
                name='LineGround',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('ground', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='carries', to='rating.ratedline')),
                    ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grounds', to='rating.ratedline')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('line', 'ground'), name='rating_ground_once'), models.CheckConstraint(condition=models.Q(('line', models.F('ground')), _negated=True), name='rating_ground_other')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='ratedline',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a357d2d31ec36e07106740c5424ce72164ebb51a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_5f364', table='rating_ratedline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='ratedline',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='8b9afc16097e17c0f8d2067b5333bbbacf127106', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4af7e', table='rating_ratedline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='lineground',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e2585c9a898034af91037a5fdc06ecb11def5574', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_736c5', table='rating_lineground', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='lineground',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='f92426c5987531ce34dd77734769b75779f362cc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_2a8d1', table='rating_lineground', when='BEFORE')),
            ),
        ]),
    ]
