import accounts.validators
import core.migrating
import core.sealed_fields
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

# One staff account per mailbox, so that a person cannot be two; as `accounts.rules.mailboxes` compares them.
ONE_ACCOUNT_PER_MAILBOX = r"""
CREATE UNIQUE INDEX accounts_one_account_per_mailbox
ON auth_user (regexp_replace(lower(trim(email)), '\+[^@]*@', '@')) WHERE is_staff AND email <> ''
"""


class Migration(migrations.Migration):

    replaces = [('accounts', '0001_initial'), ('accounts', '0002_customer_program'), ('accounts', '0003_external_ids'), ('accounts', '0004_credit_note_prefix'), ('accounts', '0005_one_account_per_mailbox'), ('accounts', '0006_customers_are_sealed'), ('accounts', '0007_the_log_names_nobody')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='SignInGuard',
                fields=[
                    ('name', models.CharField(help_text='As typed, in lower case; it need not exist.', max_length=150, primary_key=True, serialize=False)),
                    ('failures', models.PositiveIntegerField()),
                    ('last_failure_at', models.DateTimeField(db_index=True)),
                ],
            ),
            migrations.CreateModel(
                name='Customer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(help_text='The `subject` of usage events.', max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('legal_name', core.sealed_fields.SealedCharField(marks='name_marks', max_length=200)),
                    ('address', core.sealed_fields.SealedTextField(blank=True, help_text='Street, postal code and city, one line each.')),
                    ('country', models.CharField(blank=True, max_length=2, validators=[accounts.validators.check_country])),
                    ('tax_id', core.sealed_fields.SealedCharField(blank=True, marks='name_marks', max_length=40)),
                    ('currency', models.CharField(help_text='ISO 4217, such as EUR.', max_length=3, validators=[accounts.validators.check_currency])),
                    ('time_zone', models.CharField(default='UTC', max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('payment_terms_days', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MaxValueValidator(365)])),
                    ('email', core.sealed_fields.SealedEmailField(blank=True, marks='name_marks', max_length=254)),
                    ('tax_rate_code', models.CharField(blank=True, help_text='Empty: outside the scope of tax.', max_length=40)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('program', models.CharField(default='standard', help_text='The program or market whose policy decides over their invoices.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name_marks', core.sealed_fields.MarksField(base_field=models.CharField(max_length=16), blank=True, default=list, editable=False, of=('legal_name', 'tax_id', 'email'), size=None)),
                    ('personal_key', models.ForeignKey(editable=False, help_text='Of who this is: name, address, tax id and e-mail lie under it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.personalkey')),
                ],
                options={
                    'ordering': ['code'],
                    'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['name_marks'], name='accounts_customer_marks')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('payment_terms_days__range', (0, 365))), name='accounts_customer_terms'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='accounts_customer_currency')],
                },
            ),
            migrations.CreateModel(
                name='ExternalId',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('system', models.CharField(help_text='Which system, such as stripe, lago or openmeter.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('external_id', models.CharField(help_text='The id there, such as cus_NffrFeUfNV2Hib.', max_length=200, validators=[django.core.validators.RegexValidator('^[!-~]([ -~]{0,198}[!-~])?\\Z', 'Use 1 to 200 printable ASCII characters.')])),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='external_ids', to='accounts.customer')),
                ],
                options={
                    'ordering': ['system', 'external_id'],
                    'constraints': [models.UniqueConstraint(fields=('system', 'external_id'), name='accounts_external_id_once')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalCustomer',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, help_text='The `subject` of usage events.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('legal_name', core.sealed_fields.SealedCharField(marks='name_marks', max_length=200)),
                    ('address', core.sealed_fields.SealedTextField(blank=True, help_text='Street, postal code and city, one line each.')),
                    ('country', models.CharField(blank=True, max_length=2, validators=[accounts.validators.check_country])),
                    ('tax_id', core.sealed_fields.SealedCharField(blank=True, marks='name_marks', max_length=40)),
                    ('currency', models.CharField(help_text='ISO 4217, such as EUR.', max_length=3, validators=[accounts.validators.check_currency])),
                    ('time_zone', models.CharField(default='UTC', max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('payment_terms_days', models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MaxValueValidator(365)])),
                    ('email', core.sealed_fields.SealedEmailField(blank=True, marks='name_marks', max_length=254)),
                    ('tax_rate_code', models.CharField(blank=True, help_text='Empty: outside the scope of tax.', max_length=40)),
                    ('created_at', models.DateTimeField(blank=True, editable=False)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('program', models.CharField(default='standard', help_text='The program or market whose policy decides over their invoices.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('personal_key', models.ForeignKey(blank=True, db_constraint=False, editable=False, help_text='Of who this is: name, address, tax id and e-mail lie under it.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.personalkey')),
                ],
                options={
                    'verbose_name': 'historical customer',
                    'verbose_name_plural': 'historical customers',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalExternalId',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('system', models.CharField(help_text='Which system, such as stripe, lago or openmeter.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('external_id', models.CharField(help_text='The id there, such as cus_NffrFeUfNV2Hib.', max_length=200, validators=[django.core.validators.RegexValidator('^[!-~]([ -~]{0,198}[!-~])?\\Z', 'Use 1 to 200 printable ASCII characters.')])),
                    ('created_at', models.DateTimeField(blank=True, editable=False)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('customer', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.customer')),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical external id',
                    'verbose_name_plural': 'historical external ids',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalPortalUser',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('customer', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.customer')),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('user', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('personal_key', models.ForeignKey(blank=True, db_constraint=False, editable=False, help_text='What the audit chain says of the person lies under it.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.personalkey')),
                ],
                options={
                    'verbose_name': 'historical portal user',
                    'verbose_name_plural': 'historical portal users',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalSeller',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('legal_name', models.CharField(max_length=200)),
                    ('address', models.TextField(help_text='Street, postal code and city, one line each.')),
                    ('country', models.CharField(help_text='ISO 3166-1, such as DE.', max_length=2, validators=[accounts.validators.check_country])),
                    ('tax_id', models.CharField(blank=True, max_length=40)),
                    ('email', models.EmailField(blank=True, max_length=254)),
                    ('bank_details', models.TextField(blank=True, help_text='Printed on invoices: bank, IBAN, BIC.')),
                    ('logo_svg', models.TextField(blank=True, help_text='The logo as SVG text, printed on invoices.')),
                    ('invoice_prefix', models.CharField(default='INV-', help_text='Numbers are prefix and running number.', max_length=20)),
                    ('time_zone', models.CharField(default='UTC', help_text='Decides the date of issue: numbers and dates then rise together.', max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('credit_note_prefix', models.CharField(default='CN-', help_text='Credit notes are numbered by themselves, under their own prefix.', max_length=20)),
                ],
                options={
                    'verbose_name': 'historical seller',
                    'verbose_name_plural': 'historical sellers',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='PortalUser',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='portal_users', to='accounts.customer')),
                    ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='portal_user', to=settings.AUTH_USER_MODEL)),
                    ('personal_key', models.ForeignKey(editable=False, help_text='What the audit chain says of the person lies under it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.personalkey')),
                ],
            ),
            migrations.CreateModel(
                name='Seller',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('legal_name', models.CharField(max_length=200)),
                    ('address', models.TextField(help_text='Street, postal code and city, one line each.')),
                    ('country', models.CharField(help_text='ISO 3166-1, such as DE.', max_length=2, validators=[accounts.validators.check_country])),
                    ('tax_id', models.CharField(blank=True, max_length=40)),
                    ('email', models.EmailField(blank=True, max_length=254)),
                    ('bank_details', models.TextField(blank=True, help_text='Printed on invoices: bank, IBAN, BIC.')),
                    ('logo_svg', models.TextField(blank=True, help_text='The logo as SVG text, printed on invoices.')),
                    ('invoice_prefix', models.CharField(default='INV-', help_text='Numbers are prefix and running number.', max_length=20)),
                    ('time_zone', models.CharField(default='UTC', help_text='Decides the date of issue: numbers and dates then rise together.', max_length=60, validators=[accounts.validators.check_time_zone])),
                    ('credit_note_prefix', models.CharField(default='CN-', help_text='Credit notes are numbered by themselves, under their own prefix.', max_length=20)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('invoice_prefix', models.F('credit_note_prefix')), _negated=True), name='accounts_seller_prefixes_differ')],
                },
            ),
            migrations.CreateModel(
                name='ApiKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.CharField(max_length=24, unique=True)),
                    ('secret_hash', models.CharField(help_text='SHA-256 of the 256-bit secret.', max_length=64)),
                    ('name', models.CharField(max_length=100)),
                    ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('events:write', 'Send events'), ('read', 'Read everything its roles may read'), ('write', 'Change what its roles may change')], max_length=20), size=None)),
                    ('created_at', models.DateTimeField()),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_keys', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'API key',
                    'ordering': ['-created_at'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['events:write', 'read', 'write']), ('scopes__len__gt', 0)), name='accounts_key_scopes')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='apikey',
                trigger=pgtrigger.compiler.Trigger(name='identity_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."public_id" IS DISTINCT FROM (NEW."public_id") OR OLD."secret_hash" IS DISTINCT FROM (NEW."secret_hash") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8edf4d6afecc1a36dc1c00af65ed4e627130a126', operation='UPDATE', pgid='pgtrigger_identity_is_fixed_c9694', table='accounts_apikey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='apikey',
                trigger=pgtrigger.compiler.Trigger(name='revoked_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."revoked_at" IS NOT NULL AND OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7b403d6afafc2aaa88f981533094948ebf3f39b4', operation='UPDATE', pgid='pgtrigger_revoked_for_ever_95367', table='accounts_apikey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='customer',
                trigger=pgtrigger.compiler.Trigger(name='code_is_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ba7cc2c19799db8f0ede42ce0c425204ced02c76', operation='UPDATE', pgid='pgtrigger_code_is_for_ever_f777c', table='accounts_customer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='customer',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9db679b4da98d4305e7a409dd48210186a0e9690', operation='DELETE', pgid='pgtrigger_no_delete_12edd', table='accounts_customer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='customer',
                trigger=pgtrigger.compiler.Trigger(name='one_key_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."personal_key_id" IS NOT NULL AND OLD."personal_key_id" IS DISTINCT FROM (NEW."personal_key_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='bfd9bbeb4cce704d3497ee892cbebf0774143c80', operation='UPDATE', pgid='pgtrigger_one_key_for_ever_2efb6', table='accounts_customer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='customer',
                trigger=pgtrigger.compiler.Trigger(name='plain_nowhere', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW.personal_key_id IS NOT NULL)', func="\n            IF EXISTS (SELECT 1 FROM unnest(ARRAY[NEW.legal_name, NEW.address, NEW.tax_id, NEW.email]) AS said (what)\n                       WHERE what <> '' AND what NOT LIKE 'sealed:1:%') THEN\n                RAISE EXCEPTION 'what is kept of a person is sealed' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='7f228ac0af05ca0b6b925ac8379a1c04e8103edd', operation='INSERT OR UPDATE', pgid='pgtrigger_plain_nowhere_a1d1a', table='accounts_customer', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='externalid',
                trigger=pgtrigger.compiler.Trigger(name='named_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."system" IS DISTINCT FROM (NEW."system") OR OLD."external_id" IS DISTINCT FROM (NEW."external_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b2ce300c2de9dd8148f846798aa30a2650ed6721', operation='UPDATE', pgid='pgtrigger_named_for_ever_88918', table='accounts_externalid', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='portaluser',
                trigger=pgtrigger.compiler.Trigger(name='belongs_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."user_id" IS DISTINCT FROM (NEW."user_id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b52a90ec1eeeb26fdf5043a99262a18f1dc4b769', operation='UPDATE', pgid='pgtrigger_belongs_for_ever_a792a', table='accounts_portaluser', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='portaluser',
                trigger=pgtrigger.compiler.Trigger(name='one_key_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."personal_key_id" IS NOT NULL AND OLD."personal_key_id" IS DISTINCT FROM (NEW."personal_key_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6865fdfe9d3bed93446c8099c4e87f96d48acd75', operation='UPDATE', pgid='pgtrigger_one_key_for_ever_7ee44', table='accounts_portaluser', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL(ONE_ACCOUNT_PER_MAILBOX, "DROP INDEX accounts_one_account_per_mailbox"),
    ]
