import datetime

import core.migrating
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('launch', '0001_launch_checks'), ('launch', '0002_samples'), ('launch', '0003_go_live_and_exceptions'), ('launch', '0004_invariants_are_searched_one_by_one')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
        ('cycle', '0001_squashed_0024_false_alarms'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='ChecklistVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField(unique=True)),
                    ('terms', models.JSONField(help_text='`{box: {max_age_hours, owner}}`')),
                    ('reason', models.TextField(help_text='Why it is proposed.')),
                    ('proposed_at', models.DateTimeField()),
                    ('proposed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-version'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('proposed_by', None), ('version', 1)), models.Q(('proposed_by__isnull', False), ('version__gt', 1)), _connector='OR'), name='launch_checklist_author'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='launch_checklist_reason')],
                },
            ),
            migrations.CreateModel(
                name='ChecklistApproval',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('checklist', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='approval', to='launch.checklistversion')),
                ],
            ),
            migrations.CreateModel(
                name='LaunchCheck',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('asked_by', models.ForeignKey(help_text='Empty: the daily run, or the command.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('checklist', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='launch.checklistversion')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('finished_at', None), ('finished_at__gte', models.F('asked_at')), _connector='OR'), name='launch_check_finished')],
                },
            ),
            migrations.CreateModel(
                name='InvariantSearch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('name', models.CharField(max_length=300)),
                    ('attempts', models.PositiveIntegerField(default=1)),
                    ('begun_at', models.DateTimeField(help_text='Of the last attempt.')),
                    ('outcome', models.CharField(blank=True, choices=[('clean', 'Nothing offends it'), ('broken', 'Something offends it'), ('interrupted', 'Not searched to the end')], help_text='Empty: being searched.', max_length=20)),
                    ('count', models.PositiveIntegerField(help_text='How many offenders there are.', null=True)),
                    ('offenders', models.JSONField(default=list, help_text='The first of them.')),
                    ('why', models.TextField(blank=True, help_text='Why it was interrupted.')),
                    ('duration_ms', models.PositiveBigIntegerField(null=True)),
                    ('proof_hash', models.CharField(blank=True, help_text='SHA-256 of what was found.', max_length=64)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='searches', to='launch.launchcheck')),
                ],
                options={
                    'verbose_name_plural': 'invariant searches',
                    'ordering': ['run', 'number', 'name'],
                    'constraints': [models.UniqueConstraint(fields=('run', 'number', 'name'), name='launch_search_once'), models.CheckConstraint(condition=models.Q(models.Q(('count', None), ('outcome', ''), ('proof_hash', ''), ('why', '')), models.Q(('count', None), ('outcome', 'interrupted'), ('proof_hash', ''), models.Q(('why', ''), _negated=True)), models.Q(('count', 0), ('outcome', 'clean'), ('proof_hash__regex', '^[0-9a-f]{64}$'), ('why', '')), models.Q(('count__gt', 0), ('outcome', 'broken'), ('proof_hash__regex', '^[0-9a-f]{64}$'), ('why', '')), _connector='OR'), name='launch_search_outcome')],
                },
            ),
            migrations.CreateModel(
                name='GoLiveDecision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('program', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('outcome', models.CharField(choices=[('live', 'Live'), ('stopped', 'Stopped')], max_length=10)),
                    ('reason', models.TextField()),
                    ('boxes', models.JSONField(help_text='`[{box, state, proof_hash, exception}]` when it was decided.')),
                    ('decided_at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='launch.launchcheck')),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(fields=['program', '-id'], name='launch_golive_latest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'live'), ('run__isnull', False)), ('outcome', 'stopped'), _connector='OR'), name='launch_golive_outcome'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='launch_golive_reason')],
                },
            ),
            migrations.CreateModel(
                name='CloseWalk',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('period_from', models.DateTimeField(help_text='Documents of periods that ended after this …')),
                    ('period_to', models.DateTimeField(help_text='… and by this are walked.')),
                    ('last_invoice', models.PositiveBigIntegerField(help_text='The highest id there was; later ones are not of this walk.')),
                    ('invoices_total', models.PositiveIntegerField(help_text='How many there were when it began.')),
                    ('invoices_done', models.PositiveIntegerField(default=0)),
                    ('lines_done', models.PositiveIntegerField(default=0)),
                    ('reached_invoice', models.PositiveBigIntegerField(default=0, help_text='It goes by ascending ids.')),
                    ('differing', models.JSONField(default=list, help_text='`[[invoice, line, step, claimed, found]]`')),
                    ('digest', models.CharField(blank=True, help_text='SHA-256 over every step of every line, in order.', max_length=64)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='walk', to='launch.launchcheck')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('period_from__lt', models.F('period_to'))), name='launch_walk_period'), models.CheckConstraint(condition=models.Q(('finished_at', None), ('digest__regex', '^[0-9a-f]{64}$'), _connector='OR'), name='launch_walk_finished')],
                },
            ),
            migrations.CreateModel(
                name='BoxResult',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('box', models.CharField(choices=[('policy_signed', 'Policy signed'), ('contracts_proved', 'Contracts active, with examples'), ('replay_stable', 'Identical replay stable'), ('samples_accepted', 'Sample accounts walked and accepted'), ('last_close_traced', 'Every line of the last close traced'), ('books_tie', 'Totals tie to the ledger and the export'), ('gates_rechecked', 'Gates re-checked at release'), ('invariants_clean', 'Invariants clean'), ('backup_restored', 'Backup restored')], max_length=30)),
                    ('program', models.CharField(blank=True, help_text='Empty: it is about everything.', max_length=60)),
                    ('is_closed', models.BooleanField()),
                    ('said', models.TextField(help_text='What was found, in a sentence.')),
                    ('remedy', models.TextField(blank=True, help_text='How to close it.')),
                    ('proof', models.JSONField(help_text='`{facts, table, links}`')),
                    ('proof_hash', models.CharField(help_text='SHA-256 of the proof.', max_length=64)),
                    ('owner', models.CharField(choices=[('product', 'Product'), ('finance', 'Finance'), ('ops', 'Ops'), ('engineering', 'Engineering')], help_text='The role that answers for it.', max_length=20)),
                    ('proved_at', models.DateTimeField(help_text='The date of the proof; from here on it ages.')),
                    ('looked_at', models.DateTimeField()),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='results', to='launch.launchcheck')),
                ],
                options={
                    'ordering': ['run', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('run', 'box', 'program'), name='launch_result_once'), models.CheckConstraint(condition=models.Q(('said', ''), _negated=True), name='launch_result_says_what'), models.CheckConstraint(condition=models.Q(('is_closed', True), models.Q(('remedy', ''), _negated=True), _connector='OR'), name='launch_result_open_says_how'), models.CheckConstraint(condition=models.Q(('proved_at__lte', models.F('looked_at'))), name='launch_result_proof_is_past')],
                },
            ),
            migrations.CreateModel(
                name='LaunchException',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('program', models.CharField(max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('boxes', models.JSONField(help_text='Which boxes may be open.')),
                    ('reason', models.TextField(help_text='Why that is acceptable, and until when it will be mended.')),
                    ('ends_at', models.DateTimeField(help_text='From then on it counts for nothing.')),
                    ('content_hash', models.CharField(help_text='SHA-256 of what is signed.', max_length=64)),
                    ('proposed_at', models.DateTimeField()),
                    ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('proposed_at')), ('ends_at__lte', django.db.models.expressions.CombinedExpression(models.F('proposed_at'), '+', models.Value(datetime.timedelta(days=31))))), name='launch_exception_ends'), models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), _negated=True), models.Q(('boxes', []), _negated=True)), name='launch_exception_says_what')],
                },
            ),
            migrations.CreateModel(
                name='ExceptionSignature',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('finance', 'Finance'), ('ops', 'Ops')], max_length=20)),
                    ('content_hash', models.CharField(max_length=64)),
                    ('at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('exception', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='launch.launchexception')),
                ],
                options={
                    'ordering': ['exception', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('exception', 'role'), name='launch_exception_once_per_role'), models.UniqueConstraint(fields=('exception', 'person'), name='launch_exception_once_per_person'), models.CheckConstraint(condition=models.Q(('role__in', ('finance', 'ops'))), name='launch_exception_role')],
                },
            ),
            migrations.CreateModel(
                name='RestoreDrill',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('made_by', models.CharField(help_text='The account of the machine that ran the command.', max_length=150)),
                    ('began_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField()),
                    ('is_fresh', models.BooleanField(help_text='The backup was taken for the drill; otherwise a file was given.')),
                    ('file_name', models.CharField(max_length=300)),
                    ('size', models.BigIntegerField(help_text='Bytes.')),
                    ('sha256', models.CharField(max_length=64)),
                    ('figures', models.JSONField(help_text='`{table: [rows restored, rows live]}`, and the last entry of the audit chain.')),
                    ('invariants', models.JSONField(help_text='As `check_invariants --json` said in the restored database.')),
                    ('flaws', models.JSONField(default=list, help_text='Why it does not count, in sentences; none where it does.')),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('began_at__lte', models.F('ended_at'))), name='launch_drill_time'), models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$'), ('size__gt', 0)), name='launch_drill_file')],
                },
            ),
            migrations.CreateModel(
                name='SampleWalk',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('program', models.CharField(help_text="For whose launch it is looked at; the account may be another's.", max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('kind', models.CharField(choices=[('mid_cycle_change', 'A change inside the period'), ('late_event', 'An event that came late')], max_length=20)),
                    ('proof', models.JSONField(help_text='`{facts, table, links}`')),
                    ('proof_hash', models.CharField(help_text='SHA-256 of the proof: what is accepted.', max_length=64)),
                    ('made_at', models.DateTimeField()),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.invoice')),
                    ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['mid_cycle_change', 'late_event'])), name='launch_sample_kind')],
                },
            ),
            migrations.CreateModel(
                name='SampleAcceptance',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('product', 'Product'), ('finance', 'Finance'), ('ops', 'Ops')], max_length=20)),
                    ('proof_hash', models.CharField(max_length=64)),
                    ('comment', models.TextField(blank=True)),
                    ('at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('sample', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='acceptances', to='launch.samplewalk')),
                ],
                options={
                    'ordering': ['sample', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('sample', 'role'), name='launch_acceptance_once_per_role'), models.UniqueConstraint(fields=('sample', 'person'), name='launch_acceptance_once_per_person'), models.CheckConstraint(condition=models.Q(('role__in', ('product', 'finance', 'ops'))), name='launch_acceptance_role')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='checklistversion',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='511d99db6ec185fb16bab139a8a034ed736394f9', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_3d67f', table='launch_checklistversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='checklistversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c48e3f2289ccd51da770783224f0490b97ddfed8', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a4fbf', table='launch_checklistversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='checklistapproval',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5a04d5c39f30827b3283524b4db0340c4e36878b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_673f5', table='launch_checklistapproval', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='checklistapproval',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='893842701238342dc56abd760490a615f1917afb', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_b8cd9', table='launch_checklistapproval', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='checklistapproval',
                trigger=pgtrigger.compiler.Trigger(name='by_another_person', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NEW.person_id = (SELECT proposed_by_id FROM launch_checklistversion WHERE id = NEW.checklist_id) THEN\n        RAISE EXCEPTION 'whoever proposed a checklist does not approve it'\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='af7a9af1f2f0524f443d7f070b0071a83cd311cf', operation='INSERT', pgid='pgtrigger_by_another_person_dfa6e', table='launch_checklistapproval', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='launchcheck',
                trigger=pgtrigger.compiler.Trigger(name='question_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."checklist_id" IS DISTINCT FROM (NEW."checklist_id") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='65808400ef671b5657ee6246d7469d6a4db745f3', operation='UPDATE', pgid='pgtrigger_question_is_fixed_f6dad', table='launch_launchcheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='launchcheck',
                trigger=pgtrigger.compiler.Trigger(name='finished_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c520f0f25c7f6e4b605261aa45a6b319cf9559bf', operation='UPDATE', pgid='pgtrigger_finished_once_bbdd5', table='launch_launchcheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='launchcheck',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e51f6cdaac9698cd12fd315af103907d574c018a', operation='DELETE', pgid='pgtrigger_no_delete_887d5', table='launch_launchcheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='launchcheck',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='bd29048817f4d1fcd114a12a892e4f7c6e100281', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_399d0', table='launch_launchcheck', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invariantsearch',
                trigger=pgtrigger.compiler.Trigger(name='question_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."run_id" IS DISTINCT FROM (NEW."run_id") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."name" IS DISTINCT FROM (NEW."name"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='67cf34802bb331ea6b732e6e90cfe76581d9d0a4', operation='UPDATE', pgid='pgtrigger_question_is_fixed_cf941', table='launch_invariantsearch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invariantsearch',
                trigger=pgtrigger.compiler.Trigger(name='found_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."outcome" IN (\'clean\', \'broken\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c225cf37b716c4db7b52174a148ec4a92be5253a', operation='UPDATE', pgid='pgtrigger_found_once_b42f5', table='launch_invariantsearch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invariantsearch',
                trigger=pgtrigger.compiler.Trigger(name='while_it_runs', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    PERFORM 1 FROM launch_launchcheck WHERE id = NEW.run_id AND finished_at IS NULL FOR KEY SHARE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'check % is finished', NEW.run_id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='9dc330f31f0925dc18aa314c9f26dcf4399da5d6', operation='INSERT OR UPDATE', pgid='pgtrigger_while_it_runs_c05e7', table='launch_invariantsearch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invariantsearch',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='830397640b37dc78f0c3f02a5658a9322976c9b4', operation='DELETE', pgid='pgtrigger_no_delete_eda6a', table='launch_invariantsearch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='invariantsearch',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d92614994832b1e9c0863fc57390fe3188cc63c3', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_de17d', table='launch_invariantsearch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='golivedecision',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c51e194d8013c1e6043974b5b924d2690540f6f0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b5db1', table='launch_golivedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='golivedecision',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3ee76896e1f88eeaf264756b9184142f2629b011', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_29be8', table='launch_golivedecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closewalk',
                trigger=pgtrigger.compiler.Trigger(name='question_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."run_id" IS DISTINCT FROM (NEW."run_id") OR OLD."period_from" IS DISTINCT FROM (NEW."period_from") OR OLD."period_to" IS DISTINCT FROM (NEW."period_to") OR OLD."last_invoice" IS DISTINCT FROM (NEW."last_invoice") OR OLD."invoices_total" IS DISTINCT FROM (NEW."invoices_total"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='b561925d6efcb930dbabcee2b0d88b4c1769877b', operation='UPDATE', pgid='pgtrigger_question_is_fixed_883d8', table='launch_closewalk', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closewalk',
                trigger=pgtrigger.compiler.Trigger(name='finished_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ac7f30c0d03026727cbe240dd1c4602f7c883164', operation='UPDATE', pgid='pgtrigger_finished_once_a8a6f', table='launch_closewalk', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closewalk',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='38bfed349e42854bb27d8f5db811819cab15d386', operation='DELETE', pgid='pgtrigger_no_delete_40ed2', table='launch_closewalk', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='closewalk',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d9c4c09ef788bddad456868ce291b044ed9f9275', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_ef0ed', table='launch_closewalk', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='boxresult',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='cbf24d6d49b2e6b030a71c1fe2a3ef9bf327c17d', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_eed40', table='launch_boxresult', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='boxresult',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='8f69e153fa1566afcf41f7400f05723e8cb2d94f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_60c86', table='launch_boxresult', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='boxresult',
                trigger=pgtrigger.compiler.Trigger(name='while_it_runs', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    PERFORM 1 FROM launch_launchcheck WHERE id = NEW.run_id AND finished_at IS NULL FOR KEY SHARE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'check % is finished', NEW.run_id USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='70d9b07749f6b3a99565a34f7043ae0d4e83c9fe', operation='INSERT', pgid='pgtrigger_while_it_runs_90760', table='launch_boxresult', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='launchexception',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='dd077d9f4b81822956f34ee038571b087b9e527d', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c8781', table='launch_launchexception', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='launchexception',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='b6764ffec6047fdaabf0cb2536b7b65198d120ce', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_40155', table='launch_launchexception', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='exceptionsignature',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a8d0ac1bdaa00a6c5570026a1b816a691f4e0ed0', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_eade8', table='launch_exceptionsignature', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='exceptionsignature',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c97fe34d41e2a975a484a93270f60ef6afef2d20', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_b4b14', table='launch_exceptionsignature', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='exceptionsignature',
                trigger=pgtrigger.compiler.Trigger(name='open_for_this_signature', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    PERFORM 1 FROM launch_launchexception asked\n    WHERE asked.id = NEW.exception_id AND asked.content_hash = NEW.content_hash\n      AND asked.proposed_by_id <> NEW.person_id AND NEW.at < asked.ends_at;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'exception % is not open for this signature', NEW.exception_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='0a27569096e99d0cc3222c89011fb06d8a323b74', operation='INSERT', pgid='pgtrigger_open_for_this_signature_475ec', table='launch_exceptionsignature', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='restoredrill',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9a4e442ed24817dfd5612048df848eea055b57fb', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_cee43', table='launch_restoredrill', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='restoredrill',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='ad6e7ed340aef9c8ec303555903cca38c4b0ff48', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c29b7', table='launch_restoredrill', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='samplewalk',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='0a7b6bd2d94885b145f1a9766cb149f2874aa74c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_419f3', table='launch_samplewalk', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='samplewalk',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d4e3dcd69e3c731b3814320110812b6ccb75a143', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_22309', table='launch_samplewalk', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='sampleacceptance',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='06538c96318dd7f4c2fdd4d8afb4b1f7e674fe4a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a4dc6', table='launch_sampleacceptance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='sampleacceptance',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='54e55b0958bf1667cb2fa36a2fd6a402367aed63', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c18c3', table='launch_sampleacceptance', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='sampleacceptance',
                trigger=pgtrigger.compiler.Trigger(name='over_this_proof', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    PERFORM 1 FROM launch_samplewalk WHERE id = NEW.sample_id AND proof_hash = NEW.proof_hash;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'that is not the proof of sample %', NEW.sample_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='9b55d14b073fdffc44e9419ed96c5853021ab01c', operation='INSERT', pgid='pgtrigger_over_this_proof_f1f47', table='launch_sampleacceptance', when='BEFORE')),
            ),
        ]),
    ]
