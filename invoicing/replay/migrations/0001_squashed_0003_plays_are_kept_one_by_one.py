import core.migrating
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('replay', '0001_initial'), ('replay', '0002_orders_of_a_set'), ('replay', '0003_plays_are_kept_one_by_one')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='ReplaySet',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('program', models.CharField(help_text='The program whose customers it is about.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='ReplayRequirement',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('is_required', models.BooleanField()),
                    ('statement', models.TextField(blank=True, help_text='Why it is no longer required, or why the required sets need not show everything.')),
                    ('decided_at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('replay_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requirements', to='replay.replayset')),
                ],
                options={
                    'ordering': ['replay_set', 'id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('is_required', True), models.Q(('statement', ''), _negated=True), _connector='OR'), name='replay_requirement_ends_with_a_reason')],
                },
            ),
            migrations.CreateModel(
                name='ReplaySetVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('origin', models.CharField(choices=[('history', 'Taken from closed periods'), ('upload', 'Uploaded')], max_length=10)),
                    ('content', models.BinaryField(help_text='The canonical JSON, compressed (zlib).')),
                    ('content_hash', models.CharField(help_text='SHA-256 of the canonical JSON.', max_length=64)),
                    ('includes', models.JSONField(help_text='How many retries, added retries, late arrivals, plan changes and threshold crossings.')),
                    ('holds', models.JSONField(help_text='Ids of the charges, fee programs and contracts in it, and the customers.')),
                    ('event_count', models.PositiveIntegerField()),
                    ('document_count', models.PositiveIntegerField()),
                    ('notes', models.JSONField(default=list, help_text='What could not be taken along, in words.')),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('replay_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='replay.replayset')),
                    ('orders', models.PositiveIntegerField(default=20, help_text='In how many shuffled orders of arrival the same has to come out.')),
                ],
                options={
                    'ordering': ['replay_set', '-version'],
                    'constraints': [models.UniqueConstraint(fields=('replay_set', 'version'), name='replay_version_once'), models.CheckConstraint(condition=models.Q(('origin__in', ['history', 'upload'])), name='replay_version_origin'), models.CheckConstraint(condition=models.Q(('orders__gte', 2), ('orders__lte', 100)), name='replay_version_orders')],
                },
            ),
            migrations.CreateModel(
                name='ReplayRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('orders', models.PositiveIntegerField(default=0, help_text='In how many shuffled orders of arrival it runs as well.')),
                    ('candidate_kind', models.CharField(blank=True, choices=[('price_version', 'Price version'), ('fee_program_version', 'Version of a fee program'), ('contract_version', 'Version of an event contract'), ('policy', 'Trigger policy')], help_text='What is put in the place of its own.', max_length=30)),
                    ('candidate_id', models.PositiveBigIntegerField(null=True)),
                    ('asked_at', models.DateTimeField()),
                    ('done', models.PositiveIntegerField(default=0, help_text='Steps carried out so far.')),
                    ('total', models.PositiveIntegerField(default=0)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('verdict', models.CharField(blank=True, choices=[('passed', 'As expected'), ('failed', 'Differs'), ('broken', 'Could not be run')], max_length=10)),
                    ('duration_ms', models.PositiveBigIntegerField(null=True)),
                    ('code_version', models.CharField(blank=True, help_text='SHA-256 of the program that ran.', max_length=64)),
                    ('migration_state', models.CharField(blank=True, help_text='SHA-256 of the applied migrations.', max_length=64)),
                    ('result_hash', models.CharField(blank=True, help_text='SHA-256 of all that came out.', max_length=64)),
                    ('report', models.JSONField(default=dict)),
                    ('problem', models.TextField(blank=True, help_text='Why it could not be run.')),
                    ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='replay.replaysetversion')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('done__lte', models.F('total'))), name='replay_run_done'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('verdict', '')), models.Q(('finished_at__isnull', False), ('problem', ''), ('verdict__in', ['passed', 'failed']), models.Q(('result_hash', ''), _negated=True)), models.Q(('finished_at__isnull', False), ('verdict', 'broken'), models.Q(('problem', ''), _negated=True)), _connector='OR'), name='replay_run_verdict'), models.CheckConstraint(condition=models.Q(models.Q(('candidate_id', None), ('candidate_kind', '')), models.Q(('candidate_id__isnull', False), ('candidate_kind__in', ['price_version', 'fee_program_version', 'contract_version', 'policy'])), _connector='OR'), name='replay_run_candidate'), models.CheckConstraint(condition=models.Q(('orders__lte', 100)), name='replay_run_orders')],
                },
            ),
            migrations.CreateModel(
                name='ReplayPlay',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('what', models.CharField(choices=[('first', 'As it was delivered'), ('order', 'In a shuffled order'), ('candidate', 'With the other version')], max_length=10)),
                    ('seed', models.PositiveIntegerField(default=0, help_text='Of the shuffled order.')),
                    ('result_hash', models.CharField(help_text='SHA-256 of the canonical result.', max_length=64)),
                    ('code_version', models.CharField(help_text='SHA-256 of the program that played.', max_length=64)),
                    ('content', models.BinaryField(help_text='The result, compressed (zlib); none for an order that gave what the first play gave.', null=True)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plays', to='replay.replayrun')),
                ],
                options={
                    'ordering': ['run', 'id'],
                    'constraints': [models.UniqueConstraint(fields=('run', 'what', 'seed'), name='replay_play_once'), models.CheckConstraint(condition=models.Q(models.Q(('seed__gte', 1), ('what', 'order')), models.Q(('content__isnull', False), ('seed', 0), ('what__in', ['first', 'candidate'])), _connector='OR'), name='replay_play_what')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayplay',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c77d377c9a97d07970628dd3b47f65464760bd66', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e71d3', table='replay_replayplay', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayplay',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='a56a549d881efe42ecdcc3d6a4519f535f77f4bd', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_67490', table='replay_replayplay', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayset',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='93b6402fa363ee78d411a14cb4a7e727ce8a242b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_51bbb', table='replay_replayset', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayset',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='9ae1a7086fc818bade84b8697404199d6f2c418e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_bf5f2', table='replay_replayset', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrequirement',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c4bf5f8f1bc661df0b87d875a1346febedff4636', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7b3d8', table='replay_replayrequirement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrequirement',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='ccc3babc05615af165f3a091ec7af46067a6e19c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_843d4', table='replay_replayrequirement', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replaysetversion',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='41f4465a167b13922297fb54c638f9d60946f91f', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ed53a', table='replay_replaysetversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replaysetversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='607f4171a60282b5bead94396ff7ea8ee6a16b69', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_ed93b', table='replay_replaysetversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrun',
                trigger=pgtrigger.compiler.Trigger(name='question_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."version_id" IS DISTINCT FROM (NEW."version_id") OR OLD."orders" IS DISTINCT FROM (NEW."orders") OR OLD."candidate_kind" IS DISTINCT FROM (NEW."candidate_kind") OR OLD."candidate_id" IS DISTINCT FROM (NEW."candidate_id") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='09983001033d4ef7293d282be03f9175b1c8d8dc', operation='UPDATE', pgid='pgtrigger_question_is_fixed_b0f37', table='replay_replayrun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrun',
                trigger=pgtrigger.compiler.Trigger(name='finished_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='bddd411c87d2b207ae801e2df0223af069e85aea', operation='UPDATE', pgid='pgtrigger_finished_once_6bf07', table='replay_replayrun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrun',
                trigger=pgtrigger.compiler.Trigger(name='begins_unfinished', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='60a92452a545f74859bc34143afbfbc60c6a2315', operation='INSERT', pgid='pgtrigger_begins_unfinished_1bbb7', table='replay_replayrun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrun',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='5390bb683d7dd44b45f010d29c165243bb846a0e', operation='DELETE', pgid='pgtrigger_no_delete_4d9c4', table='replay_replayrun', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='replayrun',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='d64df1c948e6b3a0b6f0cba087a32cda8baba18e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_370e5', table='replay_replayrun', when='BEFORE')),
            ),
        ]),
    ]
