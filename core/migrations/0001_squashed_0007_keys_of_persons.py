import core.migrating
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# The cache that every process shares; Django's `createcachetable` would be a second step to remember.
SHARED_CACHE = """
CREATE TABLE core_shared_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX core_shared_cache_expires ON core_shared_cache (expires);
"""


class Migration(migrations.Migration):

    replaces = [('core', '0001_initial'), ('core', '0002_shared_cache'), ('core', '0003_recurrence'), ('core', '0004_audit_heads_and_anchors'), ('core', '0005_idempotency_key_once'), ('core', '0006_known_instants'), ('core', '0007_keys_of_persons')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='IdempotentAnswer',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('actor', models.CharField(max_length=80)),
                    ('route', models.CharField(max_length=200)),
                    ('key', models.CharField(max_length=255)),
                    ('body_hash', models.CharField(max_length=64)),
                    ('status', models.PositiveSmallIntegerField(help_text='Empty while the first call is still running.', null=True)),
                    ('content_type', models.CharField(blank=True, max_length=80)),
                    ('body', models.BinaryField(null=True)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('actor', 'key'), name='core_idempotency_key_once')],
                },
            ),
            migrations.CreateModel(
                name='Job',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=60)),
                    ('key', models.CharField(help_text='What the work is about; one open job per kind and key.', max_length=200)),
                    ('arguments', models.JSONField(default=dict, help_text='Ids only.')),
                    ('state', models.CharField(choices=[('queued', 'Queued'), ('leased', 'Running'), ('done', 'Done'), ('dead', 'Given up')], default='queued', max_length=10)),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('attempts_max', models.PositiveIntegerField(default=3)),
                    ('fence', models.PositiveBigIntegerField(default=0, help_text='Grows with every lease; an older holder cannot finish.')),
                    ('run_after', models.DateTimeField()),
                    ('leased_until', models.DateTimeField(null=True)),
                    ('leased_by', models.CharField(blank=True, help_text='The worker that holds or last held the lease.', max_length=100)),
                    ('enqueued_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('last_error', models.TextField(blank=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state__in', ['queued', 'leased'])), fields=['run_after'], name='core_job_due')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'leased'])), fields=('kind', 'key'), name='core_job_one_open'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'leased', 'done', 'dead'])), name='core_job_state'), models.CheckConstraint(condition=models.Q(models.Q(('leased_until__isnull', False), ('state', 'leased')), models.Q(models.Q(('state', 'leased'), _negated=True), ('leased_until', None)), _connector='OR'), name='core_job_lease'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ['done', 'dead'])), models.Q(('state__in', ['queued', 'leased']), ('finished_at', None)), _connector='OR'), name='core_job_finished')],
                },
            ),
            migrations.CreateModel(
                name='KnownInstant',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reader', models.CharField(help_text='Who reads, such as close:42.', max_length=80)),
                    ('known_at', models.DateTimeField()),
                    ('released_at', models.DateTimeField(null=True)),
                ],
                options={
                    'ordering': ['-id'],
                    'indexes': [models.Index(condition=models.Q(('released_at', None)), fields=['known_at'], name='core_knowninstant_open')],
                },
            ),
            migrations.CreateModel(
                name='PersonalKey',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('master', models.CharField(help_text='Which master key wraps it; that one is not in the database.', max_length=16)),
                    ('wrapped', models.BinaryField(help_text='AES-256-GCM; empty once destroyed.', null=True)),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('destroyed_at', models.DateTimeField(null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('destroyed_at__isnull', False), ('wrapped', None)), models.Q(('destroyed_at', None), ('wrapped__isnull', False)), _connector='OR'), name='core_personal_key_is_there_or_destroyed')],
                },
            ),
            migrations.CreateModel(
                name='Recurrence',
                fields=[
                    ('kind', models.CharField(max_length=60, primary_key=True, serialize=False)),
                    ('due_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='WorkerHeartbeat',
                fields=[
                    ('name', models.CharField(max_length=100, primary_key=True, serialize=False)),
                    ('seen_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='AuditEntry',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reference', models.CharField(help_text='What people quote, such as AUD-0000000042.', max_length=40, unique=True)),
                    ('action', models.CharField(max_length=80)),
                    ('subject', models.CharField(help_text='What it was done to, such as invoice:42.', max_length=120)),
                    ('facts', models.JSONField()),
                    ('recorded_at', models.DateTimeField()),
                    ('previous_hash', models.CharField(max_length=64)),
                    ('entry_hash', models.CharField(max_length=64, unique=True)),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('content_hash', models.CharField(blank=True, default='', help_text='Of what it says; empty in form 1.', max_length=64)),
                    ('form', models.PositiveSmallIntegerField(default=1, help_text='How its hashes are made.')),
                ],
                options={
                    'verbose_name_plural': 'audit entries',
                    'indexes': [models.Index(fields=['subject', 'id'], name='core_audit_subject')],
                },
            ),
            migrations.CreateModel(
                name='AuditHead',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.BigIntegerField(help_text='Of the last entry there was.')),
                    ('entry_hash', models.CharField(max_length=64)),
                    ('first_hash', models.CharField(help_text='Of entry 1: which chain this is.', max_length=64)),
                    ('signed_at', models.DateTimeField()),
                    ('public_key', models.CharField(help_text='Ed25519, in hex.', max_length=64)),
                    ('signature', models.CharField(max_length=128)),
                ],
                options={
                    'ordering': ['-number', '-id'],
                    'constraints': [models.UniqueConstraint(fields=('number', 'public_key'), name='core_head_once_per_key')],
                },
            ),
            migrations.CreateModel(
                name='AuditAnchor',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('file', 'File'), ('email', 'E-mail'), ('object', 'Object store')], max_length=10)),
                    ('place', models.CharField(max_length=300)),
                    ('placed_at', models.DateTimeField()),
                    ('head', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='anchors', to='core.audithead')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('head', 'kind', 'place'), name='core_anchor_once_per_place'), models.CheckConstraint(condition=models.Q(('kind__in', ['file', 'email', 'object'])), name='core_anchor_kind')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='audithead',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='bf73fc947d7ab39584d1bca5b300223403060f60', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_075ea', table='core_audithead', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='audithead',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='0df3244ca6d50a0b99bec324499ba48b78786ad0', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_82a60', table='core_audithead', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='knowninstant',
                trigger=pgtrigger.compiler.Trigger(name='instant_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."reader" IS DISTINCT FROM (NEW."reader") OR OLD."known_at" IS DISTINCT FROM (NEW."known_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='11016e0d0bb26c41058697b5b8b4c0bacc38362b', operation='UPDATE', pgid='pgtrigger_instant_is_fixed_1eb4f', table='core_knowninstant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='knowninstant',
                trigger=pgtrigger.compiler.Trigger(name='released_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."released_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8d1e18f989856bb10e235d7ffeb2669eeacba322', operation='UPDATE', pgid='pgtrigger_released_once_fa386', table='core_knowninstant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='knowninstant',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='550752d1e97e0ac75921ca5edc91079da7855c5f', operation='DELETE', pgid='pgtrigger_no_delete_1239f', table='core_knowninstant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='knowninstant',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e14d2d89f98c9ef4dcaff3db54b02e81cad4b478', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_23203', table='core_knowninstant', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='personalkey',
                trigger=pgtrigger.compiler.Trigger(name='destroyed_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."destroyed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='fff9ff79f44ee3d910b50772dab7a45ed6414c47', operation='UPDATE', pgid='pgtrigger_destroyed_for_ever_ab54d', table='core_personalkey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='personalkey',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1cd340484e6fde74461fd1d99737bc1eb5a752c0', operation='DELETE', pgid='pgtrigger_no_delete_57c23', table='core_personalkey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='personalkey',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='ab18044e2fd28f9832ff1ac4a554d1389c140b03', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_7f388', table='core_personalkey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='auditentry',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6b2652b5bb5129424469034ae53d5116f56d3e42', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_97da0', table='core_auditentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='auditentry',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='06480549aff2a70042aacef838084a390acafaa5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_5e0a6', table='core_auditentry', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='auditanchor',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='649e172861f389c6ddedfa30a6a6601f8193e70c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_43303', table='core_auditanchor', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='auditanchor',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='08534aae24c7f67a801871a940985e21b5a2524d', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_2ebe2', table='core_auditanchor', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL(SHARED_CACHE, "DROP TABLE core_shared_cache"),
    ]
