from typing import Any

import core.migrating
import core.sealed_fields
import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import metering.models.snapshots
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

USUAL = [
    ("hold", "usage-in-question", "Usage to be checked with the customer"),
    ("hold", "price-in-question", "Price or contract to be checked"),
    ("hold", "usage-expected", "Usage is still expected"),
    ("hold", "details-in-question", "Address, tax or purchase order to be checked"),
    ("hold", "credit-in-question", "A credit is being agreed"),
    ("release", "checked-with-customer", "Checked with the customer"),
    ("release", "price-confirmed", "Prices confirmed against the contract"),
    ("release", "usage-complete", "Usage is complete"),
    ("release", "details-confirmed", "Details confirmed"),
    ("release", "held-by-mistake", "Held by mistake"),
]


def write_usual_reasons(apps: Any, schema_editor: Any) -> None:
    reasons = apps.get_model("cycle", "HoldReason")
    reasons.objects.bulk_create(reasons(use=use, code=code, label=label) for use, code, label in USUAL)


class Migration(migrations.Migration):

    replaces = [('cycle', '0001_initial'), ('cycle', '0002_allowances_and_charges'), ('cycle', '0003_policy'), ('cycle', '0004_document_types'), ('cycle', '0005_close_runs'), ('cycle', '0006_review'), ('cycle', '0007_reasons_and_approvals'), ('cycle', '0008_close_position'), ('cycle', '0009_kinds_of_trigger_apart'), ('cycle', '0010_delta_reports_and_credit_notes'), ('cycle', '0011_interim_invoices'), ('cycle', '0012_approvals_in_the_chain'), ('cycle', '0013_bookings_and_backfills'), ('cycle', '0014_holds_and_firings_name_what_decided'), ('cycle', '0015_breaks_and_bounds'), ('cycle', '0016_read_as_known'), ('cycle', '0017_stopped'), ('cycle', '0018_bulk_reviews'), ('cycle', '0019_collection_holds'), ('cycle', '0020_documents_lie_under_keys'), ('cycle', '0021_the_product_may_lift_a_collection_hold'), ('cycle', '0022_told_texts_are_sealed'), ('cycle', '0023_corrections_that_change_no_amount'), ('cycle', '0024_false_alarms')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
        ('ledger', '0001_squashed_0002_accounts_of_allowances'),
        ('metering', '0001_squashed_0016_sums_of_whatever_is_priced'),
        ('policy', '0001_squashed_0003_read_as_known'),
        ('pricing', '0001_squashed_0012_kept_prices_are_told'),
        ('rating', '0001_squashed_0007_rounded_together'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='BillingCycle',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('period_start', models.DateTimeField()),
                    ('period_end', models.DateTimeField()),
                    ('opened_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cycles', to='pricing.subscription')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('subscription', 'period_start'), name='cycle_once_per_period'), models.CheckConstraint(condition=models.Q(('period_start__lt', models.F('period_end'))), name='cycle_period'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(metering.models.snapshots.IdRange('subscription'), '='), (metering.models.snapshots.TimeRange('period_start', 'period_end'), '&&')], name='cycle_no_overlap')],
                },
            ),
            migrations.CreateModel(
                name='NumberSeries',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('prefix', models.CharField(max_length=20)),
                    ('next_number', models.PositiveBigIntegerField(default=1)),
                    ('last_taken_at', models.DateTimeField(help_text='When the last number was taken; a later number never has an earlier instant.', null=True)),
                    ('seller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='series', to='accounts.seller')),
                    ('document_type', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], default='invoice', max_length=20)),
                ],
                options={
                    'verbose_name_plural': 'number series',
                    'constraints': [models.UniqueConstraint(fields=('seller', 'document_type'), name='cycle_series_once_per_type'), models.CheckConstraint(condition=models.Q(('document_type__in', ['invoice', 'credit_note'])), name='cycle_series_document_type')],
                },
            ),
            migrations.CreateModel(
                name='Invoice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('status', models.CharField(choices=[('draft', 'Draft'), ('held', 'Held'), ('approved', 'Approved'), ('final', 'Final'), ('discarded', 'Discarded')], default='draft', max_length=10)),
                    ('revision', models.PositiveIntegerField(default=0, help_text='Counts the moves; PostgreSQL refuses a write that did not see the last one.')),
                    ('currency', models.CharField(max_length=3)),
                    ('period_start', models.DateTimeField()),
                    ('period_end', models.DateTimeField()),
                    ('parties', models.JSONField(help_text="Names, addresses and tax ids of both sides, as they were when drafted; the customer's are sealed.")),
                    ('terms_days', models.PositiveSmallIntegerField()),
                    ('subtotal', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('tax', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('total', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('content_hash', models.CharField(help_text='SHA-256 of every figure and fact on the invoice.', max_length=64)),
                    ('drafted_at', models.DateTimeField()),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('approved_hash', models.CharField(blank=True, max_length=64)),
                    ('running_number', models.PositiveBigIntegerField(null=True)),
                    ('number', models.CharField(max_length=60, null=True, unique=True)),
                    ('finalized_at', models.DateTimeField(null=True)),
                    ('issue_date', models.DateField(null=True)),
                    ('due_date', models.DateField(null=True)),
                    ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='accounts.customer')),
                    ('cycle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='cycle.billingcycle')),
                    ('drafted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('seller', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.seller')),
                    ('watermark', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.watermark')),
                    ('series', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='cycle.numberseries')),
                    ('allowances', models.DecimalField(decimal_places=4, default=0, help_text='Taken off the lines.', max_digits=20)),
                    ('charges', models.DecimalField(decimal_places=4, default=0, help_text='Added to the lines.', max_digits=20)),
                    ('payable_rounding', models.DecimalField(decimal_places=4, default=0, help_text='What rounds the amount to be paid (BT-114).', max_digits=20)),
                    ('prepaid', models.DecimalField(decimal_places=4, default=0, help_text='Paid in advance (BT-113).', max_digits=20)),
                    ('policy', models.ForeignKey(help_text='The signed version that decided over it; empty only for invoices older than policies.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policy.triggerpolicy')),
                    ('document_type', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], default='invoice', help_text='A total below 0 makes a credit note; its figures are stored with their sign, and printed without.', max_length=20)),
                    ('kind', models.CharField(choices=[('cycle', 'Whole period'), ('interim', 'Part of a period, billed before its end'), ('adjustment', 'Corrections alone')], default='cycle', help_text='What it bills of its cycle.', max_length=10)),
                    ('credits', models.ForeignKey(help_text='On a credit note that somebody asked for: the invoice that it gives back, in full or in part.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credited_by', to='cycle.invoice')),
                    ('personal_key', models.ForeignKey(help_text='Whom it was issued to lies under it, here, in the PDF and in packs: destroyed when no law keeps it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.personalkey')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['customer', 'status'], name='cycle_invoice_customer')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'held', 'approved', 'final', 'discarded'])), name='cycle_invoice_status'), models.CheckConstraint(condition=models.Q(('period_start__lt', models.F('period_end'))), name='cycle_invoice_period'), models.UniqueConstraint(condition=models.Q(('kind', 'cycle'), models.Q(('status', 'discarded'), _negated=True)), fields=('cycle',), name='cycle_invoice_one_per_cycle'), models.UniqueConstraint(condition=models.Q(('kind__in', ['cycle', 'interim']), ('status__in', ['draft', 'held', 'approved'])), fields=('cycle',), name='cycle_invoice_one_undecided'), models.CheckConstraint(condition=models.Q(('kind__in', ['cycle', 'interim', 'adjustment'])), name='cycle_invoice_kind'), models.CheckConstraint(condition=models.Q(('credits', None), models.Q(('document_type', 'credit_note'), ('kind', 'adjustment')), _connector='OR'), name='cycle_invoice_credits'), models.CheckConstraint(condition=models.Q(('document_type', 'invoice'), models.Q(('document_type', 'credit_note'), ('total__lt', 0)), _connector='OR'), name='cycle_invoice_document_type'), models.UniqueConstraint(fields=('series', 'running_number'), name='cycle_invoice_number_once'), models.CheckConstraint(condition=models.Q(('total', django.db.models.expressions.CombinedExpression(models.F('subtotal'), '+', models.F('tax')))), name='cycle_invoice_adds_up'), models.CheckConstraint(condition=models.Q(models.Q(('due_date__isnull', False), ('finalized_at__isnull', False), ('issue_date__isnull', False), ('number__isnull', False), ('running_number__isnull', False), ('series__isnull', False), ('status', 'final')), models.Q(models.Q(('status', 'final'), _negated=True), ('due_date', None), ('finalized_at', None), ('issue_date', None), ('number', None), ('running_number', None), ('series', None)), _connector='OR'), name='cycle_invoice_number_only_when_final'), models.CheckConstraint(condition=models.Q(models.Q(('approved_at__isnull', False), ('approved_by__isnull', False), ('approved_hash', models.F('content_hash')), ('status__in', ['approved', 'final'])), models.Q(('status__in', ['draft', 'held', 'discarded']), ('approved_at', None), ('approved_by', None), ('approved_hash', '')), _connector='OR'), name='cycle_invoice_approved_as_it_is'), models.CheckConstraint(condition=models.Q(('drafted_by', None), ('approved_by', None), models.Q(('drafted_by', models.F('approved_by')), _negated=True), _connector='OR'), name='cycle_invoice_four_eyes'), models.CheckConstraint(condition=models.Q(('subtotal__range', ('-1e15', '1e15')), ('tax__range', ('-1e15', '1e15'))), name='cycle_invoice_bounds'), models.CheckConstraint(condition=models.Q(('allowances__range', ('-1e15', '1e15')), ('charges__range', ('-1e15', '1e15')), ('payable_rounding__range', ('-1e6', '1e6')), ('prepaid__range', ('0', '1e15'))), name='cycle_invoice_payable_bounds')],
                },
            ),
            migrations.CreateModel(
                name='InvoiceLine',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('description', models.CharField(max_length=200)),
                    ('meter_code', models.CharField(blank=True, max_length=60)),
                    ('unit', models.CharField(blank=True, max_length=40)),
                    ('segment_start', models.DateTimeField()),
                    ('segment_end', models.DateTimeField()),
                    ('quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                    ('unit_price', models.CharField(blank=True, help_text='As printed; empty where tiers set several.', max_length=80)),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('tax_category', models.CharField(max_length=2)),
                    ('tax_percent', models.DecimalField(decimal_places=4, max_digits=7)),
                    ('adjusts', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='adjusted_by', to='cycle.invoiceline')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='cycle.invoice')),
                    ('rated_line', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='invoice_line', to='rating.ratedline')),
                ],
                options={
                    'ordering': ['invoice', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'position'), name='cycle_line_position'), models.CheckConstraint(condition=models.Q(('segment_start__lt', models.F('segment_end'))), name='cycle_line_segment'), models.CheckConstraint(condition=models.Q(('amount__range', ('-1e15', '1e15')), ('quantity__range', ('-1e18', '1e18')), ('tax_percent__range', ('0', '100'))), name='cycle_line_bounds')],
                },
            ),
            migrations.CreateModel(
                name='CreditLine',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('description', models.CharField(max_length=200)),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('tax_category', models.CharField(max_length=2)),
                    ('tax_percent', models.DecimalField(decimal_places=4, max_digits=7)),
                    ('credits', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credited_by', to='cycle.invoiceline')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_lines', to='cycle.invoice')),
                ],
                options={
                    'ordering': ['invoice', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'position'), name='cycle_credit_line_position'), models.UniqueConstraint(fields=('invoice', 'credits'), name='cycle_credit_line_once'), models.CheckConstraint(condition=models.Q(('amount__range', ('-1e15', '1e15')), ('tax_percent__range', ('0', '100')), models.Q(('amount', 0), _negated=True)), name='cycle_credit_line_bounds')],
                },
            ),
            migrations.CreateModel(
                name='Deduction',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('billed', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deducted_by', to='cycle.invoiceline')),
                    ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deductions', to='cycle.invoiceline')),
                ],
                options={
                    'ordering': ['line', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('line', 'billed'), name='cycle_deduction_once')],
                },
            ),
            migrations.CreateModel(
                name='InterimFiring',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('ordinal', models.PositiveIntegerField(help_text='1 for the first of its period.')),
                    ('cause', models.CharField(choices=[('unbilled_amount', 'Usage without an invoice reached an amount'), ('credit_exposure', 'A charge control asked for it')], max_length=20)),
                    ('asked_by', models.CharField(blank=True, help_text='What asked for it, where nothing was crossed.', max_length=60)),
                    ('currency', models.CharField(max_length=3)),
                    ('threshold', models.DecimalField(decimal_places=4, help_text='As the policy says.', max_digits=20)),
                    ('unbilled', models.DecimalField(decimal_places=4, help_text='Used since the last interim draft.', max_digits=20)),
                    ('facts', models.JSONField(help_text='Per charge: what its usage so far costs, and what earlier drafts had of it.')),
                    ('fired_at', models.DateTimeField()),
                    ('cycle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='firings', to='cycle.billingcycle')),
                    ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='firing', to='cycle.invoice')),
                    ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policy.triggerpolicy')),
                    ('watermark', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.watermark')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('cycle', 'ordinal'), name='cycle_firing_ordinal'), models.UniqueConstraint(condition=models.Q(('cause', 'credit_exposure')), fields=('cycle',), name='cycle_firing_exposure_once'), models.CheckConstraint(condition=models.Q(('cause__in', ['unbilled_amount', 'credit_exposure'])), name='cycle_firing_cause'), models.CheckConstraint(condition=models.Q(('ordinal__gte', 1), ('threshold__range', ('0', '1e15')), ('unbilled__range', ('-1e15', '1e15'))), name='cycle_firing_bounds'), models.CheckConstraint(condition=models.Q(models.Q(('asked_by', ''), ('cause', 'unbilled_amount'), ('unbilled__gte', models.F('threshold'))), models.Q(('cause', 'credit_exposure'), ('unbilled__gt', 0), models.Q(('asked_by', ''), _negated=True)), _connector='OR'), name='cycle_firing_crossed')],
                },
            ),
            migrations.CreateModel(
                name='InvoiceAllowanceCharge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('kind', models.CharField(choices=[('allowance', 'Allowance'), ('charge', 'Charge')], max_length=10)),
                    ('reason', models.CharField(max_length=120)),
                    ('percent', models.DecimalField(decimal_places=4, max_digits=7, null=True)),
                    ('base', models.DecimalField(decimal_places=4, help_text='What the percentage is taken of.', max_digits=20, null=True)),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('tax_category', models.CharField(max_length=2)),
                    ('tax_percent', models.DecimalField(decimal_places=4, max_digits=7)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allowances_charges', to='cycle.invoice')),
                    ('term', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.invoiceterm')),
                ],
                options={
                    'verbose_name_plural': 'invoice allowances and charges',
                    'ordering': ['invoice', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'position'), name='cycle_allowance_position'), models.CheckConstraint(condition=models.Q(('kind__in', ['allowance', 'charge'])), name='cycle_allowance_kind'), models.CheckConstraint(condition=models.Q(models.Q(('base', None), ('percent', None)), models.Q(('base__isnull', False), ('percent__range', ('0', '100'))), _connector='OR'), name='cycle_allowance_percent_of_base'), models.CheckConstraint(condition=models.Q(('amount__range', ('-1e15', '1e15')), ('tax_percent__range', ('0', '100'))), name='cycle_allowance_bounds')],
                },
            ),
            migrations.CreateModel(
                name='InvoiceApproval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('revision', models.PositiveIntegerField(help_text="The invoice's revision when it was given.")),
                    ('content_hash', models.CharField(max_length=64)),
                    ('people_needed', models.PositiveSmallIntegerField(help_text='As the policy of the invoice asks for it.')),
                    ('given_at', models.DateTimeField()),
                    ('audit_entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='cycle.invoice')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'revision', 'person'), name='cycle_approval_once_per_person')],
                },
            ),
            migrations.CreateModel(
                name='InvoiceComment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('text', core.sealed_fields.OpenedTextField(about='invoice__customer', help_text="Under the customer's key.")),
                    ('written_at', models.DateTimeField()),
                    ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='cycle.invoice')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='cycle_comment_says_something')],
                },
            ),
            migrations.CreateModel(
                name='InvoiceTax',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=80)),
                    ('category', models.CharField(max_length=2)),
                    ('percent', models.DecimalField(decimal_places=4, max_digits=7)),
                    ('taxable', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('tax', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('note', models.CharField(blank=True, max_length=200)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='taxes', to='cycle.invoice')),
                ],
                options={
                    'verbose_name_plural': 'invoice taxes',
                    'ordering': ['invoice', 'category', 'percent'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'category', 'percent'), name='cycle_tax_once_per_rate'), models.CheckConstraint(condition=models.Q(('percent__range', ('0', '100')), ('tax__range', ('-1e15', '1e15')), ('taxable__range', ('-1e15', '1e15'))), name='cycle_tax_bounds')],
                },
            ),
            migrations.CreateModel(
                name='InvoiceTransition',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('revision', models.PositiveIntegerField(help_text="The invoice's revision after this move.")),
                    ('from_status', models.CharField(blank=True, max_length=10)),
                    ('to_status', models.CharField(max_length=10)),
                    ('reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('content_hash', models.CharField(max_length=64)),
                    ('moved_at', models.DateTimeField()),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transitions', to='cycle.invoice')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'revision'), name='cycle_transition_once_per_revision')],
                },
            ),
            migrations.CreateModel(
                name='LineBooking',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account', models.CharField(max_length=40)),
                    ('amount', models.DecimalField(decimal_places=4, help_text='Credit less debit.', max_digits=20)),
                    ('allowance', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='booking', to='cycle.invoiceallowancecharge')),
                    ('credit_line', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='booking', to='cycle.creditline')),
                    ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.journalentry')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='cycle.invoice')),
                    ('line', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='booking', to='cycle.invoiceline')),
                    ('posting', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.posting')),
                    ('tax', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='booking', to='cycle.invoicetax')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('allowance', None), ('credit_line', None), ('line__isnull', False), ('tax', None)), models.Q(('allowance', None), ('credit_line__isnull', False), ('line', None), ('tax', None)), models.Q(('allowance__isnull', False), ('credit_line', None), ('line', None), ('tax', None)), models.Q(('allowance', None), ('credit_line', None), ('line', None), ('tax__isnull', False)), _connector='OR'), name='cycle_booking_of_one_row')],
                },
            ),
            migrations.CreateModel(
                name='Offence',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField(help_text='Of the invariant.')),
                    ('name', models.CharField(help_text='What must hold.', max_length=200)),
                    ('offender', models.TextField(help_text='What contradicts it, as the check shows it.')),
                    ('found_at', models.DateTimeField()),
                    ('seen_at', models.DateTimeField(help_text='When a check last found it.')),
                    ('cleared_at', models.DateTimeField(help_text='When a check no longer found it.', null=True)),
                    ('customer', models.ForeignKey(help_text='Empty where it names nobody.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('invoice', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.invoice')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(condition=models.Q(('cleared_at', None)), fields=['customer'], name='cycle_offence_open')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('offender', ''), _negated=True)), name='cycle_offence_words')],
                },
            ),
            migrations.CreateModel(
                name='CloseRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('as_of', models.DateTimeField(help_text='Every period that ended by then is drafted.')),
                    ('customer_codes', models.JSONField(help_text='Only these customers; empty: everybody.', null=True)),
                    ('asked_at', models.DateTimeField()),
                    ('attempts', models.PositiveIntegerField(default=0, help_text='How often a process took it up.')),
                    ('total', models.PositiveIntegerField(default=0, help_text='Periods to be drafted.')),
                    ('done', models.PositiveIntegerField(default=0, help_text='Of these, the ones it has looked at.')),
                    ('drafted', models.PositiveIntegerField(default=0)),
                    ('held', models.PositiveIntegerField(default=0, help_text='Of the drafts.')),
                    ('breaks', models.PositiveIntegerField(default=0)),
                    ('adjusted', models.PositiveIntegerField(default=0, help_text='Lines that correct earlier invoices.')),
                    ('nothing_to_bill', models.PositiveIntegerField(default=0)),
                    ('failed', models.PositiveIntegerField(default=0, help_text='Periods whose customers are parked for it.')),
                    ('late_waiting', models.PositiveIntegerField(default=0, help_text='Late windows that no draft of this close took in.')),
                    ('started_at', models.DateTimeField(help_text="By PostgreSQL's clock, as the two below.", null=True)),
                    ('stepped_at', models.DateTimeField(help_text='When it last came a chunk further.', null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('stopped_by', models.TextField(blank=True, help_text='Why it ended before it had done everything.')),
                    ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('watermark', models.ForeignKey(help_text='What it counts up to, lately.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.watermark')),
                    ('reached_customer', models.PositiveBigIntegerField(default=0, help_text='It goes by ascending ids of customers, and has looked at all up to this one.')),
                    ('known', models.ForeignKey(help_text='As of when it reads what was agreed, in all its chunks and attempts.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.knowninstant')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['as_of'], name='cycle_closerun_open')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('done__lte', models.F('total'))), name='cycle_closerun_done'), models.CheckConstraint(condition=models.Q(('drafted__lte', models.F('done')), ('failed__lte', models.F('done')), ('held__lte', models.F('drafted'))), name='cycle_closerun_outcomes'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('stopped_by', '')), models.Q(('ended_at__isnull', False), ('started_at__isnull', False), models.Q(models.Q(('stopped_by', ''), _negated=True), ('done', models.F('total')), _connector='OR')), _connector='OR'), name='cycle_closerun_ended')],
                },
            ),
            migrations.CreateModel(
                name='ParkedCustomer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(help_text='Stable name of what went wrong.', max_length=60)),
                    ('reason', models.TextField(help_text='In a sentence, and what to do about it.')),
                    ('periods', models.PositiveIntegerField(help_text='How many of its periods could not be drafted.')),
                    ('period_start', models.DateTimeField(help_text='The first of them.')),
                    ('period_end', models.DateTimeField()),
                    ('parked_at', models.DateTimeField()),
                    ('attempts', models.PositiveIntegerField(default=1, help_text='Closes that failed since.')),
                    ('last_tried_at', models.DateTimeField()),
                    ('left_at', models.DateTimeField(null=True)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('left_by', models.ForeignKey(help_text='The close that had nothing against it any more.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='unparked', to='cycle.closerun')),
                    ('run', models.ForeignKey(help_text='That failed last.', on_delete=django.db.models.deletion.PROTECT, related_name='parked', to='cycle.closerun')),
                    ('subscription', models.ForeignKey(help_text='Whose period is the first of them.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.subscription')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('left_at', None)), fields=('customer',), name='cycle_parked_once'), models.CheckConstraint(condition=models.Q(models.Q(('code', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='cycle_parked_with_reason'), models.CheckConstraint(condition=models.Q(models.Q(('left_at', None), ('left_by', None)), models.Q(('left_at__isnull', False), ('left_by__isnull', False)), _connector='OR'), name='cycle_parked_left_by_a_close'), models.CheckConstraint(condition=models.Q(('attempts__gte', 1), ('period_start__lt', models.F('period_end')), ('periods__gte', 1)), name='cycle_parked_facts')],
                },
            ),
            migrations.CreateModel(
                name='Recognition',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('until', models.DateTimeField(help_text='Up to which instant its time was counted.')),
                    ('amount', models.DecimalField(decimal_places=4, help_text='Below 0 where less was due after all than was earned before.', max_digits=20)),
                    ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ledger.journalentry')),
                    ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recognitions', to='cycle.invoiceline')),
                ],
                options={
                    'ordering': ['line', 'until'],
                    'constraints': [models.UniqueConstraint(fields=('line', 'until'), name='cycle_recognition_once'), models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='cycle_recognition_something')],
                },
            ),
            migrations.CreateModel(
                name='StoppedInterim',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(help_text='Stable name of what went wrong.', max_length=60)),
                    ('reason', models.TextField(help_text='In a sentence, and what to do about it.')),
                    ('stopped_at', models.DateTimeField()),
                    ('attempts', models.PositiveIntegerField(default=1, help_text='How often it failed.')),
                    ('last_tried_at', models.DateTimeField()),
                    ('left_at', models.DateTimeField(help_text='When an attempt had nothing against it any more.', null=True)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('subscription', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.subscription')),
                ],
                options={
                    'verbose_name': 'interim draft that failed',
                    'verbose_name_plural': 'interim drafts that failed',
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('left_at', None)), fields=('subscription',), name='cycle_stopped_interim_once'), models.CheckConstraint(condition=models.Q(models.Q(('code', ''), _negated=True), models.Q(('reason', ''), _negated=True), ('attempts__gte', 1)), name='cycle_stopped_interim_reason')],
                },
            ),
            migrations.CreateModel(
                name='TieOut',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('raw_events', models.BigIntegerField(help_text='Counted afresh from the raw events, once per meter that reads them.')),
                    ('aggregated_events', models.BigIntegerField()),
                    ('rated_lines', models.PositiveIntegerField()),
                    ('is_tied', models.BooleanField()),
                    ('checked_at', models.DateTimeField()),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tie_outs', to='cycle.invoice')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='UnusualFigure',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('least', models.DecimalField(decimal_places=4, help_text='Of the periods before.', max_digits=20)),
                    ('greatest', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('periods', models.PositiveSmallIntegerField(help_text='How many final invoices it was compared with.')),
                    ('times', models.DecimalField(decimal_places=3, help_text='More than so many times is far.', max_digits=8)),
                    ('charge', models.ForeignKey(help_text='Empty: all lines of the period.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='pricing.charge')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unusual', to='cycle.invoice')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('least__lte', models.F('greatest')), ('periods__gte', 1)), name='cycle_unusual_past')],
                },
            ),
            migrations.CreateModel(
                name='Break',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(choices=[('raw_not_aggregated', 'Raw events and snapshot differ'), ('aggregated_not_rated', 'Snapshot and rated line differ'), ('amount_not_reproduced', 'The amount does not follow from quantity and price'), ('usage_without_price', 'Usage that no price of the plan covers')], help_text='Which two stages differ.', max_length=30)),
                    ('detail', models.CharField(max_length=400)),
                    ('facts', models.JSONField(help_text='Both sides, in figures.')),
                    ('opened_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('closing_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='cycle.invoice')),
                    ('tie_out', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='breaks', to='cycle.tieout')),
                    ('kind', models.CharField(blank=True, choices=[('duplicate', 'Counted twice'), ('out_of_order', 'Out of order: appeared after it was counted'), ('missing', 'Missing on one side'), ('backfill', 'Backfilled behind the count'), ('re_rating_drift', 'Re-rating drift: the same events, another result')], default='', help_text='What class of trouble it is; empty only on breaks older than classes.', max_length=20)),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('name__in', ['raw_not_aggregated', 'aggregated_not_rated', 'amount_not_reproduced', 'usage_without_price'])), name='cycle_break_name'), models.CheckConstraint(condition=models.Q(('kind__in', ['', 'duplicate', 'out_of_order', 'missing', 'backfill', 're_rating_drift'])), name='cycle_break_kind'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('closed_by', None), ('closing_reason', '')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), models.Q(('closing_reason', ''), _negated=True)), _connector='OR'), name='cycle_break_closed_with_reason')],
                },
            ),
            migrations.CreateModel(
                name='BreakEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('difference', models.CharField(choices=[('twice', 'Stands there twice'), ('gone', 'Acknowledged, and gone'), ('altered', 'Says something else than was acknowledged'), ('not_acknowledged', 'Stands there, and was never acknowledged'), ('after_the_count', 'Received after it was counted'), ('without_price', 'No price covers it')], max_length=20)),
                    ('seq', models.BigIntegerField(help_text='Its number of capture.')),
                    ('source', models.CharField(max_length=200)),
                    ('event_id', models.CharField(max_length=200)),
                    ('occurred_at', models.DateTimeField()),
                    ('received_at', models.DateTimeField(null=True)),
                    ('channel', models.CharField(blank=True, help_text='How it came in.', max_length=10)),
                    ('kept_fingerprint', models.CharField(blank=True, help_text='Of what was acknowledged.', max_length=64)),
                    ('raw_fingerprint', models.CharField(blank=True, help_text='Of what lies there.', max_length=64)),
                    ('of_break', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='cycle.break')),
                ],
                options={
                    'ordering': ['of_break', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('of_break', 'position'), name='cycle_break_event_position')],
                },
            ),
            migrations.CreateModel(
                name='BulkReview',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('action', models.CharField(choices=[('approve', 'Approve'), ('hold', 'Hold'), ('release', 'Release')], max_length=10)),
                    ('reason', models.TextField(blank=True)),
                    ('reason_code', models.CharField(blank=True, help_text='The usual reason, if it is one.', max_length=60)),
                    ('total', models.PositiveIntegerField(help_text='Invoices on the list.')),
                    ('list_hash', models.CharField(help_text='SHA-256 over the invoices and figures that were looked at.', max_length=64)),
                    ('asked_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'decision over many',
                    'verbose_name_plural': 'decisions over many',
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('action__in', ['approve', 'hold', 'release'])), name='cycle_bulk_action')],
                },
            ),
            migrations.CreateModel(
                name='BulkReviewItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('content_hash', models.CharField(max_length=64)),
                    ('outcome', models.CharField(blank=True, max_length=20)),
                    ('code', models.CharField(blank=True, max_length=60)),
                    ('detail', models.TextField(blank=True)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.invoice')),
                    ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='cycle.bulkreview')),
                ],
                options={
                    'ordering': ['invoice'],
                    'indexes': [models.Index(condition=models.Q(('outcome', '')), fields=['review', 'invoice'], name='cycle_bulk_item_waiting')],
                    'constraints': [models.UniqueConstraint(fields=('review', 'invoice'), name='cycle_bulk_item_once'), models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'approved', 'first_of_two', 'held', 'released', 'refused'])), name='cycle_bulk_item_outcome')],
                },
            ),
            migrations.CreateModel(
                name='CollectionHold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('placed_at', models.DateTimeField()),
                    ('lifted_at', models.DateTimeField(null=True)),
                    ('lifting_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='collection_holds', to='cycle.invoice')),
                    ('lifted_by', models.ForeignKey(help_text='None where the product lifted it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('lifting_entry', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('placed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at', None)), fields=('invoice',), name='cycle_collection_one_open'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='cycle_collection_reason'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at', None), ('lifted_by', None), ('lifting_entry', None), ('lifting_reason', '')), models.Q(('lifted_at__isnull', False), ('lifting_entry__isnull', False), models.Q(('lifting_reason', ''), _negated=True)), _connector='OR'), name='cycle_collection_lifted')],
                },
            ),
            migrations.CreateModel(
                name='DeltaReport',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('adjustment', 'Corrections of issued lines'), ('redraft', 'A draft made anew'), ('backfill', 'Usage imported afterwards'), ('unchanged', 'Corrections that change no amount')], max_length=10)),
                    ('status', models.CharField(choices=[('proposed', 'To be decided'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('noted', 'Nothing to decide')], default='proposed', max_length=10)),
                    ('reason', core.sealed_fields.OpenedTextField(help_text='Why anything changes.')),
                    ('content_hash', models.CharField(help_text='SHA-256 of every row, and of the draft that carries them.', max_length=64)),
                    ('proposed_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decision_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('author', models.ForeignKey(help_text='Who asked for the change; empty where it came of usage alone.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(help_text='The draft that carries the changes; empty for a backfill, whose changes are not drafted yet, and where no amount changes, so that nothing is drafted.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='delta_reports', to='cycle.invoice')),
                    ('replaces', models.ForeignKey(help_text='The discarded draft before it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.invoice')),
                    ('backfill', models.OneToOneField(help_text='The batch it is about.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='delta_report', to='metering.backfill')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'kind'), name='cycle_delta_once_per_kind'), models.CheckConstraint(condition=models.Q(models.Q(('backfill', None), ('invoice__isnull', False), ('kind', 'adjustment'), ('replaces', None)), models.Q(('backfill', None), ('invoice__isnull', False), ('kind', 'redraft'), ('replaces__isnull', False)), models.Q(('backfill__isnull', False), ('invoice', None), ('kind', 'backfill'), ('replaces', None)), models.Q(('backfill', None), ('invoice', None), ('kind', 'unchanged'), ('replaces', None)), _connector='OR'), name='cycle_delta_kind'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('decision_reason', ''), ('status', 'proposed')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status__in', ['approved', 'rejected']), models.Q(('decision_reason', ''), _negated=True), models.Q(('kind', 'unchanged'), _negated=True)), models.Q(('decided_at__isnull', False), ('decided_by', None), ('kind', 'unchanged'), ('status', 'noted'), models.Q(('decision_reason', ''), _negated=True)), _connector='OR'), name='cycle_delta_decided'), models.CheckConstraint(condition=models.Q(('author', None), ('decided_by', None), models.Q(('author', models.F('decided_by')), _negated=True), _connector='OR'), name='cycle_delta_four_eyes')],
                },
            ),
            migrations.CreateModel(
                name='DeltaRow',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('cause', models.CharField(choices=[('usage', 'Usage that was late or corrected'), ('unused_time', 'A fee paid in advance was not used to the end'), ('plan', 'It stands on lines that change'), ('redraft', 'Counted and rated afresh'), ('backfill', 'Usage of a backfill'), ('credit', 'Somebody in finance gives it back')], max_length=20)),
                    ('description', models.CharField(max_length=200)),
                    ('unit', models.CharField(blank=True, max_length=40)),
                    ('segment_start', models.DateTimeField()),
                    ('segment_end', models.DateTimeField()),
                    ('currency', models.CharField(max_length=3)),
                    ('before_quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                    ('after_quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                    ('before_amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('after_amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('before_events', models.BigIntegerField(help_text='Events counted; empty where none stand behind it.', null=True)),
                    ('after_events', models.BigIntegerField(null=True)),
                    ('corrects', models.ForeignKey(help_text='The line as it was issued, or drafted before.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.invoiceline')),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('line', models.ForeignKey(help_text='The line of the draft; empty where a line falls away, or none is drafted yet.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='delta_rows', to='cycle.invoiceline')),
                    ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='cycle.deltareport')),
                    ('counted', models.OneToOneField(help_text='What was counted again, where no amount changes and so no line is drafted that would rest on it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.aggregationsnapshot')),
                ],
                options={
                    'ordering': ['report', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('report', 'position'), name='cycle_delta_row_position'), models.CheckConstraint(condition=models.Q(('cause__in', ['usage', 'unused_time', 'plan', 'redraft', 'backfill', 'credit'])), name='cycle_delta_row_cause'), models.CheckConstraint(condition=models.Q(('after_amount__range', ('-1e15', '1e15')), ('after_quantity__range', ('-1e18', '1e18')), ('before_amount__range', ('-1e15', '1e15')), ('before_quantity__range', ('-1e18', '1e18'))), name='cycle_delta_row_bounds')],
                },
            ),
            migrations.CreateModel(
                name='FalseAlarm',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', core.sealed_fields.OpenedTextField(help_text='Why it is no contradiction.')),
                    ('stated_at', models.DateTimeField()),
                    ('decision', models.CharField(blank=True, choices=[('', 'Waits for ops'), ('agreed', 'Agreed'), ('refused', 'Refused')], max_length=10)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decision_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('recounted', models.JSONField(default=list, help_text='The invoices counted and rated again when it was agreed, all of them equal.')),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('offence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='false_alarms', to='cycle.offence')),
                    ('stated_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('decision', 'refused'), _negated=True), fields=('offence',), name='cycle_false_alarm_once'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('decision', '')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('decision__in', ['agreed', 'refused'])), _connector='OR'), name='cycle_false_alarm_decided'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('stated_by')), _negated=True), _connector='OR'), name='cycle_false_alarm_four_eyes')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalBreak',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('name', models.CharField(choices=[('raw_not_aggregated', 'Raw events and snapshot differ'), ('aggregated_not_rated', 'Snapshot and rated line differ'), ('amount_not_reproduced', 'The amount does not follow from quantity and price'), ('usage_without_price', 'Usage that no price of the plan covers')], help_text='Which two stages differ.', max_length=30)),
                    ('detail', models.CharField(max_length=400)),
                    ('facts', models.JSONField(help_text='Both sides, in figures.')),
                    ('opened_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('closing_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('closed_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.invoice')),
                    ('tie_out', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.tieout')),
                    ('kind', models.CharField(blank=True, choices=[('duplicate', 'Counted twice'), ('out_of_order', 'Out of order: appeared after it was counted'), ('missing', 'Missing on one side'), ('backfill', 'Backfilled behind the count'), ('re_rating_drift', 'Re-rating drift: the same events, another result')], default='', help_text='What class of trouble it is; empty only on breaks older than classes.', max_length=20)),
                ],
                options={
                    'verbose_name': 'historical break',
                    'verbose_name_plural': 'historical breaks',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalHoldReason',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('use', models.CharField(choices=[('hold', 'To hold'), ('release', 'To release')], max_length=10)),
                    ('label', models.CharField(help_text='What stands in the history of the invoice.', max_length=120)),
                    ('is_in_use', models.BooleanField(default=True, help_text='Whether it is offered.')),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical hold reason',
                    'verbose_name_plural': 'historical hold reasons',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalInvoice',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('status', models.CharField(choices=[('draft', 'Draft'), ('held', 'Held'), ('approved', 'Approved'), ('final', 'Final'), ('discarded', 'Discarded')], default='draft', max_length=10)),
                    ('revision', models.PositiveIntegerField(default=0, help_text='Counts the moves; PostgreSQL refuses a write that did not see the last one.')),
                    ('currency', models.CharField(max_length=3)),
                    ('period_start', models.DateTimeField()),
                    ('period_end', models.DateTimeField()),
                    ('parties', models.JSONField(help_text="Names, addresses and tax ids of both sides, as they were when drafted; the customer's are sealed.")),
                    ('terms_days', models.PositiveSmallIntegerField()),
                    ('subtotal', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('tax', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('total', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('content_hash', models.CharField(help_text='SHA-256 of every figure and fact on the invoice.', max_length=64)),
                    ('drafted_at', models.DateTimeField()),
                    ('approved_at', models.DateTimeField(null=True)),
                    ('approved_hash', models.CharField(blank=True, max_length=64)),
                    ('running_number', models.PositiveBigIntegerField(null=True)),
                    ('number', models.CharField(db_index=True, max_length=60, null=True)),
                    ('finalized_at', models.DateTimeField(null=True)),
                    ('issue_date', models.DateField(null=True)),
                    ('due_date', models.DateField(null=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('approved_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.customer')),
                    ('cycle', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.billingcycle')),
                    ('drafted_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('seller', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.seller')),
                    ('watermark', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='metering.watermark')),
                    ('series', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.numberseries')),
                    ('allowances', models.DecimalField(decimal_places=4, default=0, help_text='Taken off the lines.', max_digits=20)),
                    ('charges', models.DecimalField(decimal_places=4, default=0, help_text='Added to the lines.', max_digits=20)),
                    ('payable_rounding', models.DecimalField(decimal_places=4, default=0, help_text='What rounds the amount to be paid (BT-114).', max_digits=20)),
                    ('prepaid', models.DecimalField(decimal_places=4, default=0, help_text='Paid in advance (BT-113).', max_digits=20)),
                    ('policy', models.ForeignKey(blank=True, db_constraint=False, help_text='The signed version that decided over it; empty only for invoices older than policies.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='policy.triggerpolicy')),
                    ('document_type', models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], default='invoice', help_text='A total below 0 makes a credit note; its figures are stored with their sign, and printed without.', max_length=20)),
                    ('kind', models.CharField(choices=[('cycle', 'Whole period'), ('interim', 'Part of a period, billed before its end'), ('adjustment', 'Corrections alone')], default='cycle', help_text='What it bills of its cycle.', max_length=10)),
                    ('credits', models.ForeignKey(blank=True, db_constraint=False, help_text='On a credit note that somebody asked for: the invoice that it gives back, in full or in part.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.invoice')),
                    ('personal_key', models.ForeignKey(blank=True, db_constraint=False, help_text='Whom it was issued to lies under it, here, in the PDF and in packs: destroyed when no law keeps it.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.personalkey')),
                ],
                options={
                    'verbose_name': 'historical invoice',
                    'verbose_name_plural': 'historical invoices',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HoldReason',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('use', models.CharField(choices=[('hold', 'To hold'), ('release', 'To release')], max_length=10)),
                    ('label', models.CharField(help_text='What stands in the history of the invoice.', max_length=120)),
                    ('is_in_use', models.BooleanField(default=True, help_text='Whether it is offered.')),
                ],
                options={
                    'ordering': ['use', 'label'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('use__in', ['hold', 'release'])), name='cycle_reason_use')],
                },
            ),
            migrations.CreateModel(
                name='Hold',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('cause', models.CharField(choices=[('break', 'The stages do not tie'), ('person', 'Placed by a person'), ('review', "Far outside the customer's own past")], max_length=10)),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('placed_at', models.DateTimeField()),
                    ('released_at', models.DateTimeField(null=True)),
                    ('release_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('placed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('released_by', models.ForeignKey(help_text='Empty on a hold that ended because its draft was discarded.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='cycle.invoice')),
                    ('listed_reason', models.ForeignKey(help_text='The usual reason, if it is one.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.holdreason')),
                    ('listed_release', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.holdreason')),
                    ('policy', models.ForeignKey(help_text='The version that decides over its invoice; empty only on holds from before this was kept.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policy.triggerpolicy')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('cause__in', ['break', 'person', 'review'])), name='cycle_hold_cause'), models.UniqueConstraint(condition=models.Q(('released_at', None)), fields=('invoice',), name='cycle_hold_one_open'), models.CheckConstraint(condition=models.Q(('placed_by', None), ('released_by', None), models.Q(('placed_by', models.F('released_by')), _negated=True), _connector='OR'), name='cycle_hold_four_eyes'), models.CheckConstraint(condition=models.Q(models.Q(('release_reason', ''), ('released_at', None), ('released_by', None)), models.Q(('released_at__isnull', False), models.Q(('release_reason', ''), _negated=True)), _connector='OR'), name='cycle_hold_released_with_reason')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalHold',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('cause', models.CharField(choices=[('break', 'The stages do not tie'), ('person', 'Placed by a person'), ('review', "Far outside the customer's own past")], max_length=10)),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('placed_at', models.DateTimeField()),
                    ('released_at', models.DateTimeField(null=True)),
                    ('release_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('placed_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('released_by', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty on a hold that ended because its draft was discarded.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.invoice')),
                    ('listed_reason', models.ForeignKey(blank=True, db_constraint=False, help_text='The usual reason, if it is one.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.holdreason')),
                    ('listed_release', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='cycle.holdreason')),
                    ('policy', models.ForeignKey(blank=True, db_constraint=False, help_text='The version that decides over its invoice; empty only on holds from before this was kept.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='policy.triggerpolicy')),
                ],
                options={
                    'verbose_name': 'historical hold',
                    'verbose_name_plural': 'historical holds',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='holdreason',
                trigger=pgtrigger.compiler.Trigger(name='code_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."use" IS DISTINCT FROM (NEW."use"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f2fd44caf2003b1166815f0fbc4212339a1192da', operation='UPDATE', pgid='pgtrigger_code_is_fixed_dd4fd', table='cycle_holdreason', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='holdreason',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='32d04dd1300e2663ecc6e7cfd984428e4694d034', operation='DELETE', pgid='pgtrigger_no_delete_d1084', table='cycle_holdreason', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='holdreason',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='59c0de82a206a45aee9c8def4e1a1fb5e7848d4b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_380e5', table='cycle_holdreason', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='billingcycle',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1ceabeb6f892157bf672a08ffa450808c062cffd', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ef810', table='cycle_billingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='billingcycle',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='7a2ee09fb694cf84977cad5f1d415df0d09f32e4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e0bf3', table='cycle_billingcycle', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='breakevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='75aeaeece805a70cd7b8d61dc03f881ed3e6edb8', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b7a61', table='cycle_breakevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='breakevent',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='bd5d3490e21f6bec5e42be3cf97d21bccdb7b8a9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4ff15', table='cycle_breakevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreview',
                trigger=pgtrigger.compiler.Trigger(name='question_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."action" IS DISTINCT FROM (NEW."action") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."reason_code" IS DISTINCT FROM (NEW."reason_code") OR OLD."total" IS DISTINCT FROM (NEW."total") OR OLD."list_hash" IS DISTINCT FROM (NEW."list_hash") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='92c46495d5ff046be9eb03a548e47fc34fc79f72', operation='UPDATE', pgid='pgtrigger_question_is_fixed_0a605', table='cycle_bulkreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreview',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d184f99cb020317cbcfdc6accf4490ff3f768ca0', operation='DELETE', pgid='pgtrigger_no_delete_a8752', table='cycle_bulkreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreview',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='351f2de2b15ae886029ad0c1902b3b7023dbdee4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_28021', table='cycle_bulkreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closerun',
                trigger=pgtrigger.compiler.Trigger(name='question_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."as_of" IS DISTINCT FROM (NEW."as_of") OR OLD."customer_codes" IS DISTINCT FROM (NEW."customer_codes") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8400962064aef19b12ca7c3bd366bc76d0854c5a', operation='UPDATE', pgid='pgtrigger_question_is_fixed_580df', table='cycle_closerun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closerun',
                trigger=pgtrigger.compiler.Trigger(name='known_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."known_id" IS NOT NULL AND OLD."known_id" IS DISTINCT FROM (NEW."known_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d756322c596e9623a178424767b031459a939ed4', operation='UPDATE', pgid='pgtrigger_known_once_dbdee', table='cycle_closerun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closerun',
                trigger=pgtrigger.compiler.Trigger(name='ended_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."ended_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='cdd1f7d6bedecf3c96ed3c9dc1324b06581b96a8', operation='UPDATE', pgid='pgtrigger_ended_once_6cd0a', table='cycle_closerun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closerun',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0b4c561260700aed90cfd8c8aa8cda23c9f5ed1e', operation='DELETE', pgid='pgtrigger_no_delete_27fdf', table='cycle_closerun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closerun',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='16ffb530bdbe18de6aa9f5b2cf40f8189ddae360', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c3269', table='cycle_closerun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='interimfiring',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c05925e971ede9c573804fd15ae5e7dc43bc8ad5', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a753c', table='cycle_interimfiring', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='interimfiring',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='746eac52c403f62e5d0eeb4e50037088d16164e8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_b4670', table='cycle_interimfiring', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='interimfiring',
                trigger=pgtrigger.compiler.Trigger(name='invoice_triggers_bill', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'charge_control') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='0d92c86d3cf246618431abd4e770e7ed8968cc28', operation='INSERT', pgid='pgtrigger_invoice_triggers_bill_8369c', table='cycle_interimfiring', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='not_on_closed_invoices', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE found text;', func="\n        SELECT status INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR SHARE;\n        IF found IN ('final', 'discarded') THEN\n            RAISE EXCEPTION 'invoice % is %, nothing is opened on it any more', NEW.invoice_id, found\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='fb39936fe423d0f2a1d83bc6f3b9fbd407f6bf2b', operation='INSERT', pgid='pgtrigger_not_on_closed_invoices_1d236', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='people_and_breaks_hold', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'charge_control') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='64c8a43f7866797efb306c2ad508134228517e2b', operation='INSERT', pgid='pgtrigger_people_and_breaks_hold_69838', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='holds_name_the_policy', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF NEW.policy_id IS DISTINCT FROM (SELECT policy_id FROM cycle_invoice WHERE id = NEW.invoice_id) THEN\n            RAISE EXCEPTION 'a hold of invoice % names another policy than the invoice', NEW.invoice_id\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='0de1597fedc19e2e9b2f67f2f457710a0d4edb53', operation='INSERT', pgid='pgtrigger_holds_name_the_policy_be478', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='placing_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."policy_id" IS DISTINCT FROM (NEW."policy_id") OR OLD."cause" IS DISTINCT FROM (NEW."cause") OR OLD."listed_reason_id" IS DISTINCT FROM (NEW."listed_reason_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."placed_by_id" IS DISTINCT FROM (NEW."placed_by_id") OR OLD."placed_at" IS DISTINCT FROM (NEW."placed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7c1f514030b6a03601946b9dba4375c0913c87f0', operation='UPDATE', pgid='pgtrigger_placing_is_fixed_65262', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='released_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."released_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5ec6261de1c6fa7e552eb6aab0f454e8cc5a0c34', operation='UPDATE', pgid='pgtrigger_released_once_e8e92', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='dc3b302b2ce376681b8143c880ab16b4ab3051de', operation='DELETE', pgid='pgtrigger_no_delete_7c71a', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='hold',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d22775fd061162c47c696746d986ce02eaf8edd1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_02cb0', table='cycle_hold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltareport',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."replaces_id" IS DISTINCT FROM (NEW."replaces_id") OR OLD."backfill_id" IS DISTINCT FROM (NEW."backfill_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."content_hash" IS DISTINCT FROM (NEW."content_hash") OR OLD."author_id" IS DISTINCT FROM (NEW."author_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='be5eba3e99a7097d1f19e1da1adc0c73d37f974a', operation='UPDATE', pgid='pgtrigger_content_is_fixed_62e25', table='cycle_deltareport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltareport',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='da4c1578690b053f323d98b30b08c9742213c72a', operation='UPDATE', pgid='pgtrigger_decided_once_c1a99', table='cycle_deltareport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltareport',
                trigger=pgtrigger.compiler.Trigger(name='born_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='841ef9a0797491cd6ed41fe939711f35564cb0b3', operation='INSERT', pgid='pgtrigger_born_proposed_e318b', table='cycle_deltareport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltareport',
                trigger=pgtrigger.compiler.Trigger(name='not_behind_an_approval', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NEW.status = 'rejected' AND EXISTS (\n        SELECT 1 FROM cycle_invoice WHERE id = NEW.invoice_id AND status IN ('approved', 'final'))\n    THEN\n        RAISE EXCEPTION 'the invoice of delta report % is approved already', NEW.id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='dd39f050e71053a5c82e3ad8e3431cb76378da9f', operation='UPDATE', pgid='pgtrigger_not_behind_an_approval_f482d', table='cycle_deltareport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltareport',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='920fcc38b548eb92356aa53eadd05df4b137247e', operation='DELETE', pgid='pgtrigger_no_delete_5847d', table='cycle_deltareport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltareport',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='4c6e235b648abfef13f6f568274b32d9dbaad5fc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e4366', table='cycle_deltareport', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='collectionhold',
                trigger=pgtrigger.compiler.Trigger(name='final_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NOT EXISTS (SELECT 1 FROM cycle_invoice WHERE id = NEW.invoice_id AND status = 'final') THEN\n        RAISE EXCEPTION 'invoice % is not final: there is nothing to collect', NEW.invoice_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='9fa670f924857e1e309c6446879fd03d2f9126b3', operation='INSERT', pgid='pgtrigger_final_only_b030e', table='cycle_collectionhold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='collectionhold',
                trigger=pgtrigger.compiler.Trigger(name='placing_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."placed_by_id" IS DISTINCT FROM (NEW."placed_by_id") OR OLD."placed_at" IS DISTINCT FROM (NEW."placed_at") OR OLD."audit_entry_id" IS DISTINCT FROM (NEW."audit_entry_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c3bf64c089dcdf2c6442e6487d68369eb1e5522c', operation='UPDATE', pgid='pgtrigger_placing_is_fixed_e070e', table='cycle_collectionhold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='collectionhold',
                trigger=pgtrigger.compiler.Trigger(name='lifted_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."lifted_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='abe8ca889ffd87a794a0eb509f2375394e548850', operation='UPDATE', pgid='pgtrigger_lifted_once_36f19', table='cycle_collectionhold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='collectionhold',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='54ff8704b49b90c2b187841b234d109f2eb1ce18', operation='DELETE', pgid='pgtrigger_no_delete_8191a', table='cycle_collectionhold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='collectionhold',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='9ee1fbba962bc440f87aa827237ea3ca505530bc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_885ad', table='cycle_collectionhold', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreviewitem',
                trigger=pgtrigger.compiler.Trigger(name='item_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."review_id" IS DISTINCT FROM (NEW."review_id") OR OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."content_hash" IS DISTINCT FROM (NEW."content_hash"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='676890cdaaccad1e0a92b33679d8dc3dc82fde38', operation='UPDATE', pgid='pgtrigger_item_is_fixed_7a51a', table='cycle_bulkreviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreviewitem',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."outcome" = \'\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='35561f333e8fcbebbda826bc88518683830cbe3d', operation='UPDATE', pgid='pgtrigger_decided_once_b45db', table='cycle_bulkreviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreviewitem',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8989ea57794cc5e3b94612fb6c4025902d3632fb', operation='DELETE', pgid='pgtrigger_no_delete_e18c5', table='cycle_bulkreviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkreviewitem',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='a3cef5fea55bf49195af957adc1648fc708f73aa', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_b057b', table='cycle_bulkreviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceallowancecharge',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='89e90b699a249892796478b9c41f5ce0873515bb', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_61104', table='cycle_invoiceallowancecharge', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceallowancecharge',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='1feb55ef972dd3a89fa81666f7b6392450345523', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_3b27e', table='cycle_invoiceallowancecharge', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceallowancecharge',
                trigger=pgtrigger.compiler.Trigger(name='only_on_a_draft', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF EXISTS (SELECT 1 FROM new_parts part JOIN cycle_invoice invoice ON invoice.id = part.invoice_id\n                   WHERE invoice.status NOT IN ('draft', 'held')) THEN\n            RAISE EXCEPTION 'allowances and charges are added to drafts only'\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ", hash='5d5105a0ad41d3f6ada02b63f180744f2fb22526', level='STATEMENT', operation='INSERT', pgid='pgtrigger_only_on_a_draft_f52cf', referencing='REFERENCING NEW TABLE AS new_parts ', table='cycle_invoiceallowancecharge', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceapproval',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ad0c14bd7f568be1ebb0d01240349c908b0ca204', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9bc07', table='cycle_invoiceapproval', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceapproval',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='f1c8e1ad53afdf4d63e03c76bb8f168ccd97a20a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_2521e', table='cycle_invoiceapproval', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceapproval',
                trigger=pgtrigger.compiler.Trigger(name='of_a_draft_by_an_outsider', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE found cycle_invoice%ROWTYPE;', func="\n        SELECT * INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR UPDATE;\n        IF (found.status, found.revision, found.content_hash) <> ('draft', NEW.revision, NEW.content_hash) THEN\n            RAISE EXCEPTION 'invoice % is not the draft that was approved', NEW.invoice_id\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF found.drafted_by_id = NEW.person_id\n           OR EXISTS (SELECT 1 FROM cycle_break WHERE invoice_id = NEW.invoice_id AND closed_by_id = NEW.person_id)\n           OR EXISTS (SELECT 1 FROM cycle_invoicetransition move\n                      JOIN cycle_invoice earlier ON earlier.id = move.invoice_id\n                      WHERE earlier.cycle_id = found.cycle_id AND earlier.kind = found.kind\n                        AND earlier.id < found.id AND move.to_status = 'discarded'\n                        AND move.actor_id = NEW.person_id) THEN\n            RAISE EXCEPTION 'the figures of invoice % come of a decision of this person', NEW.invoice_id\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF NOT EXISTS (SELECT 1 FROM core_auditentry entry\n                       WHERE entry.id = NEW.audit_entry_id AND entry.subject = 'invoice:' || NEW.invoice_id\n                         AND entry.actor_id = NEW.person_id\n                         AND entry.facts ->> 'content_hash' = NEW.content_hash) THEN\n            RAISE EXCEPTION 'this approval of invoice % does not stand in the audit chain', NEW.invoice_id\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='7277c081f2060624d81fe2ad10d5497eb460132d', operation='INSERT', pgid='pgtrigger_of_a_draft_by_an_outsider_955a2', table='cycle_invoiceapproval', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicecomment',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='abd5a5a7d8c72764e1720b08425f5fff3284effb', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_f3d1d', table='cycle_invoicecomment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicecomment',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c88e12cf893f6180be7448522dfafc0b0f134ba1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0ea14', table='cycle_invoicecomment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceline',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='476797c6c50165af117838c6ace76cb7b485c042', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_02204', table='cycle_invoiceline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceline',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e750de088aa6a1d7d9d5cfc583fd1afcf2ff9479', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_beed7', table='cycle_invoiceline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoiceline',
                trigger=pgtrigger.compiler.Trigger(name='only_on_a_draft', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF EXISTS (SELECT 1 FROM new_lines line JOIN cycle_invoice invoice ON invoice.id = line.invoice_id\n                   WHERE invoice.status NOT IN ('draft', 'held')) THEN\n            RAISE EXCEPTION 'lines are added to drafts only' USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        IF EXISTS (SELECT 1 FROM new_lines line\n                   JOIN cycle_invoice invoice ON invoice.id = line.invoice_id\n                   JOIN cycle_invoiceline corrected ON corrected.id = line.adjusts_id\n                   JOIN cycle_invoice issued ON issued.id = corrected.invoice_id\n                   WHERE issued.status <> 'final' OR corrected.adjusts_id IS NOT NULL\n                      OR (issued.customer_id, issued.currency) <> (invoice.customer_id, invoice.currency)) THEN\n            RAISE EXCEPTION 'only an original line of the same customer''s final invoices is adjusted'\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ", hash='b7d156a767ebe3ed3cd0d6ac2221b1a5ddb25d60', level='STATEMENT', operation='INSERT', pgid='pgtrigger_only_on_a_draft_ad4ed', referencing='REFERENCING NEW TABLE AS new_lines ', table='cycle_invoiceline', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltarow',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8011f2f03d123ed5f8358762351f3bdb0741690f', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_2e569', table='cycle_deltarow', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltarow',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c32dd2b72610bd1903eaa54755570e5dda90d626', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_29c1a', table='cycle_deltarow', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deltarow',
                trigger=pgtrigger.compiler.Trigger(name='with_their_report', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF EXISTS (SELECT 1 FROM new_rows row JOIN cycle_deltareport report ON report.id = row.report_id\n               WHERE report.status <> 'proposed') THEN\n        RAISE EXCEPTION 'rows are added to proposed delta reports only'\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    IF EXISTS (SELECT 1 FROM new_rows row JOIN cycle_deltareport report ON report.id = row.report_id\n               WHERE report.kind = 'unchanged'\n                 AND (row.before_amount <> row.after_amount OR row.line_id IS NOT NULL OR row.corrects_id IS NULL)) THEN\n        RAISE EXCEPTION 'a delta report that says that no amount changes has a row that changes one'\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    IF EXISTS (SELECT 1 FROM new_rows row JOIN cycle_deltareport report ON report.id = row.report_id\n               WHERE report.kind <> 'unchanged' AND row.counted_id IS NOT NULL) THEN\n        RAISE EXCEPTION 'a row of a change says what was counted by its line'\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NULL;\n", hash='fa24e658915e12c2e990a4b1388f38aa5530c6bd', level='STATEMENT', operation='INSERT', pgid='pgtrigger_with_their_report_a9181', referencing='REFERENCING NEW TABLE AS new_rows ', table='cycle_deltarow', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deduction',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e2762485c2eabe68480a9b061f678aedb10808e8', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e9b61', table='cycle_deduction', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deduction',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='15b1d2e0b6b564e5b16fd2b56df54a7cb2ada213', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a636e', table='cycle_deduction', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='deduction',
                trigger=pgtrigger.compiler.Trigger(name='deducts_what_was_issued', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF EXISTS (SELECT 1 FROM taken_off deduction\n                   JOIN cycle_invoiceline line ON line.id = deduction.line_id\n                   JOIN cycle_invoice invoice ON invoice.id = line.invoice_id\n                   JOIN cycle_invoiceline billed ON billed.id = deduction.billed_id\n                   JOIN cycle_invoice issued ON issued.id = billed.invoice_id\n                   WHERE invoice.status NOT IN ('draft', 'held') OR issued.status <> 'final'\n                      OR issued.kind <> 'interim' OR issued.cycle_id <> invoice.cycle_id\n                      OR line.adjusts_id IS NOT NULL OR billed.adjusts_id IS NOT NULL\n                      OR EXISTS (SELECT 1 FROM cycle_deduction other\n                                 JOIN cycle_invoiceline beside ON beside.id = other.line_id\n                                 WHERE other.billed_id = deduction.billed_id AND other.id <> deduction.id\n                                   AND beside.invoice_id = line.invoice_id)) THEN\n            RAISE EXCEPTION 'a draft takes off only lines of final interim invoices of its period, each once'\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ", hash='56c560c9cde6c8d18ec995723af232eb816ccf57', level='STATEMENT', operation='INSERT', pgid='pgtrigger_deducts_what_was_issued_e855c', referencing='REFERENCING NEW TABLE AS taken_off ', table='cycle_deduction', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditline',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='cf20fcaeb87554a1b1d37e4f0bad6b5421d757cd', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_f007d', table='cycle_creditline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditline',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c7e1c8ed547bae839dae05b260b1f38c9201ef1f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0ef3b', table='cycle_creditline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditline',
                trigger=pgtrigger.compiler.Trigger(name='only_on_a_draft', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE billed numeric; given numeric;', func="\n        IF NOT EXISTS (SELECT 1 FROM cycle_invoice note JOIN cycle_invoiceline line ON line.id = NEW.credits_id\n                       WHERE note.id = NEW.invoice_id AND note.status IN ('draft', 'held')\n                         AND note.credits_id = line.invoice_id) THEN\n            RAISE EXCEPTION 'a credit line is added to the draft of a credit note over the invoice of its line'\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        -- The issued invoice is where two credits of one line meet.\n        PERFORM 1 FROM cycle_invoice issued JOIN cycle_invoiceline line ON line.invoice_id = issued.id\n        WHERE line.id = NEW.credits_id AND issued.status = 'final' AND issued.document_type = 'invoice'\n        FOR UPDATE OF issued;\n        IF NOT FOUND THEN\n            RAISE EXCEPTION 'only a line of a final invoice is credited'\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        SELECT line.amount + LEAST(0, COALESCE((\n                   SELECT SUM(later.amount) FROM cycle_invoiceline later JOIN cycle_invoice carrier\n                     ON carrier.id = later.invoice_id AND carrier.status = 'final'\n                   WHERE later.adjusts_id = line.id), 0) * SIGN(line.amount)) * SIGN(line.amount)\n        INTO billed FROM cycle_invoiceline line WHERE line.id = NEW.credits_id;\n        SELECT COALESCE(SUM(other.amount), 0) INTO given\n        FROM cycle_creditline other JOIN cycle_invoice note ON note.id = other.invoice_id AND note.status <> 'discarded'\n        WHERE other.credits_id = NEW.credits_id;\n        IF NEW.amount * billed >= 0 OR (billed + given + NEW.amount) * billed < 0 THEN\n            RAISE EXCEPTION 'credits of line % come to more than was billed', NEW.credits_id\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='5b927a0ccb1be43bd82b010c33a65ab160a36dd2', operation='INSERT', pgid='pgtrigger_only_on_a_draft_35e93', table='cycle_creditline', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicetax',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='84e446d0854fc42d9a48a1aaca95c9caf94e2eff', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_563b4', table='cycle_invoicetax', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicetax',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='91e50ea4c1632352df0fcf3eaf0b7aad028bb2f6', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_05f05', table='cycle_invoicetax', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicetax',
                trigger=pgtrigger.compiler.Trigger(name='only_on_a_draft', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF EXISTS (SELECT 1 FROM new_taxes tax JOIN cycle_invoice invoice ON invoice.id = tax.invoice_id\n                   WHERE invoice.status NOT IN ('draft', 'held')) THEN\n            RAISE EXCEPTION 'taxes are added to drafts only' USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NULL;\n    ", hash='203b6aaae23526ec1160c6f87929499a6552fb7a', level='STATEMENT', operation='INSERT', pgid='pgtrigger_only_on_a_draft_5d384', referencing='REFERENCING NEW TABLE AS new_taxes ', table='cycle_invoicetax', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicetransition',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='32b8f236aa10613b586d7567fa9f64c3fcc5c961', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1a988', table='cycle_invoicetransition', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoicetransition',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5f8ccd3246f2720b88e6a970e46dd0ca60320de2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_ddccf', table='cycle_invoicetransition', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='linebooking',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c9a7a73aeb5ef26d87a5273dfaeaf74911a0c1f9', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_face9', table='cycle_linebooking', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='linebooking',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='2633c46c360321c6d996ebd11153cbaea77f2a6d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e1461', table='cycle_linebooking', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='numberseries',
                trigger=pgtrigger.compiler.Trigger(name='one_number_at_a_time', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW.next_number <> OLD.next_number + 1 OR NEW.prefix <> OLD.prefix OR NEW.document_type <> OLD.document_type OR NEW.last_taken_at IS NULL OR NEW.last_taken_at < OLD.last_taken_at)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d80096ea90006db5acd3f5461f118a96429a0ad5', operation='UPDATE', pgid='pgtrigger_one_number_at_a_time_1e7bf', table='cycle_numberseries', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='numberseries',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4514cec03ee7a1fe1e35ec43d94cbf0d05b9a864', operation='DELETE', pgid='pgtrigger_no_delete_36deb', table='cycle_numberseries', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='invoice_triggers_bill', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'charge_control') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='aefc02f0f931dfd178648988df5e6a46137dbdac', operation='INSERT', pgid='pgtrigger_invoice_triggers_bill_f76b8', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='policy_decides', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."policy_id" IS NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='f5d63eafc23989b7868e9e0bbe3a8e895bd5a42e', operation='INSERT', pgid='pgtrigger_policy_decides_9297b', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='final_never_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" = \'final\')', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='86a177e1a2e106049fc7da59684e5c02e97357d0', operation='UPDATE', pgid='pgtrigger_final_never_changes_fa73b', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='figures_are_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cycle_id" IS DISTINCT FROM (NEW."cycle_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."document_type" IS DISTINCT FROM (NEW."document_type") OR OLD."credits_id" IS DISTINCT FROM (NEW."credits_id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."seller_id" IS DISTINCT FROM (NEW."seller_id") OR OLD."watermark_id" IS DISTINCT FROM (NEW."watermark_id") OR OLD."policy_id" IS DISTINCT FROM (NEW."policy_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."period_start" IS DISTINCT FROM (NEW."period_start") OR OLD."period_end" IS DISTINCT FROM (NEW."period_end") OR OLD."parties" IS DISTINCT FROM (NEW."parties") OR OLD."personal_key_id" IS DISTINCT FROM (NEW."personal_key_id") OR OLD."terms_days" IS DISTINCT FROM (NEW."terms_days") OR OLD."allowances" IS DISTINCT FROM (NEW."allowances") OR OLD."charges" IS DISTINCT FROM (NEW."charges") OR OLD."subtotal" IS DISTINCT FROM (NEW."subtotal") OR OLD."tax" IS DISTINCT FROM (NEW."tax") OR OLD."total" IS DISTINCT FROM (NEW."total") OR OLD."prepaid" IS DISTINCT FROM (NEW."prepaid") OR OLD."payable_rounding" IS DISTINCT FROM (NEW."payable_rounding") OR OLD."content_hash" IS DISTINCT FROM (NEW."content_hash") OR OLD."drafted_by_id" IS DISTINCT FROM (NEW."drafted_by_id") OR OLD."drafted_at" IS DISTINCT FROM (NEW."drafted_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7a8cefc0d9e419c7ba8cb8678deb38fca838a6ae', operation='UPDATE', pgid='pgtrigger_figures_are_fixed_4c396', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='status_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{draft:held,held:draft,draft:approved,approved:held,approved:final,draft:discarded,held:discarded}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='34fc1114404a2cb51c5f459e6f46c2acb2836754', operation='UPDATE', pgid='pgtrigger_status_moves_013f0', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='no_stale_write', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW.revision <> OLD.revision + 1)', func="\n            RAISE EXCEPTION 'invoice % was moved since it was read', OLD.id\n                USING ERRCODE = 'integrity_constraint_violation';\n        ", hash='39e8c72c2fc97c2dd629803163f59d9f1dfc34a3', operation='UPDATE', pgid='pgtrigger_no_stale_write_a949a', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='born_undecided', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'draft\', \'held\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='db72babb86e6591eeafb3c054ab69c342917ee3c', operation='INSERT', pgid='pgtrigger_born_undecided_1a3de', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='not_in_a_closed_period', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."kind" = \'interim\')', func="\n            IF EXISTS (SELECT 1 FROM cycle_invoice\n                       WHERE cycle_id = NEW.cycle_id AND kind = 'cycle' AND status <> 'discarded') THEN\n                RAISE EXCEPTION 'the period of interim invoice % is closed', NEW.id\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='5aa4b870628a987a5849f9b857b2e00bd4a15866', operation='INSERT', pgid='pgtrigger_not_in_a_closed_period_253bc', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='drafted_whole', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\nIF NEW.subtotal + NEW.allowances - NEW.charges\n       <> (SELECT COALESCE(SUM(amount), 0) FROM cycle_invoiceline WHERE invoice_id = NEW.id)\n          + (SELECT COALESCE(SUM(amount), 0) FROM cycle_creditline WHERE invoice_id = NEW.id)\n   OR (NEW.allowances, NEW.charges) <> (\n       SELECT COALESCE(SUM(amount) FILTER (WHERE kind = 'allowance'), 0),\n              COALESCE(SUM(amount) FILTER (WHERE kind = 'charge'), 0)\n       FROM cycle_invoiceallowancecharge WHERE invoice_id = NEW.id)\n   OR NEW.tax <> (SELECT COALESCE(SUM(tax), 0) FROM cycle_invoicetax WHERE invoice_id = NEW.id) THEN\n    RAISE EXCEPTION 'the lines, allowances, charges or taxes of invoice % do not add up to its totals', NEW.id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n \nIF NEW.credits_id IS NOT NULL THEN\n    PERFORM 1 FROM cycle_invoice WHERE id = NEW.credits_id FOR UPDATE;\n    IF (SELECT COALESCE(SUM(note.total), 0) + issued.total < 0\n               OR COALESCE(SUM(note.subtotal), 0) + issued.subtotal < 0\n        FROM cycle_invoice issued\n        LEFT JOIN cycle_invoice note ON note.credits_id = issued.id AND note.status <> 'discarded'\n        WHERE issued.id = NEW.credits_id GROUP BY issued.id) THEN\n        RAISE EXCEPTION 'credit notes over invoice % come to more than the invoice', NEW.credits_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\nEND IF;\nIF (NEW.total < 0) <> (NEW.document_type = 'credit_note') THEN\n    RAISE EXCEPTION 'a total below 0 is a credit note, any other an invoice'\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n \nIF NEW.kind = 'interim' AND NOT EXISTS (\n    SELECT 1 FROM cycle_interimfiring WHERE invoice_id = NEW.id AND policy_id = NEW.policy_id\n       AND watermark_id = NEW.watermark_id AND cycle_id = NEW.cycle_id)\nTHEN\n    RAISE EXCEPTION 'nothing brought interim invoice %', NEW.id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\nIF NEW.kind = 'cycle' AND EXISTS (\n    SELECT 1 FROM cycle_invoice interim JOIN cycle_invoiceline billed ON billed.invoice_id = interim.id\n    WHERE interim.cycle_id = NEW.cycle_id AND interim.kind = 'interim' AND interim.status = 'final'\n      AND NOT EXISTS (SELECT 1 FROM cycle_deduction deduction JOIN cycle_invoiceline line ON line.id = deduction.line_id\n                      WHERE deduction.billed_id = billed.id AND line.invoice_id = NEW.id))\nTHEN\n    RAISE EXCEPTION 'invoice % does not take off what interim invoices billed of its period', NEW.id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n RETURN NULL;", hash='2e5bf1de1059d047ad846371f2746262038b288d', operation='INSERT', pgid='pgtrigger_drafted_whole_67904', table='cycle_invoice', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='sound_when_decided', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" IN (\'approved\', \'final\'))', func="\nIF NEW.subtotal + NEW.allowances - NEW.charges\n       <> (SELECT COALESCE(SUM(amount), 0) FROM cycle_invoiceline WHERE invoice_id = NEW.id)\n          + (SELECT COALESCE(SUM(amount), 0) FROM cycle_creditline WHERE invoice_id = NEW.id)\n   OR (NEW.allowances, NEW.charges) <> (\n       SELECT COALESCE(SUM(amount) FILTER (WHERE kind = 'allowance'), 0),\n              COALESCE(SUM(amount) FILTER (WHERE kind = 'charge'), 0)\n       FROM cycle_invoiceallowancecharge WHERE invoice_id = NEW.id)\n   OR NEW.tax <> (SELECT COALESCE(SUM(tax), 0) FROM cycle_invoicetax WHERE invoice_id = NEW.id) THEN\n    RAISE EXCEPTION 'the lines, allowances, charges or taxes of invoice % do not add up to its totals', NEW.id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n \nIF NEW.credits_id IS NOT NULL THEN\n    PERFORM 1 FROM cycle_invoice WHERE id = NEW.credits_id FOR UPDATE;\n    IF (SELECT COALESCE(SUM(note.total), 0) + issued.total < 0\n               OR COALESCE(SUM(note.subtotal), 0) + issued.subtotal < 0\n        FROM cycle_invoice issued\n        LEFT JOIN cycle_invoice note ON note.credits_id = issued.id AND note.status <> 'discarded'\n        WHERE issued.id = NEW.credits_id GROUP BY issued.id) THEN\n        RAISE EXCEPTION 'credit notes over invoice % come to more than the invoice', NEW.credits_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\nEND IF;\nIF (NEW.total < 0) <> (NEW.document_type = 'credit_note') THEN\n    RAISE EXCEPTION 'a total below 0 is a credit note, any other an invoice'\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n \nIF EXISTS (SELECT 1 FROM cycle_break WHERE invoice_id = NEW.id AND closed_at IS NULL)\n   OR EXISTS (SELECT 1 FROM cycle_hold WHERE invoice_id = NEW.id AND released_at IS NULL) THEN\n    RAISE EXCEPTION 'invoice % has an open break or hold', NEW.id USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n \nIF EXISTS (SELECT 1 FROM cycle_deltareport WHERE invoice_id = NEW.id AND status = 'rejected')\n   OR EXISTS (\n       SELECT 1 FROM cycle_invoiceline line\n       WHERE line.invoice_id = NEW.id AND line.adjusts_id IS NOT NULL AND NOT EXISTS (\n           SELECT 1 FROM cycle_deltarow delta JOIN cycle_deltareport report ON report.id = delta.report_id\n           WHERE delta.line_id = line.id AND report.invoice_id = NEW.id AND report.kind = 'adjustment'\n             AND report.status = 'approved' AND delta.after_amount - delta.before_amount = line.amount))\n   OR EXISTS (\n       SELECT 1 FROM cycle_creditline line\n       WHERE line.invoice_id = NEW.id AND NOT EXISTS (\n           SELECT 1 FROM cycle_deltarow delta JOIN cycle_deltareport report ON report.id = delta.report_id\n           WHERE delta.corrects_id = line.credits_id AND delta.cause = 'credit' AND report.invoice_id = NEW.id\n             AND report.status = 'approved' AND delta.after_amount - delta.before_amount = line.amount)) THEN\n    RAISE EXCEPTION 'invoice % changes what was billed before without an approved delta report', NEW.id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n \nIF NOT EXISTS (\n    SELECT 1 FROM cycle_invoiceapproval approval\n    WHERE approval.invoice_id = NEW.id AND approval.content_hash = NEW.content_hash\n      AND approval.revision = CASE NEW.status WHEN 'approved' THEN OLD.revision ELSE OLD.revision - 1 END\n      AND (NEW.status = 'final' OR EXISTS (\n          SELECT 1 FROM auth_user person\n          JOIN auth_user_groups held ON held.user_id = person.id\n          JOIN auth_group role ON role.id = held.group_id\n          WHERE person.id = approval.person_id AND person.is_active AND role.name = 'finance'))\n    HAVING bool_or(approval.person_id = NEW.approved_by_id)\n       AND count(DISTINCT approval.person_id) >= CASE WHEN abs(NEW.total) > (\n           SELECT (policy.terms #>> ARRAY['approval', 'second_person_above', NEW.currency])::numeric\n           FROM policy_triggerpolicy policy WHERE policy.id = NEW.policy_id) THEN 2 ELSE 1 END\n) THEN\n    RAISE EXCEPTION 'invoice % lacks an approval', NEW.id USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n RETURN NEW;", hash='959df68fd0ab95c75adc334430fc553df4b8bcd2', operation='UPDATE OF "status"', pgid='pgtrigger_sound_when_decided_03e5d', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='unpaused_when_final', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'final\')', func="\nIF EXISTS (\n    SELECT 1 FROM cycle_break found JOIN cycle_invoice other ON other.id = found.invoice_id\n    WHERE found.closed_at IS NULL AND other.customer_id = NEW.customer_id\n      AND other.period_start < NEW.period_end AND other.period_end > NEW.period_start) THEN\n    RAISE EXCEPTION 'the cycle of invoice % is paused by an open break', NEW.id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n RETURN NEW;", hash='8836844acecf75bbe0306486d960314743a3b7f4', operation='UPDATE OF "status"', pgid='pgtrigger_unpaused_when_final_da9c5', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='nothing_offends', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'final\' AND NOT (OLD."status" = \'final\'))', func="\nIF EXISTS (SELECT 1 FROM cycle_offence offence WHERE customer_id = NEW.customer_id AND cleared_at IS NULL\n           AND NOT EXISTS (SELECT 1 FROM cycle_falsealarm WHERE offence_id = offence.id AND decision = 'agreed')) THEN\n    RAISE EXCEPTION 'an invariant is contradicted by what customer % has', NEW.customer_id\n        USING ERRCODE = 'integrity_constraint_violation';\nEND IF;\n RETURN NEW;", hash='7cb91f3258b916949d22d047213e71d22405e467', operation='UPDATE', pgid='pgtrigger_nothing_offends_0082d', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c185823d7ce16bbac8a0a054cab4bf8a70e160c8', operation='DELETE', pgid='pgtrigger_no_delete_170f2', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invoice',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5c9b093626265d9fd00e3e3a2bb4cdd153ff30a9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_15cf6', table='cycle_invoice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offence',
                trigger=pgtrigger.compiler.Trigger(name='what_was_found_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."offender" IS DISTINCT FROM (NEW."offender") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."found_at" IS DISTINCT FROM (NEW."found_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7579a8b24dd378754b790bf0653faf185078f6fe', operation='UPDATE', pgid='pgtrigger_what_was_found_is_fixed_31ab5', table='cycle_offence', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offence',
                trigger=pgtrigger.compiler.Trigger(name='cleared_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."cleared_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5a7be6eec206fe621e8a9255d1bfad0eb6516466', operation='UPDATE', pgid='pgtrigger_cleared_once_0eeeb', table='cycle_offence', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offence',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='3ffbec17c758c3a6e057255478fab64b0426dd20', operation='DELETE', pgid='pgtrigger_no_delete_ba83b', table='cycle_offence', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='offence',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='ec7ebdea71f8132b5f358cc7cab7142b11fde31a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_f1e0a', table='cycle_offence', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='falsealarm',
                trigger=pgtrigger.compiler.Trigger(name='statement_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."offence_id" IS DISTINCT FROM (NEW."offence_id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."stated_by_id" IS DISTINCT FROM (NEW."stated_by_id") OR OLD."stated_at" IS DISTINCT FROM (NEW."stated_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4af6968222d46ed22bb1b2ee8f989c2d02e60c21', operation='UPDATE', pgid='pgtrigger_statement_is_fixed_6cef7', table='cycle_falsealarm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='falsealarm',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."decision" = \'\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='9ebea1e87cb41680f9be766bf01ca6e2dbb7dfc9', operation='UPDATE', pgid='pgtrigger_decided_once_e2c17', table='cycle_falsealarm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='falsealarm',
                trigger=pgtrigger.compiler.Trigger(name='born_undecided', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."decision" = \'\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='84aa8f10779e40b03a2cc9e98cc64cbcc63e9e9b', operation='INSERT', pgid='pgtrigger_born_undecided_7606f', table='cycle_falsealarm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='falsealarm',
                trigger=pgtrigger.compiler.Trigger(name='only_over_what_stops', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF EXISTS (SELECT 1 FROM cycle_offence WHERE id = NEW.offence_id\n               AND (cleared_at IS NOT NULL OR customer_id IS NULL OR number IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 29, 30, 31, 43)))\n    THEN\n        RAISE EXCEPTION 'offence % is no alarm that can be called false', NEW.offence_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='1ec4e05b8718c9bef93ae2ee5034656200168ea8', operation='INSERT OR UPDATE', pgid='pgtrigger_only_over_what_stops_00134', table='cycle_falsealarm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='falsealarm',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='828d1a4007d5a8c22504d3d5dc70c9ec4dcc9b73', operation='DELETE', pgid='pgtrigger_no_delete_3f998', table='cycle_falsealarm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='falsealarm',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='321789d0d9e6c2b3c38494ad78b5811a367449e8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9070e', table='cycle_falsealarm', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='parkedcustomer',
                trigger=pgtrigger.compiler.Trigger(name='parking_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."parked_at" IS DISTINCT FROM (NEW."parked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='20230d884ff02750b24c3aa6001aa6240fbf76da', operation='UPDATE', pgid='pgtrigger_parking_is_fixed_ced08', table='cycle_parkedcustomer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='parkedcustomer',
                trigger=pgtrigger.compiler.Trigger(name='left_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."left_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4222f343e5f0dcae2ad66fc500211928f3e7c40d', operation='UPDATE', pgid='pgtrigger_left_once_4c295', table='cycle_parkedcustomer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='parkedcustomer',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='bf649788cfeacec227e8893d342afff6399d8bc5', operation='DELETE', pgid='pgtrigger_no_delete_6ce52', table='cycle_parkedcustomer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='parkedcustomer',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='aed030117ebd8a53d901892566d44e5c9ab1c260', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_701fb', table='cycle_parkedcustomer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='recognition',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e6a3111303e4731ce39dbcc512932809f407fb77', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_996aa', table='cycle_recognition', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='recognition',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='909fe3bc1277f11617d245f17c6c0d0e42f4c80c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c0879', table='cycle_recognition', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stoppedinterim',
                trigger=pgtrigger.compiler.Trigger(name='what_stopped_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."subscription_id" IS DISTINCT FROM (NEW."subscription_id") OR OLD."stopped_at" IS DISTINCT FROM (NEW."stopped_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='20edf7d2d00f348c74ad85a12e23290fcf62f029', operation='UPDATE', pgid='pgtrigger_what_stopped_is_fixed_4b6b1', table='cycle_stoppedinterim', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stoppedinterim',
                trigger=pgtrigger.compiler.Trigger(name='left_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."left_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='58556c97b54dc7086c04507e3ec604601018651d', operation='UPDATE', pgid='pgtrigger_left_once_27e8a', table='cycle_stoppedinterim', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stoppedinterim',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f985750bc92194cae3d93b6088de1fa735177df1', operation='DELETE', pgid='pgtrigger_no_delete_0a38c', table='cycle_stoppedinterim', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stoppedinterim',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='23747fe6644af3c3a83728f1bfedd3c010330124', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_aa9a4', table='cycle_stoppedinterim', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tieout',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1e29b2c664742825a8b3aaf4e546a8c5f82f6600', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_51f7b', table='cycle_tieout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='tieout',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='ca93aced022ac65816d14b0db8db350c174d505f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_05bbc', table='cycle_tieout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='break',
                trigger=pgtrigger.compiler.Trigger(name='not_on_closed_invoices', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE found text;', func="\n        SELECT status INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR SHARE;\n        IF found IN ('final', 'discarded') THEN\n            RAISE EXCEPTION 'invoice % is %, nothing is opened on it any more', NEW.invoice_id, found\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='c2a794be285768dd1d909ce107e4a26ff9e1828f', operation='INSERT', pgid='pgtrigger_not_on_closed_invoices_7748d', table='cycle_break', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='break',
                trigger=pgtrigger.compiler.Trigger(name='pauses_its_cycle', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        PERFORM 1 FROM cycle_invoice own JOIN cycle_invoice other ON other.customer_id = own.customer_id\n            AND other.period_start < own.period_end AND other.period_end > own.period_start\n        WHERE own.id = NEW.invoice_id AND other.status IN ('draft', 'held', 'approved')\n        ORDER BY other.id FOR SHARE OF other;\n        RETURN NEW;\n    ", hash='abc09baf31161fbf41eaaccd0fdffb4fc3444fcb', operation='INSERT', pgid='pgtrigger_pauses_its_cycle_d6826', table='cycle_break', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='break',
                trigger=pgtrigger.compiler.Trigger(name='finding_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."invoice_id" IS DISTINCT FROM (NEW."invoice_id") OR OLD."tie_out_id" IS DISTINCT FROM (NEW."tie_out_id") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."detail" IS DISTINCT FROM (NEW."detail") OR OLD."facts" IS DISTINCT FROM (NEW."facts") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0f874ee10f67e59c6f8818195d9a9134e4c776ed', operation='UPDATE', pgid='pgtrigger_finding_is_fixed_78107', table='cycle_break', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='break',
                trigger=pgtrigger.compiler.Trigger(name='closed_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."closed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6b7f05e7fa7657d5b7bfb5813595e14ddecb4b4a', operation='UPDATE', pgid='pgtrigger_closed_once_c87e6', table='cycle_break', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='break',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='859450669454ef3853c784b2e72ee01020abc54a', operation='DELETE', pgid='pgtrigger_no_delete_90fbf', table='cycle_break', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='break',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='0d025a848ab16f6a7c78c88fda129d5e1294df91', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c6e21', table='cycle_break', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unusualfigure',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='40fe1148401c424bed4ff4e0c9e87d62ef4110d0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a415e', table='cycle_unusualfigure', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unusualfigure',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='294f9d397ec1fb30c82003d9b10dbb2ddb7c5b7c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_f5e00', table='cycle_unusualfigure', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='unusualfigure',
                trigger=pgtrigger.compiler.Trigger(name='not_on_closed_invoices', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE found text;', func="\n        SELECT status INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR SHARE;\n        IF found IN ('final', 'discarded') THEN\n            RAISE EXCEPTION 'invoice % is %, nothing is opened on it any more', NEW.invoice_id, found\n                USING ERRCODE = 'integrity_constraint_violation';\n        END IF;\n        RETURN NEW;\n    ", hash='202ba77e7bb76ee9bce70406f7e7dbbe469ce75c', operation='INSERT', pgid='pgtrigger_not_on_closed_invoices_00a2a', table='cycle_unusualfigure', when='BEFORE')),
            ),
        ]),
        migrations.RunPython(write_usual_reasons, migrations.RunPython.noop),
    ]
