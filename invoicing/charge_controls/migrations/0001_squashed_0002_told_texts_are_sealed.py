import accounts.validators
import core.migrating
import core.sealed_fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('charge_controls', '0001_first'), ('charge_controls', '0002_told_texts_are_sealed')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
        ('policy', '0001_squashed_0003_read_as_known'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='ControlState',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3)),
                    ('action', models.CharField(choices=[('hold_usage', 'Hold further usage'), ('require_review', 'Require a review'), ('interim_bill', 'Ask for an interim bill')], max_length=20)),
                    ('is_beyond', models.BooleanField()),
                    ('crossings', models.PositiveIntegerField()),
                    ('changed_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('customer', 'currency', 'action'), name='charge_controls_state_once'), models.CheckConstraint(condition=models.Q(('crossings__gte', 1)), name='charge_controls_state_crossed')],
                },
            ),
            migrations.CreateModel(
                name='ControlFiring',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('crossing', models.PositiveIntegerField(help_text='The how manieth time this line was crossed.')),
                    ('action', models.CharField(choices=[('hold_usage', 'Hold further usage'), ('require_review', 'Require a review'), ('interim_bill', 'Ask for an interim bill')], max_length=20)),
                    ('rule', models.JSONField(help_text='The charge control as the policy has it.')),
                    ('currency', models.CharField(max_length=3)),
                    ('exposure', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('line', models.DecimalField(decimal_places=4, max_digits=20)),
                    ('limit_from', models.CharField(choices=[('policy', 'The policy'), ('customer', "The customer's credit limit")], max_length=10)),
                    ('inputs', models.JSONField(help_text='The figures that decided, with the instant and the watermark they are of.')),
                    ('fired_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policy.triggerpolicy')),
                    ('state', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='firings', to='charge_controls.controlstate')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['customer', '-fired_at'], name='charge_controls_firing_cust')],
                    'constraints': [models.UniqueConstraint(fields=('state', 'crossing'), name='charge_controls_firing_once_per_crossing'), models.CheckConstraint(condition=models.Q(('exposure__gte', models.F('line'))), name='charge_controls_firing_is_beyond'), models.CheckConstraint(condition=models.Q(('action__in', ['hold_usage', 'require_review', 'interim_bill'])), name='charge_controls_firing_action')],
                },
            ),
            migrations.CreateModel(
                name='AccessChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('revision', models.PositiveIntegerField()),
                    ('from_status', models.CharField(choices=[('allowed', 'Allowed'), ('held', 'On hold')], max_length=10)),
                    ('to_status', models.CharField(choices=[('allowed', 'Allowed'), ('held', 'On hold')], max_length=10)),
                    ('cause', models.CharField(choices=[('control', 'A charge control fired'), ('below', 'The exposure is below its line again'), ('no_rule', 'The policy in force asks for no hold'), ('person', 'A person lifted it')], max_length=10)),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('figures', models.JSONField(help_text='The exposures as they stood, by currency.')),
                    ('changed_at', models.DateTimeField()),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='access_changes', to='accounts.customer')),
                    ('policy', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policy.triggerpolicy')),
                    ('firing', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='access_changes', to='charge_controls.controlfiring')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('customer', 'revision'), name='charge_controls_change_revision'), models.CheckConstraint(condition=models.Q(models.Q(('cause', 'control'), ('firing__isnull', False), ('from_status', 'allowed'), ('to_status', 'held')), models.Q(('actor', None), ('cause__in', ['below', 'no_rule']), ('from_status', 'held'), ('to_status', 'allowed')), models.Q(('actor__isnull', False), ('cause', 'person'), ('from_status', 'held'), ('to_status', 'allowed')), _connector='OR'), name='charge_controls_change_by'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='charge_controls_change_reason')],
                },
            ),
            migrations.CreateModel(
                name='ControlProgress',
                fields=[
                    ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                    ('evaluated_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='charge_controls_progress_one')],
                },
            ),
            migrations.CreateModel(
                name='CreditLimit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('currency', models.CharField(max_length=3, validators=[accounts.validators.check_currency])),
                    ('amount', models.DecimalField(blank=True, decimal_places=4, help_text="Empty: the policy's own amount again.", max_digits=20, null=True)),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('set_at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_limits', to='accounts.customer')),
                    ('set_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('amount', None), models.Q(('amount__gt', 0), ('amount__lte', '1e12')), _connector='OR'), name='charge_controls_limit_bounds'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='charge_controls_limit_reason')],
                },
            ),
            migrations.CreateModel(
                name='CreditReview',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('status', models.CharField(choices=[('open', 'Open'), ('resolved', 'Resolved')], default='open', max_length=10)),
                    ('opened_at', models.DateTimeField()),
                    ('resolved_at', models.DateTimeField(null=True)),
                    ('resolution', core.sealed_fields.OpenedTextField(blank=True)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('firing', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='charge_controls.controlfiring')),
                    ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('resolution', ''), ('resolved_at', None), ('resolved_by', None), ('status', 'open')), models.Q(('resolved_at__isnull', False), ('resolved_by__isnull', False), ('status', 'resolved'), models.Q(('resolution', ''), _negated=True)), _connector='OR'), name='charge_controls_review_status')],
                },
            ),
            migrations.CreateModel(
                name='AccessState',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('status', models.CharField(choices=[('allowed', 'Allowed'), ('held', 'On hold')], max_length=10)),
                    ('revision', models.PositiveIntegerField()),
                    ('reason', core.sealed_fields.OpenedTextField()),
                    ('changed_at', models.DateTimeField()),
                    ('customer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='access_state', to='accounts.customer')),
                ],
                options={
                    'ordering': ['-changed_at'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['allowed', 'held'])), name='charge_controls_access_status')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accessstate',
                trigger=pgtrigger.compiler.Trigger(name='customer_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='83a77740a4629cb00abbd29332ac7913682cdde5', operation='UPDATE', pgid='pgtrigger_customer_is_fixed_a0b9e', table='charge_controls_accessstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accessstate',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='0454ff0eba8320fc8452eba49cdfc4a49b7d87e1', operation='DELETE', pgid='pgtrigger_no_delete_cc7a0', table='charge_controls_accessstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accessstate',
                trigger=pgtrigger.compiler.Trigger(name='controls_alone_hold', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'invoice') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='8f33636214186ef5a17f730a9ba55783520f951c', operation='INSERT', pgid='pgtrigger_controls_alone_hold_a8e7f', table='charge_controls_accessstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accessstate',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e2d43a8903498f282f73ba4d588f7d5d4cb890c5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_1619d', table='charge_controls_accessstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accesschange',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b785ba617904ec074a1fed3f2d236e5f722c39b5', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e8e4a', table='charge_controls_accesschange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accesschange',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='93f5bf65874318b4305c189ab76f7d870ff874ce', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e6635', table='charge_controls_accesschange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='accesschange',
                trigger=pgtrigger.compiler.Trigger(name='controls_alone_move', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'invoice') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='12b8824cec5af35c075a0121ae66e75d01019df3', operation='INSERT', pgid='pgtrigger_controls_alone_move_1cce2', table='charge_controls_accesschange', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='controlstate',
                trigger=pgtrigger.compiler.Trigger(name='line_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."action" IS DISTINCT FROM (NEW."action"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c2ba8c5c3867126c9a2d6be9dee903b5d6f31041', operation='UPDATE', pgid='pgtrigger_line_is_fixed_21d9e', table='charge_controls_controlstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='controlstate',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e89c35a442afae89efa6b409b4c165212cc5ffd0', operation='DELETE', pgid='pgtrigger_no_delete_8e282', table='charge_controls_controlstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='controlstate',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='f5f886d6c8ee73f4696b3d64eaaa15475621a0ef', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e0039', table='charge_controls_controlstate', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='controlfiring',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b9d4ed4b54d50aba3573ff5683f28bb5702dd949', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_984b5', table='charge_controls_controlfiring', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='controlfiring',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='aaf5d0205c08559217510ed4b584b3af625b25ba', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_12e51', table='charge_controls_controlfiring', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='controlfiring',
                trigger=pgtrigger.compiler.Trigger(name='controls_alone_fire', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'invoice') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='704cd7f97a604b3dc0e37313df17d487771edb35', operation='INSERT', pgid='pgtrigger_controls_alone_fire_76b47', table='charge_controls_controlfiring', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditlimit',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='702af29269c0de5fe1b3e3d20d0f27f8b9cb0899', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a3498', table='charge_controls_creditlimit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditlimit',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='72fdb49c1f1331c1230c588ef37cf41eb977563b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9ebd9', table='charge_controls_creditlimit', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditreview',
                trigger=pgtrigger.compiler.Trigger(name='finding_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."firing_id" IS DISTINCT FROM (NEW."firing_id") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1ed3363966726e6ddcb2e7de010b438064c6e5af', operation='UPDATE', pgid='pgtrigger_finding_is_fixed_f33b6', table='charge_controls_creditreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditreview',
                trigger=pgtrigger.compiler.Trigger(name='resolved_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" = \'resolved\')', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='405a253c99c3616d7309a5b4227c0f3f6c06e2d3', operation='UPDATE', pgid='pgtrigger_resolved_once_f1c58', table='charge_controls_creditreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditreview',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='39ff7c80817cfd0158c3a31302f9a5e0880e8381', operation='DELETE', pgid='pgtrigger_no_delete_899f0', table='charge_controls_creditreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditreview',
                trigger=pgtrigger.compiler.Trigger(name='controls_alone_ask', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF coalesce(current_setting('billing_ops.deciding', true), '') IN ('alert', 'invoice') THEN\n                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME\n                    USING ERRCODE = 'integrity_constraint_violation';\n            END IF;\n            RETURN NEW;\n        ", hash='f77e42009f12126edef550a2319a633cc4316240', operation='INSERT', pgid='pgtrigger_controls_alone_ask_800d4', table='charge_controls_creditreview', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='creditreview',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3bdb16eeb45906f85336161d9777131032a21087', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_d0909', table='charge_controls_creditreview', when='BEFORE')),
            ),
        ]),
    ]
