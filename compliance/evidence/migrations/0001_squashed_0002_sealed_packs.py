import core.migrating
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('evidence', '0001_packs_and_recounts'), ('evidence', '0002_sealed_packs')]

    initial = True

    dependencies = [
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
        ('cycle', '0001_squashed_0024_false_alarms'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='EvidencePack',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('facts_sha256', models.CharField(help_text='Of everything in it but the events.', max_length=64)),
                    ('manifest_sha256', models.CharField(help_text='What the audit chain says of it.', max_length=64)),
                    ('sha256', models.CharField(help_text='Of the whole ZIP.', max_length=64)),
                    ('size', models.BigIntegerField(help_text='Bytes.')),
                    ('event_count', models.BigIntegerField()),
                    ('file_name', models.CharField(max_length=120)),
                    ('made_at', models.DateTimeField()),
                    ('audit_entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('head', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.audithead')),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence_packs', to='cycle.invoice')),
                    ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='evidence_packs', to='cycle.invoiceline')),
                    ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('is_sealed', models.BooleanField(default=False, help_text="Whether its parts lie under the invoice's personal key.")),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('invoice', 'line', 'facts_sha256'), name='evidence_pack_once', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='EvidencePackPart',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('content', models.BinaryField()),
                    ('pack', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='evidence.evidencepack')),
                ],
                options={
                    'ordering': ['pack', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('pack', 'position'), name='evidence_part_position')],
                },
            ),
            migrations.CreateModel(
                name='EvidenceRequest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('events_total', models.BigIntegerField(help_text='About how many events are to be written.')),
                    ('events_done', models.BigIntegerField(default=0)),
                    ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invoice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence_requests', to='cycle.invoice')),
                    ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cycle.invoiceline')),
                    ('pack', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='evidence.evidencepack')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('events_done__gte', 0), ('events_total__gte', 0)), name='evidence_request_progress'), models.UniqueConstraint(condition=models.Q(('pack', None)), fields=('invoice', 'line'), name='evidence_request_one_open', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='LineRecount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('asked_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('is_equal', models.BooleanField(help_text='Whether the amount followed from the events.', null=True)),
                    ('checks', models.JSONField(default=list, help_text='Each step: what the books claimed, what was found.')),
                    ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recounts', to='cycle.invoiceline')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('finished_at', None)), fields=('line',), name='evidence_recount_one_open'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('is_equal', None)), models.Q(('finished_at__isnull', False), ('is_equal__isnull', False)), _connector='OR'), name='evidence_recount_finished')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='evidencepack',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='7e64361568b7d36e7c4126679d63cff69db8900e', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ed966', table='evidence_evidencepack', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='evidencepack',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='97f07d2d4b6d95fe34020ad9375ca4d7a4600040', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_88e9e', table='evidence_evidencepack', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='evidencepackpart',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a326c0f7f35a25ea663a79acc3c66eb2d0cc8ee1', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9b418', table='evidence_evidencepackpart', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='evidencepackpart',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='a9e1885d7399d93e49a4b72e58abb7e19ceb0261', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_935d7', table='evidence_evidencepackpart', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='linerecount',
                trigger=pgtrigger.compiler.Trigger(name='finished_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."finished_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='73d2e1f140271bc399476d346751c02a0665513e', operation='UPDATE', pgid='pgtrigger_finished_once_6ba01', table='evidence_linerecount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='linerecount',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='93a91b4c6a3da4196457168bb5f929e2edbb7d72', operation='DELETE', pgid='pgtrigger_no_delete_8d205', table='evidence_linerecount', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='linerecount',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='4c3fc3eff06f50a1b44058226eeca49f726a7e1a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_db0b5', table='evidence_linerecount', when='BEFORE')),
            ),
        ]),
    ]
