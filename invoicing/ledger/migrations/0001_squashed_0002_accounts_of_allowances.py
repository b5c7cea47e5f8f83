import core.migrating
import django.db.models.deletion
import invoicing.ledger.rules.chart
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('ledger', '0001_initial'), ('ledger', '0002_accounts_of_allowances')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='HistoricalGeneralLedgerNumber',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('account', models.CharField(choices=[('accounts_receivable', 'accounts_receivable'), ('customer_balance_liability', 'customer_balance_liability'), ('tax_payable', 'tax_payable'), ('deferred_revenue', 'deferred_revenue'), ('revenue_usage', 'revenue_usage'), ('revenue_subscription', 'revenue_subscription'), ('revenue_commitment_shortfall', 'revenue_commitment_shortfall'), ('revenue_charges', 'revenue_charges'), ('sales_allowances', 'sales_allowances'), ('rounding_differences', 'rounding_differences')], db_index=True, max_length=40)),
                    ('number', models.CharField(max_length=40)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical general ledger number',
                    'verbose_name_plural': 'historical general ledger numbers',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='JournalEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(help_text='Posted once for ever, such as invoice:42:final.', max_length=80, unique=True)),
                    ('memo', models.CharField(max_length=200)),
                    ('currency', models.CharField(max_length=3)),
                    ('booked_on', models.DateField(help_text='The day in the books: the date of issue of its document.')),
                    ('posted_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ],
                options={
                    'verbose_name_plural': 'journal entries',
                    'ordering': ['booked_on', 'id'],
                    'indexes': [models.Index(fields=['booked_on', 'id'], name='ledger_entry_day')],
                },
            ),
            migrations.CreateModel(
                name='Posting',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account', models.CharField(choices=[('accounts_receivable', 'accounts_receivable'), ('customer_balance_liability', 'customer_balance_liability'), ('tax_payable', 'tax_payable'), ('deferred_revenue', 'deferred_revenue'), ('revenue_usage', 'revenue_usage'), ('revenue_subscription', 'revenue_subscription'), ('revenue_commitment_shortfall', 'revenue_commitment_shortfall'), ('revenue_charges', 'revenue_charges'), ('sales_allowances', 'sales_allowances'), ('rounding_differences', 'rounding_differences')], max_length=40)),
                    ('debit', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('credit', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='ledger.journalentry')),
                ],
                options={
                    'ordering': ['entry', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('entry', 'account'), name='ledger_posting_once_per_account'), models.CheckConstraint(condition=models.Q(('account__in', [invoicing.ledger.rules.chart.Account['ACCOUNTS_RECEIVABLE'], invoicing.ledger.rules.chart.Account['CUSTOMER_BALANCE'], invoicing.ledger.rules.chart.Account['TAX_PAYABLE'], invoicing.ledger.rules.chart.Account['DEFERRED_REVENUE'], invoicing.ledger.rules.chart.Account['REVENUE_USAGE'], invoicing.ledger.rules.chart.Account['REVENUE_SUBSCRIPTION'], invoicing.ledger.rules.chart.Account['REVENUE_COMMITMENT_SHORTFALL'], invoicing.ledger.rules.chart.Account['REVENUE_CHARGES'], invoicing.ledger.rules.chart.Account['SALES_ALLOWANCES'], invoicing.ledger.rules.chart.Account['ROUNDING_DIFFERENCES']])), name='ledger_posting_account'), models.CheckConstraint(condition=models.Q(models.Q(('credit__gt', 0), ('credit__lte', '1e15'), ('debit', 0)), models.Q(('credit', 0), ('debit__gt', 0), ('debit__lte', '1e15')), _connector='OR'), name='ledger_posting_one_side')],
                },
            ),
            migrations.CreateModel(
                name='GeneralLedgerNumber',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account', models.CharField(choices=[('accounts_receivable', 'accounts_receivable'), ('customer_balance_liability', 'customer_balance_liability'), ('tax_payable', 'tax_payable'), ('deferred_revenue', 'deferred_revenue'), ('revenue_usage', 'revenue_usage'), ('revenue_subscription', 'revenue_subscription'), ('revenue_commitment_shortfall', 'revenue_commitment_shortfall'), ('revenue_charges', 'revenue_charges'), ('sales_allowances', 'sales_allowances'), ('rounding_differences', 'rounding_differences')], max_length=40, unique=True)),
                    ('number', models.CharField(max_length=40)),
                ],
                options={
                    'ordering': ['account'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('account__in', [invoicing.ledger.rules.chart.Account['ACCOUNTS_RECEIVABLE'], invoicing.ledger.rules.chart.Account['CUSTOMER_BALANCE'], invoicing.ledger.rules.chart.Account['TAX_PAYABLE'], invoicing.ledger.rules.chart.Account['DEFERRED_REVENUE'], invoicing.ledger.rules.chart.Account['REVENUE_USAGE'], invoicing.ledger.rules.chart.Account['REVENUE_SUBSCRIPTION'], invoicing.ledger.rules.chart.Account['REVENUE_COMMITMENT_SHORTFALL'], invoicing.ledger.rules.chart.Account['REVENUE_CHARGES'], invoicing.ledger.rules.chart.Account['SALES_ALLOWANCES'], invoicing.ledger.rules.chart.Account['ROUNDING_DIFFERENCES']])), name='ledger_number_account')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='generalledgernumber',
                trigger=pgtrigger.compiler.Trigger(name='account_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."account" IS DISTINCT FROM (NEW."account"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='9bf6359857f5381a6f578ae2b3baaa884e3580af', operation='UPDATE', pgid='pgtrigger_account_is_fixed_59024', table='ledger_generalledgernumber', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='journalentry',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0b58c0344ee9a260f5dd0a38fcb87128e74b1ee9', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_d47c8', table='ledger_journalentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='journalentry',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='55686df78b14da44722688357747a0091b23fb5b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_f453a', table='ledger_journalentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='journalentry',
                trigger=pgtrigger.compiler.Trigger(name='entry_balances', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n    IF (SELECT count(*) FILTER (WHERE debit > 0) = 0 OR count(*) FILTER (WHERE credit > 0) = 0\n               OR sum(debit) <> sum(credit)\n        FROM ledger_posting WHERE entry_id = NEW.id)\n    THEN\n        RAISE EXCEPTION 'journal entry % does not balance', NEW.id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NULL;\n", hash='5431cb706144ecadb49997ddfaf34b829ec7cbbe', operation='INSERT', pgid='pgtrigger_entry_balances_526d1', table='ledger_journalentry', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='posting',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7b239e9284152ba7def92c3dbc6b17b168823747', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_f2ff5', table='ledger_posting', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='posting',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='a3f67bdbc9a62c37d11fe654c30d229660cd442e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_96585', table='ledger_posting', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='posting',
                trigger=pgtrigger.compiler.Trigger(name='entry_balances', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n    IF (SELECT count(*) FILTER (WHERE debit > 0) = 0 OR count(*) FILTER (WHERE credit > 0) = 0\n               OR sum(debit) <> sum(credit)\n        FROM ledger_posting WHERE entry_id = NEW.entry_id)\n    THEN\n        RAISE EXCEPTION 'journal entry % does not balance', NEW.entry_id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NULL;\n", hash='409785bce2945cc9a73065778ea6bd93cfac227a', operation='INSERT', pgid='pgtrigger_entry_balances_9b202', table='ledger_posting', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
        ]),
    ]
