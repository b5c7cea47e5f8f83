from datetime import UTC, datetime
from typing import Any

import core.migrating
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
RULES = [
    ("", 10, "The longest of the usual periods for accounting documents; have counsel confirm it for the seller."),
    ("DE", 8, "§ 147 (3) AO and § 14b (1) UStG, as of 1 January 2025 (Viertes Bürokratieentlastungsgesetz)."),
]


def add_rules(apps: Any, schema_editor: Any) -> None:
    """Two versions, of nobody."""
    rule = apps.get_model("erasure", "RetentionRule")
    for country, years, basis in RULES:
        rule.objects.create(country=country, years=years, basis=basis, effective_at=BEGAN, created_at=BEGAN)


class Migration(migrations.Migration):

    replaces = [('erasure', '0001_first'), ('erasure', '0002_retention_to_begin_with')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
        ('core', '0001_squashed_0007_keys_of_persons'),
        ('payouts', '0001_squashed_0003_told_texts_are_sealed'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='ErasureRequest',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('customer', 'Customer'), ('portal_user', 'Portal user'), ('payee', 'Payee')], max_length=12)),
                    ('ground', models.CharField(choices=[('asked', 'The person asks for it (GDPR 17 (1) b, c)'), ('not_needed', 'No longer needed for what it was kept for (GDPR 17 (1) a)'), ('unlawful', 'Was never to be kept (GDPR 17 (1) d)')], max_length=12)),
                    ('reference', models.CharField(help_text='The number of the letter or ticket; no names, it is kept for ever.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('status', models.CharField(choices=[('asked', 'Waits for a second person'), ('erased', 'Erased'), ('refused', 'Refused')], default='asked', max_length=8)),
                    ('asked_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('refusal', models.CharField(blank=True, help_text='Why not, as a word.', max_length=60, validators=[django.core.validators.RegexValidator('^[a-z_]+\\Z')])),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('payee', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='payouts.payee')),
                    ('portal_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.portaluser')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('customer__isnull', False), ('kind', 'customer'), ('payee', None), ('portal_user', None)), models.Q(('customer', None), ('kind', 'portal_user'), ('payee', None), ('portal_user__isnull', False)), models.Q(('customer', None), ('kind', 'payee'), ('payee__isnull', False), ('portal_user', None)), _connector='OR'), name='erasure_request_of_one_person'), models.CheckConstraint(condition=models.Q(('decided_by', None), models.Q(('decided_by', models.F('asked_by')), _negated=True), _connector='OR'), name='erasure_request_four_eyes'), models.CheckConstraint(condition=models.Q(models.Q(('refusal', ''), ('status', 'asked'), ('decided_at', None), ('decided_by', None)), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('refusal', ''), ('status', 'erased')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status', 'refused'), models.Q(('refusal', ''), _negated=True)), _connector='OR'), name='erasure_request_decided'), models.UniqueConstraint(condition=models.Q(('status', 'refused'), _negated=True), fields=('kind', 'customer', 'portal_user', 'payee'), name='erasure_request_once', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='Erasure',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('keys', models.JSONField(help_text='Numbers of the keys that were destroyed.')),
                    ('did', models.JSONField(help_text='What else was done, in sentences.')),
                    ('kept', models.JSONField(help_text='What the law keeps: which documents, until when, by which rule.')),
                    ('erased_at', models.DateTimeField()),
                    ('audit_entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.auditentry')),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='erasures', to='erasure.erasurerequest')),
                ],
                options={
                    'ordering': ['id'],
                },
            ),
            migrations.CreateModel(
                name='RetentionRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('country', models.CharField(blank=True, help_text='Of the seller; empty for all others.', max_length=2)),
                    ('years', models.PositiveSmallIntegerField()),
                    ('basis', models.TextField(help_text='The law, and who says so.')),
                    ('effective_at', models.DateTimeField()),
                    ('created_at', models.DateTimeField()),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['country', '-effective_at'],
                    'constraints': [models.UniqueConstraint(fields=('country', 'effective_at'), name='erasure_retention_instant'), models.CheckConstraint(condition=models.Q(('years__range', (0, 100)), models.Q(('basis', ''), _negated=True)), name='erasure_retention_years')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='erasurerequest',
                trigger=pgtrigger.compiler.Trigger(name='asked_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."portal_user_id" IS DISTINCT FROM (NEW."portal_user_id") OR OLD."payee_id" IS DISTINCT FROM (NEW."payee_id") OR OLD."ground" IS DISTINCT FROM (NEW."ground") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='27178e3f62401b690c3fded4c1b08d1a8a462b88', operation='UPDATE', pgid='pgtrigger_asked_once_9a5ff', table='erasure_erasurerequest', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='erasurerequest',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'asked\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ed6ae32529ebf361a1638d8be0a6693b50958a02', operation='UPDATE', pgid='pgtrigger_decided_once_72c36', table='erasure_erasurerequest', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='erasurerequest',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ab5f4aae9fd69b7b8849e5c1732c19baf8f91c51', operation='DELETE', pgid='pgtrigger_no_delete_b25aa', table='erasure_erasurerequest', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='erasurerequest',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c0d5807840f366684aa0290526cbe4c69982e95c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9d562', table='erasure_erasurerequest', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='erasure',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f51634b4fbc47101dcf7e99e2966159659852880', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_fa7e9', table='erasure_erasure', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='erasure',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='0b5a11c8175aaf98360df5e90c93c6c05df90d70', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_e8ee6', table='erasure_erasure', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='retentionrule',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='b40e6e798d2a69e96d83ba43d281c981d8690845', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1d1a3', table='erasure_retentionrule', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='retentionrule',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='1ce3839bcf7d06860396026dc1fc384768a40f7e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_ca902', table='erasure_retentionrule', when='BEFORE')),
            ),
        ]),
        migrations.RunPython(add_rules, migrations.RunPython.noop),
    ]
