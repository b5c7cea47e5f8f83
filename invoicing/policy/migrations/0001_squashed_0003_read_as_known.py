import datetime

import core.migrating
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('policy', '0001_initial'), ('policy', '0002_beginnings'), ('policy', '0003_read_as_known')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='TriggerPolicy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('program', models.CharField(help_text='The program or market whose customers it is about.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('version', models.PositiveIntegerField()),
                    ('effective_at', models.DateTimeField()),
                    ('terms', models.JSONField(help_text='What it decides; numbers as decimal strings.')),
                    ('content_hash', models.CharField(help_text='SHA-256 of what is signed.', max_length=64)),
                    ('reason', models.TextField(help_text='Why it is proposed.')),
                    ('status', models.CharField(choices=[('proposed', 'Waiting for signatures'), ('signed', 'Signed'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                    ('proposed_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(help_text='When the last signature was given, or it was withdrawn.', null=True)),
                    ('withdrawal_reason', models.TextField(blank=True)),
                    ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name_plural': 'trigger policies',
                    'ordering': ['program', '-version'],
                    'constraints': [models.UniqueConstraint(fields=('program', 'version'), name='policy_version'), models.UniqueConstraint(condition=models.Q(('status', 'signed')), fields=('program', 'effective_at'), name='policy_one_begins_at_once'), models.CheckConstraint(condition=models.Q(('effective_at__range', (datetime.datetime(2000, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)))), name='policy_instant'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('status', 'proposed')), models.Q(('decided_at__isnull', False), ('status__in', ['signed', 'withdrawn'])), _connector='OR'), name='policy_status')],
                },
            ),
            migrations.CreateModel(
                name='SignOff',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('product', 'Product'), ('finance', 'Finance'), ('ops', 'Ops')], max_length=20)),
                    ('content_hash', models.CharField(max_length=64)),
                    ('signed_at', models.DateTimeField()),
                    ('voided_at', models.DateTimeField(help_text='Set once: the person had lost the role before it counted.', null=True)),
                    ('audit_entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sign_offs', to='policy.triggerpolicy')),
                ],
                options={
                    'ordering': ['policy', 'id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('policy', 'role'), name='policy_sign_off_once_per_role'), models.UniqueConstraint(condition=models.Q(('voided_at', None)), fields=('policy', 'person'), name='policy_sign_off_once_per_person'), models.CheckConstraint(condition=models.Q(('role__in', ('product', 'finance', 'ops'))), name='policy_sign_off_role'), models.CheckConstraint(condition=models.Q(('voided_at', None), ('voided_at__gte', models.F('signed_at')), _connector='OR'), name='policy_sign_off_voided_later')],
                },
            ),
            migrations.CreateModel(
                name='PolicyBeginning',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('holds', models.BooleanField()),
                    ('gone', models.TextField(blank=True, help_text='Who had lost the role that they signed in.')),
                    ('at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(help_text='Empty: begun before this was kept.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('policy', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='beginning', to='policy.triggerpolicy')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('gone', ''), ('holds', True)), models.Q(('holds', False), models.Q(('gone', ''), _negated=True)), _connector='OR'), name='policy_beginning_says_why')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='triggerpolicy',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."program" IS DISTINCT FROM (NEW."program") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."terms" IS DISTINCT FROM (NEW."terms") OR OLD."content_hash" IS DISTINCT FROM (NEW."content_hash") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3fd6dbb51e99ca8fbc2be5b27a4aea6eace41c81', operation='UPDATE', pgid='pgtrigger_content_is_fixed_62908', table='policy_triggerpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='triggerpolicy',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8e31c1428530873fe06bb950ee195f9ba581acbc', operation='UPDATE', pgid='pgtrigger_decided_once_12a21', table='policy_triggerpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='triggerpolicy',
                trigger=pgtrigger.compiler.Trigger(name='agreed_after_readers', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'signed\')', declare='DECLARE latest TIMESTAMP WITH TIME ZONE;', func="\n            PERFORM pg_advisory_xact_lock_shared(7109, 0);\n            SELECT max(known_at) INTO latest FROM core_knowninstant\n            WHERE released_at IS NULL AND known_at >= NEW.decided_at;\n            IF latest IS NOT NULL THEN\n                NEW.decided_at := latest + INTERVAL '1 microsecond';\n            END IF;\n            RETURN NEW;\n        ", hash='a0799ed129f1c239003c6719feecacd612f266f2', operation='UPDATE', pgid='pgtrigger_agreed_after_readers_64414', table='policy_triggerpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='triggerpolicy',
                trigger=pgtrigger.compiler.Trigger(name='signed_by_three', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'signed\')', func="\n    IF (SELECT count(DISTINCT role) <> 3 OR count(DISTINCT person_id) <> 3\n        FROM policy_signoff WHERE policy_id = NEW.id AND voided_at IS NULL AND content_hash = NEW.content_hash)\n    THEN\n        RAISE EXCEPTION 'policy % lacks signatures', NEW.id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='8300cf5ed61665f9ebf0b1cd6b4d87152261b9e6', operation='INSERT OR UPDATE', pgid='pgtrigger_signed_by_three_020ba', table='policy_triggerpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='triggerpolicy',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='d72f48dc6140201bfcc8d68f704feabd254eccc4', operation='DELETE', pgid='pgtrigger_no_delete_68ac0', table='policy_triggerpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='triggerpolicy',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='af30a063144898b2911311a774411c15bd2c70c7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_3872e', table='policy_triggerpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signoff',
                trigger=pgtrigger.compiler.Trigger(name='signature_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."policy_id" IS DISTINCT FROM (NEW."policy_id") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."person_id" IS DISTINCT FROM (NEW."person_id") OR OLD."content_hash" IS DISTINCT FROM (NEW."content_hash") OR OLD."signed_at" IS DISTINCT FROM (NEW."signed_at") OR OLD."audit_entry_id" IS DISTINCT FROM (NEW."audit_entry_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='5d8d7dc53ce99a7980d539dd87d59b429b103958', operation='UPDATE', pgid='pgtrigger_signature_is_fixed_54621', table='policy_signoff', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signoff',
                trigger=pgtrigger.compiler.Trigger(name='voided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."voided_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='d4b9a90d62b86455e65a3501a8de424270a4bf0d', operation='UPDATE', pgid='pgtrigger_voided_once_ccbdf', table='policy_signoff', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signoff',
                trigger=pgtrigger.compiler.Trigger(name='over_this_content', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    PERFORM 1 FROM policy_triggerpolicy policy\n    WHERE policy.id = NEW.policy_id AND policy.status = 'proposed' AND policy.content_hash = NEW.content_hash\n      AND policy.proposed_by_id <> NEW.person_id\n    FOR UPDATE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'policy % is not open for this signature', NEW.policy_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='c240790cf72d254503ddd7c1dea7c25019c5d6a8', operation='INSERT', pgid='pgtrigger_over_this_content_ce813', table='policy_signoff', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signoff',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='20f27280e3f476fb71bd9b8d5fa2fb1dbbdf0af9', operation='DELETE', pgid='pgtrigger_no_delete_50829', table='policy_signoff', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='signoff',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='98154d482046225f295016f58580c16e867d0e5a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_771f6', table='policy_signoff', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='policybeginning',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='477d5ada7b354d9dd852a8fd1412bf662c88314d', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a1d56', table='policy_policybeginning', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='policybeginning',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='97d20fd4562d7e81af2c581a1a8620133099fec1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a1e9a', table='policy_policybeginning', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='policybeginning',
                trigger=pgtrigger.compiler.Trigger(name='signers_hold_their_roles', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."holds")', func="\n    IF (SELECT count(DISTINCT sign_off.role) <> 3\n        FROM policy_signoff sign_off\n        JOIN auth_user person ON person.id = sign_off.person_id AND person.is_active\n        JOIN auth_user_groups belongs ON belongs.user_id = person.id\n        JOIN auth_group held ON held.id = belongs.group_id AND held.name = sign_off.role\n        WHERE sign_off.policy_id = NEW.policy_id AND sign_off.voided_at IS NULL)\n    THEN\n        RAISE EXCEPTION 'a signer of policy % no longer holds the role', NEW.policy_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='877116f9c985372e28ace065d504b44840181d4c', operation='INSERT', pgid='pgtrigger_signers_hold_their_roles_259b9', table='policy_policybeginning', when='BEFORE')),
            ),
        ]),
    ]
