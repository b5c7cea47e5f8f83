import core.migrating
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

from decimal import Decimal


class Migration(migrations.Migration):

    replaces = [('exposure', '0001_exposures'), ('exposure', '0002_places_of_moves')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('pricing', '0001_squashed_0012_kept_prices_are_told'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='ExposureProgress',
                fields=[
                    ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                    ('seq', models.BigIntegerField(default=-1, help_text='Below 0 before everybody was looked at once.')),
                    ('looked_at', models.DateTimeField(help_text='When the last round was made.')),
                    ('entry_id', models.BigIntegerField(default=0, help_text='Journal entries up to this one were seen.')),
                    ('transition_id', models.BigIntegerField(default=0, help_text='Moves of invoices up to this one were seen.')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='exposure_progress_one')],
                },
            ),
            migrations.CreateModel(
                name='Exposure',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3)),
                    ('unbilled', models.DecimalField(decimal_places=4, help_text='Invoices of running periods and of ended ones without a draft, if nothing more were used.', max_digits=20)),
                    ('drafted', models.DecimalField(decimal_places=4, help_text='Drafts, held and approved invoices.', max_digits=20)),
                    ('unpaid', models.DecimalField(decimal_places=4, help_text='What the books say is owed for final invoices.', max_digits=20)),
                    ('total', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('projected', models.DecimalField(decimal_places=4, help_text='Invoices of the running periods at their ends, if usage goes on as it did so far.', max_digits=20)),
                    ('elapsed', models.DecimalField(decimal_places=6, help_text='Of the running periods, the share that has passed: 0 to 1.', max_digits=7)),
                    ('past', models.JSONField(help_text='Totals of the latest final invoices of whole periods, the newest first.')),
                    ('usage', models.JSONField(help_text='Per meter in the running period: quantity, what is included, when it ends.')),
                    ('inputs', models.JSONField(help_text='What the figures are made of, line by line.')),
                    ('is_behind', models.BooleanField(help_text='The sums of a new way to read usage are still being caught up.')),
                    ('is_complete', models.BooleanField(help_text='Nothing is behind, and everything has a price and a tax.')),
                    ('as_of', models.DateTimeField()),
                    ('watermark_seq', models.BigIntegerField(help_text='Every accepted event up to this one is in.')),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exposures', to='accounts.customer')),
                    ('recount_at', models.DateTimeField(help_text='When a long window that sums cannot tell is counted anew; empty where there is none.', null=True)),
                ],
                options={
                    'ordering': ['-total', 'customer'],
                    'indexes': [models.Index(fields=['as_of'], name='exposure_as_of'), models.Index(condition=models.Q(('recount_at__isnull', False)), fields=['recount_at'], name='exposure_recount')],
                    'constraints': [models.UniqueConstraint(fields=('customer', 'currency'), name='exposure_once'), models.CheckConstraint(condition=models.Q(('total', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('unbilled'), '+', models.F('drafted')), '+', models.F('unpaid')))), name='exposure_adds_up'), models.CheckConstraint(condition=models.Q(('drafted__range', ('-1e15', '1e15')), ('unbilled__range', ('-1e15', '1e15')), ('unpaid__range', ('-1e15', '1e15'))), name='exposure_bounds'), models.CheckConstraint(condition=models.Q(('elapsed__range', (Decimal('0'), Decimal('1')))), name='exposure_elapsed'), models.CheckConstraint(condition=models.Q(('watermark_seq__gte', 0)), name='exposure_watermark')],
                },
            ),
            migrations.CreateModel(
                name='ExposureDay',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3)),
                    ('day', models.DateField()),
                    ('unbilled', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('total', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('as_of', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ],
                options={
                    'ordering': ['-day'],
                    'constraints': [models.UniqueConstraint(fields=('customer', 'currency', 'day'), name='exposure_day_once')],
                },
            ),
            migrations.CreateModel(
                name='ProgramCost',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('charge_code', models.CharField(max_length=60)),
                    ('currency', models.CharField(max_length=3)),
                    ('period_start', models.DateTimeField()),
                    ('period_end', models.DateTimeField()),
                    ('so_far', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('at_end', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('active_accounts', models.PositiveIntegerField()),
                    ('expected_accounts', models.PositiveIntegerField()),
                    ('as_of', models.DateTimeField()),
                    ('watermark_seq', models.BigIntegerField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('program', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.feeprogram')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.subscription')),
                ],
                options={
                    'ordering': ['-period_end', 'customer'],
                    'constraints': [models.UniqueConstraint(fields=('subscription', 'charge_code', 'period_start'), name='exposure_program_cost_once'), models.CheckConstraint(condition=models.Q(('period_start__lt', models.F('period_end'))), name='exposure_program_cost_period')],
                },
            ),
        ]),
    ]
