import datetime

import accounts.validators
import core.migrating
import core.sealed_fields
import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
import metering.models.snapshots
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('pricing', '0001_initial'), ('pricing', '0002_versions_are_approved'), ('pricing', '0003_fee_programs_and_invoice_terms'), ('pricing', '0004_charge_models'), ('pricing', '0005_fee_program_prices'), ('pricing', '0006_fixed_days_and_months_of_thirty'), ('pricing', '0007_quantities_and_kept_prices'), ('pricing', '0008_rounding_level'), ('pricing', '0009_kept_prices_released'), ('pricing', '0010_paid_in_advance'), ('pricing', '0011_read_as_known'), ('pricing', '0012_kept_prices_are_told')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
        ('metering', '0001_squashed_0016_sums_of_whatever_is_priced'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='FeeProgram',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(max_length=120)),
                    ('description', models.TextField(blank=True)),
                    ('takes_effect', models.CharField(choices=[('at_once', 'At its instant, also inside a period'), ('next_period', 'With the first billing period that begins then or later')], default='at_once', help_text='A program that counts accounts changes with a period, or an account would count twice.', max_length=12)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'ordering': ['code'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('takes_effect__in', ['at_once', 'next_period'])), name='pricing_feeprogram_takes_effect')],
                },
            ),
            migrations.CreateModel(
                name='FeeProgramVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('effective_at', models.DateTimeField()),
                    ('status', models.CharField(choices=[('proposed', 'Proposed'), ('approved', 'Approved'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                    ('created_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('terms', models.JSONField(help_text='Tables by currency and country, and policies; numbers as decimal strings.')),
                    ('source', models.CharField(help_text='Where the figures stand.', max_length=300)),
                    ('source_date', models.DateField(help_text='When they were read there.')),
                    ('source_kind', models.CharField(choices=[('primary', "The provider's own page or contract"), ('secondary', 'A page of somebody else')], max_length=10)),
                    ('note', models.CharField(blank=True, help_text='What changed, or what remains to be checked.', max_length=300)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('program', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='pricing.feeprogram')),
                ],
                options={
                    'ordering': ['program', 'effective_at', 'version'],
                    'constraints': [models.UniqueConstraint(fields=('program', 'version'), name='pricing_feeprogramversion_version'), models.CheckConstraint(condition=models.Q(('source_kind__in', ['primary', 'secondary']), models.Q(('source', ''), _negated=True)), name='pricing_feeversion_source'), models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_feeversion_instant'), models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'approved', 'withdrawn'])), name='pricing_feeversion_status'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('status', 'proposed')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status', 'withdrawn')), models.Q(('decided_at__isnull', False), ('status', 'approved')), _connector='OR'), name='pricing_feeversion_decision'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('created_by__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('created_by')), _negated=True)), models.Q(('decided_at', models.F('created_at')), ('decided_by__isnull', True)), _connector='OR'), name='pricing_feeversion_two_persons')],
                },
            ),
            migrations.CreateModel(
                name='Plan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(max_length=120)),
                    ('description', models.TextField(blank=True)),
                    ('currency', models.CharField(max_length=3, validators=[accounts.validators.check_currency])),
                    ('interval', models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month'), ('quarter', 'Quarter'), ('year', 'Year')], default='month', max_length=10)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('interval_count', models.PositiveSmallIntegerField(default=1, help_text='Intervals in a billing period: 30 of a day each, 2 weeks, 6 months.')),
                ],
                options={
                    'ordering': ['code'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('interval__in', ['day', 'week', 'month', 'quarter', 'year'])), name='pricing_plan_interval'), models.CheckConstraint(condition=models.Q(('interval_count__range', (1, 366))), name='pricing_plan_interval_count')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalCharge',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(help_text='Printed on the invoice line.', max_length=120)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('meter', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='metering.meter')),
                    ('plan', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pricing.plan')),
                ],
                options={
                    'verbose_name': 'historical charge',
                    'verbose_name_plural': 'historical charges',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalFeeProgram',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(max_length=120)),
                    ('description', models.TextField(blank=True)),
                    ('takes_effect', models.CharField(choices=[('at_once', 'At its instant, also inside a period'), ('next_period', 'With the first billing period that begins then or later')], default='at_once', help_text='A program that counts accounts changes with a period, or an account would count twice.', max_length=12)),
                    ('created_at', models.DateTimeField()),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical fee program',
                    'verbose_name_plural': 'historical fee programs',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalPlan',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(max_length=120)),
                    ('description', models.TextField(blank=True)),
                    ('currency', models.CharField(max_length=3, validators=[accounts.validators.check_currency])),
                    ('interval', models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month'), ('quarter', 'Quarter'), ('year', 'Year')], default='month', max_length=10)),
                    ('created_at', models.DateTimeField(blank=True, editable=False)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('interval_count', models.PositiveSmallIntegerField(default=1, help_text='Intervals in a billing period: 30 of a day each, 2 weeks, 6 months.')),
                ],
                options={
                    'verbose_name': 'historical plan',
                    'verbose_name_plural': 'historical plans',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalSubscription',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('anchor_date', models.DateField(help_text='Local date that billing periods are counted from.')),
                    ('time_zone', models.CharField(help_text="The customer's when it began; periods never move, even where the customer does.", max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('customer', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.customer')),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical subscription',
                    'verbose_name_plural': 'historical subscriptions',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='Subscription',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('anchor_date', models.DateField(help_text='Local date that billing periods are counted from.')),
                    ('time_zone', models.CharField(help_text="The customer's when it began; periods never move, even where the customer does.", max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='accounts.customer')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('ends_at', None), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='pricing_subscription_span'), models.CheckConstraint(condition=models.Q(('starts_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_subscription_start'), models.CheckConstraint(condition=models.Q(('time_zone', ''), _negated=True), name='pricing_subscription_zone')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalSubscriptionPhase',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField()),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('plan', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pricing.plan')),
                    ('subscription', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pricing.subscription')),
                ],
                options={
                    'verbose_name': 'historical subscription phase',
                    'verbose_name_plural': 'historical subscription phases',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='InvoiceTerm',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('effective_at', models.DateTimeField()),
                    ('status', models.CharField(choices=[('proposed', 'Proposed'), ('approved', 'Approved'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                    ('created_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('code', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('kind', models.CharField(choices=[('allowance', 'Discount'), ('charge', 'Charge'), ('rounding', 'Rounding of what is to be paid'), ('prepaid', 'Paid in advance')], max_length=10)),
                    ('reason', models.CharField(help_text='Printed on the invoice.', max_length=120)),
                    ('percent', models.DecimalField(blank=True, decimal_places=4, help_text='Of the sum of the lines.', max_digits=7, null=True)),
                    ('amount', models.DecimalField(blank=True, decimal_places=4, help_text='On each invoice; for a rounding the multiple that is rounded to, such as 1 or 0.05; of what was paid in advance all that was paid so far.', max_digits=20, null=True)),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('plan', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoice_terms', to='pricing.plan')),
                    ('subscription', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoice_terms', to='pricing.subscription')),
                ],
                options={
                    'ordering': ['code', 'effective_at', 'version'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('plan__isnull', False)), fields=('plan', 'code', 'version'), name='pricing_invoiceterm_of_plan'), models.UniqueConstraint(condition=models.Q(('subscription__isnull', False)), fields=('subscription', 'code', 'version'), name='pricing_invoiceterm_of_subscription'), models.CheckConstraint(condition=models.Q(models.Q(('plan__isnull', False), ('subscription', None)), models.Q(('plan', None), ('subscription__isnull', False)), _connector='OR'), name='pricing_invoiceterm_subject'), models.CheckConstraint(condition=models.Q(models.Q(('amount', None), ('kind__in', ['allowance', 'charge']), ('percent__range', ('0', '100'))), models.Q(('amount__range', ('0', '1e12')), ('kind__in', ['allowance', 'charge', 'rounding', 'prepaid']), ('percent', None)), _connector='OR'), name='pricing_invoiceterm_figure'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'prepaid'), _negated=True), ('subscription__isnull', False), _connector='OR'), name='pricing_invoiceterm_prepaid'), models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_invoiceterm_instant'), models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'approved', 'withdrawn'])), name='pricing_invoiceterm_status'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('status', 'proposed')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status', 'withdrawn')), models.Q(('decided_at__isnull', False), ('status', 'approved')), _connector='OR'), name='pricing_invoiceterm_decision'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('created_by__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('created_by')), _negated=True)), models.Q(('decided_at', models.F('created_at')), ('decided_by__isnull', True)), _connector='OR'), name='pricing_invoiceterm_two_persons')],
                },
            ),
            migrations.CreateModel(
                name='KeptPrices',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.plan')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='kept_prices', to='pricing.subscription')),
                    ('released_because', core.sealed_fields.OpenedCharField(blank=True, help_text='Why they ended, or will end, earlier than agreed.', max_length=300)),
                ],
                options={
                    'verbose_name_plural': 'kept prices',
                    'ordering': ['subscription', 'starts_at'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('starts_at__lt', models.F('ends_at'))), name='pricing_kept_span'), models.CheckConstraint(condition=models.Q(('starts_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_kept_start'), models.CheckConstraint(condition=models.Q(('ends_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_kept_end'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(metering.models.snapshots.IdRange('subscription'), '='), (metering.models.snapshots.IdRange('plan'), '='), (metering.models.snapshots.TimeRange('starts_at', 'ends_at'), '&&')], name='pricing_kept_no_overlap')],
                },
            ),
            migrations.CreateModel(
                name='PlanVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('effective_at', models.DateTimeField()),
                    ('status', models.CharField(choices=[('proposed', 'Proposed'), ('approved', 'Approved'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                    ('created_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('proration_unit', models.CharField(choices=[('second', 'By second'), ('day', 'By local day'), ('day30', 'By day, every month as 30 days')], default='second', max_length=10)),
                    ('proration_zone', models.CharField(blank=True, help_text="Whose days are counted; empty: those of the subscription's own time zone.", max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='pricing.plan')),
                    ('rounding_level', models.CharField(choices=[('line', 'Each line by itself'), ('invoice', 'The lines of an invoice together')], default='line', help_text='Together: the exact sum of what is rated by itself is rounded once, and the lines add up to it.', max_length=10)),
                ],
                options={
                    'ordering': ['plan', 'effective_at', 'version'],
                    'constraints': [models.UniqueConstraint(fields=('plan', 'version'), name='pricing_plan_version'), models.CheckConstraint(condition=models.Q(('proration_unit__in', ['second', 'day', 'day30'])), name='pricing_planversion_unit'), models.CheckConstraint(condition=models.Q(('rounding_level__in', ['line', 'invoice'])), name='pricing_planversion_rounding'), models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_planversion_instant'), models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'approved', 'withdrawn'])), name='pricing_planversion_status'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('status', 'proposed')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status', 'withdrawn')), models.Q(('decided_at__isnull', False), ('status', 'approved')), _connector='OR'), name='pricing_planversion_decision'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('created_by__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('created_by')), _negated=True)), models.Q(('decided_at', models.F('created_at')), ('decided_by__isnull', True)), _connector='OR'), name='pricing_planversion_two_persons')],
                },
            ),
            migrations.CreateModel(
                name='Charge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(help_text='Printed on the invoice line.', max_length=120)),
                    ('meter', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='metering.meter')),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='pricing.plan')),
                ],
                options={
                    'ordering': ['plan', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('plan', 'code'), name='pricing_charge_code'), models.UniqueConstraint(condition=models.Q(('meter__isnull', False)), fields=('plan', 'meter'), name='pricing_charge_meter_once')],
                },
            ),
            migrations.CreateModel(
                name='PriceVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('effective_at', models.DateTimeField()),
                    ('model', models.CharField(choices=[('flat', 'Flat fee'), ('standard', 'Per unit'), ('graduated', 'Graduated'), ('volume', 'Volume'), ('package', 'Package'), ('graduated_package', 'Graduated packages'), ('volume_package', 'Volume packages'), ('percentage', 'Percentage'), ('graduated_percentage', 'Graduated percentage'), ('dynamic', 'Amount of the event'), ('bucketed', 'By time bucket'), ('dimensional', 'By properties'), ('fee_program', 'Fee program'), ('commitment', 'Minimum or maximum of the plan'), ('plan_discount', 'Discount on the plan'), ('prepaid_credits', 'Credits of the plan')], max_length=20)),
                    ('params', models.JSONField(help_text='Shapes of `POST rating/preview`; numbers as decimal strings.')),
                    ('created_at', models.DateTimeField()),
                    ('charge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_versions', to='pricing.charge')),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('status', models.CharField(choices=[('proposed', 'Proposed'), ('approved', 'Approved'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                ],
                options={
                    'ordering': ['charge', 'effective_at', 'version'],
                    'constraints': [models.UniqueConstraint(fields=('charge', 'version'), name='pricing_price_version'), models.CheckConstraint(condition=models.Q(('model__in', ['flat', 'standard', 'graduated', 'volume', 'package', 'graduated_package', 'volume_package', 'percentage', 'graduated_percentage', 'dynamic', 'bucketed', 'dimensional', 'fee_program', 'commitment', 'plan_discount', 'prepaid_credits'])), name='pricing_price_model'), models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_price_instant'), models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'approved', 'withdrawn'])), name='pricing_price_status'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('status', 'proposed')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status', 'withdrawn')), models.Q(('decided_at__isnull', False), ('status', 'approved')), _connector='OR'), name='pricing_price_decision'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('created_by__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('created_by')), _negated=True)), models.Q(('decided_at', models.F('created_at')), ('decided_by__isnull', True)), _connector='OR'), name='pricing_price_two_persons')],
                },
            ),
            migrations.CreateModel(
                name='SubscriptionPhase',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(null=True)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='phases', to='pricing.plan')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='phases', to='pricing.subscription')),
                ],
                options={
                    'ordering': ['subscription', 'starts_at'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('ends_at', None), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='pricing_phase_span'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(metering.models.snapshots.IdRange('subscription'), '='), (metering.models.snapshots.TimeRange('starts_at', 'ends_at'), '&&')], name='pricing_phase_no_overlap')],
                },
            ),
            migrations.CreateModel(
                name='SubscriptionQuantity',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('charge_code', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                    ('effective_at', models.DateTimeField()),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quantities', to='pricing.subscription')),
                ],
                options={
                    'verbose_name_plural': 'subscription quantities',
                    'ordering': ['subscription', 'charge_code', 'effective_at', 'id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('quantity__range', ('0', '1e15'))), name='pricing_quantity_range'), models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_quantity_instant')],
                },
            ),
            migrations.CreateModel(
                name='TaxRate',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(help_text='Printed on the invoice, such as VAT.', max_length=80)),
                    ('category', models.CharField(choices=[('S', 'Standard rate'), ('Z', 'Zero rated'), ('E', 'Exempt'), ('AE', 'Reverse charge'), ('O', 'Outside the scope of tax')], max_length=2)),
                    ('percent', models.DecimalField(decimal_places=4, max_digits=7)),
                    ('effective_at', models.DateTimeField()),
                    ('note', models.CharField(blank=True, help_text='Reason of an exemption or reverse charge.', max_length=200)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['code', 'effective_at', 'id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='pricing_tax_instant'), models.CheckConstraint(condition=models.Q(('percent__range', ('0', '100'))), name='pricing_tax_percent'), models.CheckConstraint(condition=models.Q(models.Q(('category', 'S'), ('percent__gt', 0)), models.Q(('category__in', ['Z', 'E', 'AE', 'O']), ('percent', 0)), _connector='OR'), name='pricing_tax_category')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogram',
                trigger=pgtrigger.compiler.Trigger(name='terms_are_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."takes_effect" IS DISTINCT FROM (NEW."takes_effect") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='61e79bb76ccab700e8da388b518d876ec13e1deb', operation='UPDATE', pgid='pgtrigger_terms_are_fixed_35158', table='pricing_feeprogram', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogram',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b09ed6bd91a11710d9c67f788d389ea3f139fe0e', operation='DELETE', pgid='pgtrigger_no_delete_07057', table='pricing_feeprogram', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='plan',
                trigger=pgtrigger.compiler.Trigger(name='terms_are_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."interval" IS DISTINCT FROM (NEW."interval") OR OLD."interval_count" IS DISTINCT FROM (NEW."interval_count"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='fc15283b667e3c45aa34391a0939daf0bbc3f419', operation='UPDATE', pgid='pgtrigger_terms_are_fixed_68b54', table='pricing_plan', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogramversion',
                trigger=pgtrigger.compiler.Trigger(name='begins_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='409ed1252778c84978f675de07a94794a7d55900', operation='INSERT', pgid='pgtrigger_begins_proposed_25f1c', table='pricing_feeprogramversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogramversion',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."program_id" IS DISTINCT FROM (NEW."program_id") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."source_date" IS DISTINCT FROM (NEW."source_date") OR OLD."source_kind" IS DISTINCT FROM (NEW."source_kind") OR OLD."note" IS DISTINCT FROM (NEW."note") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='bccbdcec632d578c423685aa6ad0c721d9173baa', operation='UPDATE', pgid='pgtrigger_content_is_fixed_3d161', table='pricing_feeprogramversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogramversion',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\') OR NEW."decided_by_id" IS NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4dce51341dd0fbe9c25a05277ac0dbe4f87aa323', operation='UPDATE', pgid='pgtrigger_decided_once_9e5e8', table='pricing_feeprogramversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogramversion',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'approved\')', declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.decided_at;\n            IF latest IS NOT NULL THEN\n                NEW.decided_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='3346901d4064e78f734f00bdb5ed571298ca3247', operation='UPDATE', pgid='pgtrigger_agreed_after_readers_76644', table='pricing_feeprogramversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogramversion',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5cdfb1ed6f5bff2cfb6dd137521e9e6f40c10015', operation='DELETE', pgid='pgtrigger_no_delete_d6468', table='pricing_feeprogramversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='feeprogramversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='745b35387138c4953216c89772068d827d643db6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0380c', table='pricing_feeprogramversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='charge',
                trigger=pgtrigger.compiler.Trigger(name='subject_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."meter_id" IS DISTINCT FROM (NEW."meter_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f6d8689197ba019799462d3af90ea0b9837e9d58', operation='UPDATE', pgid='pgtrigger_subject_is_fixed_13672', table='pricing_charge', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planversion',
                trigger=pgtrigger.compiler.Trigger(name='begins_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='5b6bad02a6e2ed6148fd0aa8e2e47b3ad2351ad9', operation='INSERT', pgid='pgtrigger_begins_proposed_67008', table='pricing_planversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planversion',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."proration_unit" IS DISTINCT FROM (NEW."proration_unit") OR OLD."proration_zone" IS DISTINCT FROM (NEW."proration_zone") OR OLD."rounding_level" IS DISTINCT FROM (NEW."rounding_level") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='100436d9b0b427a8dcef234ac6056d8866a959df', operation='UPDATE', pgid='pgtrigger_content_is_fixed_6337a', table='pricing_planversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planversion',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\') OR NEW."decided_by_id" IS NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='474c79ec52b66da8e08cc7c06f268083f7cda6a8', operation='UPDATE', pgid='pgtrigger_decided_once_f89ca', table='pricing_planversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planversion',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'approved\')', declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.decided_at;\n            IF latest IS NOT NULL THEN\n                NEW.decided_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='d25477ded6d37b3c5d8b094390e04a8ad839f91b', operation='UPDATE', pgid='pgtrigger_agreed_after_readers_522f7', table='pricing_planversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planversion',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='70c25444f99b2118b91bdc5d54aa5e923bf5e92f', operation='DELETE', pgid='pgtrigger_no_delete_40534', table='pricing_planversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='planversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='4f2e6372fd3d64d8bfa0106c4ab697b0d181ea0c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4b9d9', table='pricing_planversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='begins_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='130d771af85a746a16de873cdab5e8cb25eecc9c', operation='INSERT', pgid='pgtrigger_begins_proposed_38b4e', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."charge_id" IS DISTINCT FROM (NEW."charge_id") OR OLD."model" IS DISTINCT FROM (NEW."model") OR OLD."params" IS DISTINCT FROM (NEW."params") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='fef50f0c80bb29ae97bded512a57edf422d935d7', operation='UPDATE', pgid='pgtrigger_content_is_fixed_6676d', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\') OR NEW."decided_by_id" IS NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ca7653850343283c1ffb69ddfd0c490b08f7f247', operation='UPDATE', pgid='pgtrigger_decided_once_4e2d0', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'approved\')', declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.decided_at;\n            IF latest IS NOT NULL THEN\n                NEW.decided_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='027dd3af8e3256c18f5004849beaaa9fe7d40cd1', operation='UPDATE', pgid='pgtrigger_agreed_after_readers_aff6e', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3729280f6a067413c74d41ac9c89c3c52f01d6f3', operation='DELETE', pgid='pgtrigger_no_delete_0fae7', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='priceversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='550e9b2a109479cd42fc266bd5ff4c26d52f7b6b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_ed666', table='pricing_priceversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscription',
                trigger=pgtrigger.compiler.Trigger(name='start_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."anchor_date" IS DISTINCT FROM (NEW."anchor_date") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone") OR OLD."starts_at" IS DISTINCT FROM (NEW."starts_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1572cdb7635134776930e11855564e835c580ca7', operation='UPDATE', pgid='pgtrigger_start_is_fixed_a0fac', table='pricing_subscription', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscription',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b5d58922a6d1b361664dbaeb1c0e5440114bea06', operation='DELETE', pgid='pgtrigger_no_delete_c58f1', table='pricing_subscription', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscription',
                trigger=pgtrigger.compiler.Trigger(name='phases_tile', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n    IF EXISTS (\n        SELECT 1\n        FROM (\n            SELECT starts_at, ends_at,\n                   lag(ends_at) OVER (ORDER BY starts_at) AS before_ends_at,\n                   lag(starts_at) OVER (ORDER BY starts_at) IS NULL AS is_first,\n                   lead(starts_at) OVER (ORDER BY starts_at) IS NULL AS is_last\n            FROM pricing_subscriptionphase WHERE subscription_id = NEW.id\n        ) AS phase\n        JOIN pricing_subscription AS subscription ON subscription.id = NEW.id\n        WHERE (is_first AND phase.starts_at <> subscription.starts_at)\n           OR (is_last AND phase.ends_at IS DISTINCT FROM subscription.ends_at)\n           OR (NOT is_first AND before_ends_at IS DISTINCT FROM phase.starts_at)\n    ) OR NOT EXISTS (SELECT 1 FROM pricing_subscriptionphase WHERE subscription_id = NEW.id)\n    THEN\n        RAISE EXCEPTION 'the phases of subscription % do not tile it', NEW.id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    IF (\n        SELECT count(DISTINCT (plan.currency, plan.interval, plan.interval_count))\n        FROM pricing_subscriptionphase AS phase JOIN pricing_plan AS plan ON plan.id = phase.plan_id\n        WHERE phase.subscription_id = NEW.id\n    ) > 1\n    THEN\n        RAISE EXCEPTION 'the plans of subscription % differ in currency or interval', NEW.id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NULL;\n", hash='e5ab6882dcb4aa00d79626df423dd19e0247138c', operation='INSERT OR UPDATE', pgid='pgtrigger_phases_tile_b1d1f', table='pricing_subscription', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='keptprices',
                trigger=pgtrigger.compiler.Trigger(name='start_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."subscription_id" IS DISTINCT FROM (NEW."subscription_id") OR OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."starts_at" IS DISTINCT FROM (NEW."starts_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='98672092a5611381a0d70dcaf3f8ef4b9544bcf0', operation='UPDATE', pgid='pgtrigger_start_is_fixed_1ea7e', table='pricing_keptprices', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='keptprices',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.created_at;\n            IF latest IS NOT NULL THEN\n                NEW.created_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='0a55c44100473c5fe4ecddba5e5ecb90a8c6e35a', operation='INSERT', pgid='pgtrigger_agreed_after_readers_d628f', table='pricing_keptprices', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='keptprices',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b93bdee113e6cb3bd610d44897489d738cef38ac', operation='DELETE', pgid='pgtrigger_no_delete_14719', table='pricing_keptprices', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='keptprices',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='eaab4ac8068b9b1fb7b9ea387990443a9012673c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_5883d', table='pricing_keptprices', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceterm',
                trigger=pgtrigger.compiler.Trigger(name='begins_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='b7b90391653c556809c376b8aa9edd87f1a76ddc', operation='INSERT', pgid='pgtrigger_begins_proposed_676d3', table='pricing_invoiceterm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceterm',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."subscription_id" IS DISTINCT FROM (NEW."subscription_id") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."percent" IS DISTINCT FROM (NEW."percent") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4484f1c60fa8cc934a771c377231ff9358c77cf8', operation='UPDATE', pgid='pgtrigger_content_is_fixed_c6cfa', table='pricing_invoiceterm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceterm',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\') OR NEW."decided_by_id" IS NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3c45290b35912edeb5dfc72bcbbcc9def46efe4b', operation='UPDATE', pgid='pgtrigger_decided_once_2a4fc', table='pricing_invoiceterm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceterm',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'approved\')', declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.decided_at;\n            IF latest IS NOT NULL THEN\n                NEW.decided_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='4a9baca3a24befd9bfc383dee8221fcf4aa1abfe', operation='UPDATE', pgid='pgtrigger_agreed_after_readers_d4eda', table='pricing_invoiceterm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceterm',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='bb1eaba96ca5f46a8f3bbfd67a21e2776ae064ec', operation='DELETE', pgid='pgtrigger_no_delete_664e2', table='pricing_invoiceterm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceterm',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='acfa46f67b1ac6f1f3ec7a626e03f8f0bfb60a42', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_7d9fb', table='pricing_invoiceterm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionphase',
                trigger=pgtrigger.compiler.Trigger(name='terms_are_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."subscription_id" IS DISTINCT FROM (NEW."subscription_id") OR OLD."plan_id" IS DISTINCT FROM (NEW."plan_id") OR OLD."starts_at" IS DISTINCT FROM (NEW."starts_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d29dee56a605d118b1d8c6042ed9da901257c70f', operation='UPDATE', pgid='pgtrigger_terms_are_fixed_bbc97', table='pricing_subscriptionphase', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionphase',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='a5ae09198ea7eac29ce31913d146d0444e4408f8', operation='DELETE', pgid='pgtrigger_no_delete_355f8', table='pricing_subscriptionphase', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionphase',
                trigger=pgtrigger.compiler.Trigger(name='phases_tile', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n    IF EXISTS (\n        SELECT 1\n        FROM (\n            SELECT starts_at, ends_at,\n                   lag(ends_at) OVER (ORDER BY starts_at) AS before_ends_at,\n                   lag(starts_at) OVER (ORDER BY starts_at) IS NULL AS is_first,\n                   lead(starts_at) OVER (ORDER BY starts_at) IS NULL AS is_last\n            FROM pricing_subscriptionphase WHERE subscription_id = NEW.subscription_id\n        ) AS phase\n        JOIN pricing_subscription AS subscription ON subscription.id = NEW.subscription_id\n        WHERE (is_first AND phase.starts_at <> subscription.starts_at)\n           OR (is_last AND phase.ends_at IS DISTINCT FROM subscription.ends_at)\n           OR (NOT is_first AND before_ends_at IS DISTINCT FROM phase.starts_at)\n    ) OR NOT EXISTS (SELECT 1 FROM pricing_subscriptionphase WHERE subscription_id = NEW.subscription_id)\n    THEN\n        RAISE EXCEPTION 'the phases of subscription % do not tile it', NEW.subscription_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    IF (\n        SELECT count(DISTINCT (plan.currency, plan.interval, plan.interval_count))\n        FROM pricing_subscriptionphase AS phase JOIN pricing_plan AS plan ON plan.id = phase.plan_id\n        WHERE phase.subscription_id = NEW.subscription_id\n    ) > 1\n    THEN\n        RAISE EXCEPTION 'the plans of subscription % differ in currency or interval', NEW.subscription_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NULL;\n", hash='578ed64c554077f93dcebec96c789a634bdf027d', operation='INSERT OR UPDATE', pgid='pgtrigger_phases_tile_7b9c8', table='pricing_subscriptionphase', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionquantity',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='80db18b202ff905879a90733b2f2b122834e79af', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c15c5', table='pricing_subscriptionquantity', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionquantity',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d569121a8d0dceb74f0f94a3bc541507bb0bbef6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_fa27c', table='pricing_subscriptionquantity', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='subscriptionquantity',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.created_at;\n            IF latest IS NOT NULL THEN\n                NEW.created_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='e33d27a14b3e49917d6741b77aa801e2ac125904', operation='INSERT', pgid='pgtrigger_agreed_after_readers_71325', table='pricing_subscriptionquantity', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='taxrate',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='749084139b1510ea9db2106e8d530aeca67ed114', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_4f552', table='pricing_taxrate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='taxrate',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='14be5181bbed1ce3ea1cc1d7e36856667c24ef19', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_54a96', table='pricing_taxrate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='taxrate',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.created_at;\n            IF latest IS NOT NULL THEN\n                NEW.created_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='d28f526402e5a8f41459f855f81e9f2c9cbad14a', operation='INSERT', pgid='pgtrigger_agreed_after_readers_2dfa9', table='pricing_taxrate', when='BEFORE')),
            ),
        ]),
    ]
