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


class Migration(migrations.Migration):

    replaces = [('payouts', '0001_initial'), ('payouts', '0002_payees_are_sealed'), ('payouts', '0003_told_texts_are_sealed')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='Payee',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('legal_name', core.sealed_fields.SealedCharField(marks='name_marks', max_length=200)),
                    ('kind', models.CharField(choices=[('person', 'Person'), ('company', 'Company')], max_length=10)),
                    ('program', models.CharField(help_text='Why they are paid, such as marketplace or referral.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('market', models.CharField(help_text='Whose rules apply, such as US or EU.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('country', models.CharField(help_text='Where they live or are registered, such as DE.', max_length=2, validators=[accounts.validators.check_country])),
                    ('email', core.sealed_fields.SealedEmailField(blank=True, marks='name_marks', max_length=254)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(blank=True, help_text='Where the payee is also a customer.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payees', to='accounts.customer')),
                    ('name_marks', core.sealed_fields.MarksField(base_field=models.CharField(max_length=16), blank=True, default=list, editable=False, of=('legal_name', 'email'), size=None)),
                    ('personal_key', models.ForeignKey(editable=False, help_text='Of who this is: name and e-mail lie under it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.personalkey')),
                ],
                options={
                    'ordering': ['code'],
                    'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['name_marks'], name='payouts_payee_marks')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['person', 'company'])), name='payouts_payee_kind')],
                },
            ),
            migrations.CreateModel(
                name='GateCheck',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('kyc', 'KYC'), ('kyb', 'KYB'), ('aml', 'AML'), ('tax_form', 'Tax form')], max_length=20)),
                    ('state', models.CharField(choices=[('not_started', 'Not started'), ('pending', 'Waiting for documents'), ('needs_review', 'Needs review'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('suspended', 'Suspended')], default='not_started', max_length=20)),
                    ('expires_at', models.DateTimeField(help_text='When an approval ends; empty: it has no end.', null=True)),
                    ('opened_at', models.DateTimeField()),
                    ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='gate_checks', to='payouts.payee')),
                ],
                options={
                    'ordering': ['payee', 'kind'],
                    'constraints': [models.UniqueConstraint(fields=('payee', 'kind'), name='payouts_check_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['kyc', 'kyb', 'aml', 'tax_form'])), name='payouts_check_kind'), models.CheckConstraint(condition=models.Q(('state__in', ['not_started', 'pending', 'needs_review', 'approved', 'rejected', 'suspended'])), name='payouts_check_state'), models.CheckConstraint(condition=models.Q(('expires_at', None), ('state', 'approved'), _connector='OR'), name='payouts_check_only_approvals_expire')],
                },
            ),
            migrations.CreateModel(
                name='GateDecision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('verdict', models.CharField(choices=[('request', 'Documents asked for'), ('review', 'Sent to review'), ('approve', 'Approved'), ('reject', 'Rejected'), ('suspend', 'Suspended')], max_length=10)),
                    ('from_state', models.CharField(choices=[('not_started', 'Not started'), ('pending', 'Waiting for documents'), ('needs_review', 'Needs review'), ('approved', 'Approved'), ('expiring', 'Expiring'), ('expired', 'Expired'), ('rejected', 'Rejected'), ('suspended', 'Suspended')], max_length=20)),
                    ('to_state', models.CharField(choices=[('not_started', 'Not started'), ('pending', 'Waiting for documents'), ('needs_review', 'Needs review'), ('approved', 'Approved'), ('expiring', 'Expiring'), ('expired', 'Expired'), ('rejected', 'Rejected'), ('suspended', 'Suspended')], max_length=20)),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('evidence', core.sealed_fields.OpenedTextField(blank=True, help_text='What was looked at: document, register, screening list.')),
                    ('evidence_files', models.JSONField(default=list, help_text='`[{name, sha256}]` on the check at this instant.')),
                    ('expires_at', models.DateTimeField(null=True)),
                    ('decided_at', models.DateTimeField()),
                    ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('gate_check', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='payouts.gatecheck')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('verdict__in', ['request', 'review', 'approve', 'reject', 'suspend'])), name='payouts_decision_verdict'), models.CheckConstraint(condition=models.Q(('expires_at', None), ('verdict', 'approve'), _connector='OR'), name='payouts_decision_only_approvals_expire'), models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'approve'), _negated=True), models.Q(('evidence', ''), _negated=True), models.Q(('evidence_files', []), _negated=True), _connector='OR'), name='payouts_decision_approval_has_evidence')],
                },
            ),
            migrations.CreateModel(
                name='GateRequirement',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('program', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('market', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('payee_kind', models.CharField(choices=[('person', 'Person'), ('company', 'Company')], max_length=10)),
                    ('gates', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('kyc', 'KYC'), ('kyb', 'KYB'), ('aml', 'AML'), ('tax_form', 'Tax form')], max_length=20), help_text='All of them must be open.', size=None)),
                    ('effective_at', models.DateTimeField()),
                    ('reason', models.TextField(help_text='Why it changes, for the history.')),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['program', 'market', 'payee_kind', '-effective_at'],
                    'constraints': [models.UniqueConstraint(fields=('program', 'market', 'payee_kind', 'effective_at'), name='payouts_requirement_instant'), models.CheckConstraint(condition=models.Q(('gates__contained_by', ['kyc', 'kyb', 'aml', 'tax_form']), ('gates__len__gt', 0)), name='payouts_requirement_gates'), models.CheckConstraint(condition=models.Q(('payee_kind__in', ['person', 'company'])), name='payouts_requirement_kind'), models.CheckConstraint(condition=models.Q(('effective_at__gte', models.F('created_at'))), name='payouts_requirement_not_backdated')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalPayee',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('legal_name', core.sealed_fields.SealedCharField(marks='name_marks', max_length=200)),
                    ('kind', models.CharField(choices=[('person', 'Person'), ('company', 'Company')], max_length=10)),
                    ('program', models.CharField(help_text='Why they are paid, such as marketplace or referral.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('market', models.CharField(help_text='Whose rules apply, such as US or EU.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('country', models.CharField(help_text='Where they live or are registered, such as DE.', max_length=2, validators=[accounts.validators.check_country])),
                    ('email', core.sealed_fields.SealedEmailField(blank=True, marks='name_marks', max_length=254)),
                    ('created_at', models.DateTimeField()),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(blank=True, db_constraint=False, help_text='Where the payee is also a customer.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.customer')),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('personal_key', models.ForeignKey(blank=True, db_constraint=False, editable=False, help_text='Of who this is: name and e-mail lie under it.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.personalkey')),
                ],
                options={
                    'verbose_name': 'historical payee',
                    'verbose_name_plural': 'historical payees',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='Payable',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reference', models.CharField(help_text='What is paid, such as ORDER-1001; once for each payee.', max_length=120)),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('currency', models.CharField(max_length=3, validators=[accounts.validators.check_currency])),
                    ('created_at', models.DateTimeField()),
                    ('withdrawn_at', models.DateTimeField(null=True)),
                    ('withdrawal_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('withdrawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('payee', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payables', to='payouts.payee')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('payee', 'reference'), name='payouts_payable_once'), models.CheckConstraint(condition=models.Q(('amount__range', ('0.0001', '1e15'))), name='payouts_payable_amount'), models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='payouts_payable_currency'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawal_reason', ''), ('withdrawn_at', None), ('withdrawn_by', None)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawal_reason', ''), _negated=True)), _connector='OR'), name='payouts_payable_withdrawal')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalPayable',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('reference', models.CharField(help_text='What is paid, such as ORDER-1001; once for each payee.', max_length=120)),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('currency', models.CharField(max_length=3, validators=[accounts.validators.check_currency])),
                    ('created_at', models.DateTimeField()),
                    ('withdrawn_at', models.DateTimeField(null=True)),
                    ('withdrawal_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('withdrawn_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('payee', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='payouts.payee')),
                ],
                options={
                    'verbose_name': 'historical payable',
                    'verbose_name_plural': 'historical payables',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalGateCheck',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('kyc', 'KYC'), ('kyb', 'KYB'), ('aml', 'AML'), ('tax_form', 'Tax form')], max_length=20)),
                    ('state', models.CharField(choices=[('not_started', 'Not started'), ('pending', 'Waiting for documents'), ('needs_review', 'Needs review'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('suspended', 'Suspended')], default='not_started', max_length=20)),
                    ('expires_at', models.DateTimeField(help_text='When an approval ends; empty: it has no end.', null=True)),
                    ('opened_at', models.DateTimeField()),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('payee', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='payouts.payee')),
                ],
                options={
                    'verbose_name': 'historical gate check',
                    'verbose_name_plural': 'historical gate checks',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='PayoutBatch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reference', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name_plural': 'payout batches',
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='BatchItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('payable', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='batch_item', to='payouts.payable')),
                    ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='payouts.payoutbatch')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='ReleaseDecision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('outcome', models.CharField(choices=[('released', 'Released'), ('blocked', 'Blocked')], max_length=10)),
                    ('gates', models.JSONField(help_text='`[{gate, state, passed, detail, gate_check, expires_at, audit_reference}]`')),
                    ('inputs', models.JSONField(help_text="The payee's program, market and kind, and the requirements in force.")),
                    ('reasons', models.JSONField(default=list, help_text='Why it is blocked, in sentences.')),
                    ('decided_at', models.DateTimeField()),
                    ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='release_decisions', to='payouts.payoutbatch')),
                    ('payable', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='release_decisions', to='payouts.payable')),
                ],
                options={
                    'ordering': ['id'],
                    'indexes': [models.Index(fields=['payable', '-id'], name='payouts_release_latest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('outcome__in', ['released', 'blocked'])), name='payouts_release_outcome'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'released'), ('reasons', [])), models.Q(('outcome', 'blocked'), models.Q(('reasons', []), _negated=True)), _connector='OR'), name='payouts_release_blocked_says_why'), models.UniqueConstraint(condition=models.Q(('outcome', 'released')), fields=('payable',), name='payouts_release_once')],
                },
            ),
            migrations.CreateModel(
                name='Payout',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('amount', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('currency', models.CharField(max_length=3)),
                    ('instructed_at', models.DateTimeField()),
                    ('payable', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='payout', to='payouts.payable')),
                    ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='payout', to='payouts.releasedecision')),
                ],
                options={
                    'ordering': ['-id'],
                },
            ),
            migrations.CreateModel(
                name='EvidenceFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', core.sealed_fields.OpenedCharField(about='gate_check__payee', max_length=200)),
                    ('media_type', models.CharField(max_length=60)),
                    ('content', core.sealed_fields.OpenedBinaryField(about='gate_check__payee', help_text='Under the key of the payee; empty once erased.')),
                    ('size', models.PositiveIntegerField(validators=[django.core.validators.MaxValueValidator(5242880)])),
                    ('sha256', models.CharField(max_length=64)),
                    ('added_at', models.DateTimeField()),
                    ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('gate_check', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence_files', to='payouts.gatecheck')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('gate_check', 'sha256'), name='payouts_evidence_once'), models.CheckConstraint(condition=models.Q(('size__range', (1, 5242880))), name='payouts_evidence_size'), models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='payouts_evidence_sha256')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='evidencefile',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ad20a635d34584fe4bf5f0b168953907ea2a9458', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b36e4', table='payouts_evidencefile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='evidencefile',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='6801abb43d5e1b79f4f42f78815f3369da31d96d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_801aa', table='payouts_evidencefile', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatedecision',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='75fff2c69ae2f3f50daf96d701e864e238d42aa7', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_fbc03', table='payouts_gatedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatedecision',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='cb7860f0eee78435d81c469c897473a705d5df30', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_3e9eb', table='payouts_gatedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatedecision',
                trigger=pgtrigger.compiler.Trigger(name='approver_is_another_person', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.verdict = 'approve' AND NEW.actor_id = (\n                        SELECT payee.created_by_id FROM payouts_payee AS payee\n                          JOIN payouts_gatecheck AS gate ON gate.payee_id = payee.id WHERE gate.id = NEW.gate_check_id\n                    ) THEN\n                        RAISE EXCEPTION 'the person who entered a payee cannot approve its gates';\n                    END IF;\n                    RETURN NEW;\n                ", hash='da1a6d4764e7bba5a3b5d6ffeefab9e52622982d', operation='INSERT', pgid='pgtrigger_approver_is_another_person_2e5a1', table='payouts_gatedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gaterequirement',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8bd1efa6713164aea6553b24218597f17956644a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e485e', table='payouts_gaterequirement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gaterequirement',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='64ea2109b6dd40901a3fcd09ace94730f0fc159a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_f92da', table='payouts_gaterequirement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payee',
                trigger=pgtrigger.compiler.Trigger(name='identity_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."legal_name" IS DISTINCT FROM (NEW."legal_name") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."program" IS DISTINCT FROM (NEW."program") OR OLD."market" IS DISTINCT FROM (NEW."market") OR OLD."country" IS DISTINCT FROM (NEW."country") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='720f813e82f1f70dd8c2c935be12b41878a0f087', operation='UPDATE', pgid='pgtrigger_identity_is_fixed_e9839', table='payouts_payee', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payee',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='68f90d225e4e806f55293affe2ca405074bada5a', operation='DELETE', pgid='pgtrigger_no_delete_f0b24', table='payouts_payee', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payee',
                trigger=pgtrigger.compiler.Trigger(name='one_key_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."personal_key_id" IS NOT NULL AND OLD."personal_key_id" IS DISTINCT FROM (NEW."personal_key_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='7d3e17b1c0d7e3b8dd12ee27147d90b9b8d3f419', operation='UPDATE', pgid='pgtrigger_one_key_for_ever_e303e', table='payouts_payee', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payee',
                trigger=pgtrigger.compiler.Trigger(name='plain_nowhere', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW.personal_key_id IS NOT NULL)', func="\n            IF EXISTS (SELECT 1 FROM unnest(ARRAY[NEW.legal_name, NEW.email]) AS said (what)\n                       WHERE what <> '' AND what NOT LIKE 'sealed:1:%') THEN\n                RAISE EXCEPTION 'what is kept of a person is sealed' USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='58c0feac2cef389a334e790b4045cde75cb0b97d', operation='INSERT OR UPDATE', pgid='pgtrigger_plain_nowhere_4854a', table='payouts_payee', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payable',
                trigger=pgtrigger.compiler.Trigger(name='debt_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."payee_id" IS DISTINCT FROM (NEW."payee_id") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."amount" IS DISTINCT FROM (NEW."amount") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='02026f6e8f35b3fb811900214513cc7d8e27fb93', operation='UPDATE', pgid='pgtrigger_debt_is_fixed_0d63f', table='payouts_payable', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payable',
                trigger=pgtrigger.compiler.Trigger(name='withdrawn_once_and_unpaid', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF OLD.withdrawn_at IS NOT NULL\n                       OR EXISTS (SELECT FROM payouts_payout WHERE payable_id = OLD.id) THEN\n                        RAISE EXCEPTION 'payable % is withdrawn or paid already', OLD.id;\n                    END IF;\n                    RETURN NEW;\n                ", hash='5fa8a9b15662da13fa9928f40be74e8b471ae1fc', operation='UPDATE', pgid='pgtrigger_withdrawn_once_and_unpaid_7f253', table='payouts_payable', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payable',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ce30b9c2357ae921afba99b521d350c5f7db6baa', operation='DELETE', pgid='pgtrigger_no_delete_89cdf', table='payouts_payable', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payable',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e35911efa738f4ef93068d38b072a3b56532367f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0b5dd', table='payouts_payable', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatecheck',
                trigger=pgtrigger.compiler.Trigger(name='subject_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."payee_id" IS DISTINCT FROM (NEW."payee_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='67ea0a424f4251510794dab517f83c069cf8b749', operation='UPDATE', pgid='pgtrigger_subject_is_fixed_06935', table='payouts_gatecheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatecheck',
                trigger=pgtrigger.compiler.Trigger(name='state_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{approved:approved,approved:needs_review,approved:pending,approved:rejected,approved:suspended,needs_review:approved,needs_review:pending,needs_review:rejected,needs_review:suspended,not_started:approved,not_started:needs_review,not_started:pending,not_started:rejected,pending:approved,pending:needs_review,pending:rejected,pending:suspended,rejected:needs_review,rejected:pending,suspended:needs_review,suspended:rejected}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='3dc216748a39db975236761b757157db35e5e3da', operation='UPDATE', pgid='pgtrigger_state_moves_37ee0', table='payouts_gatecheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatecheck',
                trigger=pgtrigger.compiler.Trigger(name='follows_its_decision', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE decided RECORD; stands RECORD;', func="\n                    SELECT state, expires_at INTO stands FROM payouts_gatecheck WHERE id = NEW.id;\n                    SELECT to_state, expires_at INTO decided FROM payouts_gatedecision\n                     WHERE gate_check_id = NEW.id ORDER BY id DESC LIMIT 1;\n                    IF COALESCE(decided.to_state, 'not_started') <> stands.state\n                       OR decided.expires_at IS DISTINCT FROM stands.expires_at THEN\n                        RAISE EXCEPTION 'gate check % does not stand where its latest decision led', NEW.id;\n                    END IF;\n                    RETURN NULL;\n                ", hash='9de42c1295ce4bbac674cff7b939ee570c2d393e', operation='INSERT OR UPDATE', pgid='pgtrigger_follows_its_decision_8ea9d', table='payouts_gatecheck', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatecheck',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='59e3f85ef32d149682f49114fd11508c7c615e89', operation='DELETE', pgid='pgtrigger_no_delete_83310', table='payouts_gatecheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='gatecheck',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='7b935d3a32af44220f20e4170b87539dca298185', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_90b47', table='payouts_gatecheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payoutbatch',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a11de92227e010a4c3a6ed58f15040f51ee610d2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e76ca', table='payouts_payoutbatch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payoutbatch',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='65b3f07c27caf65856d89e47a8818e39585a34ca', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_2a909', table='payouts_payoutbatch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='batchitem',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7d60dbc4807f65d2a4875b4145170627dc05842b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_10f19', table='payouts_batchitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='batchitem',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d10586d50959e249821ffcd71e9a4a1405fd304a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_00856', table='payouts_batchitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasedecision',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='8d355c5e29133ccb2ced58ebf8cd34e223d1475f', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_36a90', table='payouts_releasedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasedecision',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='bf280a6d66cd8cc9d3bc638245e049392621a0e8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_bfa9d', table='payouts_releasedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='releasedecision',
                trigger=pgtrigger.compiler.Trigger(name='releaser_is_another_person', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF NEW.actor_id = (SELECT created_by_id FROM payouts_payoutbatch WHERE id = NEW.batch_id) THEN\n                        RAISE EXCEPTION 'the person who made a batch cannot release it';\n                    END IF;\n                    IF NOT EXISTS (\n                        SELECT FROM payouts_batchitem WHERE batch_id = NEW.batch_id AND payable_id = NEW.payable_id\n                    ) THEN\n                        RAISE EXCEPTION 'payable % is not in batch %', NEW.payable_id, NEW.batch_id;\n                    END IF;\n                    RETURN NEW;\n                ", hash='d25f84fbc89646092dd4e82ac3678545e68f6145', operation='INSERT', pgid='pgtrigger_releaser_is_another_person_de20b', table='payouts_releasedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6808d30fbab991bd8650dd17c5311989adf38250', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ba16e', table='payouts_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='24ae1e30c9bb21bf33417019b83d1830327e4244', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a6924', table='payouts_payout', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='payout',
                trigger=pgtrigger.compiler.Trigger(name='only_what_is_owed_and_open', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE owed RECORD; required varchar[];', func="\n                    SELECT payable.amount, payable.currency, payable.withdrawn_at, payable.payee_id,\n                           decision.outcome, decision.decided_at INTO owed\n                      FROM payouts_releasedecision AS decision\n                      JOIN payouts_payable AS payable ON payable.id = decision.payable_id\n                     WHERE decision.id = NEW.decision_id AND payable.id = NEW.payable_id;\n                    IF owed IS NULL OR owed.outcome <> 'released' OR owed.withdrawn_at IS NOT NULL\n                       OR (owed.amount, owed.currency) IS DISTINCT FROM (NEW.amount, NEW.currency) THEN\n                        RAISE EXCEPTION 'payout does not match a released payable';\n                    END IF;\n                    SELECT requirement.gates INTO required\n                      FROM payouts_gaterequirement AS requirement JOIN payouts_payee AS payee\n                        ON (payee.program, payee.market, payee.kind)\n                         = (requirement.program, requirement.market, requirement.payee_kind)\n                     WHERE payee.id = owed.payee_id AND requirement.effective_at <= owed.decided_at\n                     ORDER BY requirement.effective_at DESC LIMIT 1;\n                    IF required IS NULL OR EXISTS (\n                        SELECT FROM unnest(required) AS wanted (kind) WHERE NOT EXISTS (\n                            SELECT FROM payouts_gatecheck AS gate\n                             WHERE gate.payee_id = owed.payee_id AND gate.kind = wanted.kind AND gate.state = 'approved'\n                               AND (gate.expires_at IS NULL OR gate.expires_at > owed.decided_at)\n                        )\n                    ) THEN\n                        RAISE EXCEPTION 'payout of payable % is behind a closed gate', NEW.payable_id;\n                    END IF;\n                    RETURN NEW;\n                ", hash='d84e12c29072c1bd6e3fcb9a66a141493ee41d29', operation='INSERT', pgid='pgtrigger_only_what_is_owed_and_open_e65d4', table='payouts_payout', when='BEFORE')),
            ),
        ]),
    ]
