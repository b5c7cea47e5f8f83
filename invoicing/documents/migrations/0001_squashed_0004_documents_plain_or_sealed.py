import core.migrating
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('documents', '0001_initial'), ('documents', '0002_letters_about_disputes'), ('documents', '0003_sealed_documents'), ('documents', '0004_documents_plain_or_sealed')]

    initial = True

    dependencies = [
        ('core', '0001_squashed_0007_keys_of_persons'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='StoredDocument',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(help_text='What it is the document of, such as invoice:42.', max_length=120, unique=True)),
                    ('kind', models.CharField(choices=[('invoice_pdf', 'Invoice (PDF)'), ('dispute_letter', 'Letter about a dispute (PDF)')], max_length=20)),
                    ('content', models.BinaryField(help_text='Sealed where there is a personal key.')),
                    ('sha256', models.CharField(help_text='Of the document itself, as people have it.', max_length=64)),
                    ('stored_at', models.DateTimeField()),
                    ('content_sha256', models.CharField(help_text='Of these bytes.', max_length=64)),
                    ('personal_key', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.personalkey')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['invoice_pdf', 'dispute_letter'])), name='documents_kind'), models.CheckConstraint(condition=models.Q(('content_sha256', models.Func(models.Func(models.F('content'), function='sha256'), models.Value('hex'), function='encode'))), name='documents_sha256_is_of_content'), models.CheckConstraint(condition=models.Q(('personal_key__isnull', False), ('sha256', models.F('content_sha256')), _connector='OR'), name='documents_unsealed_is_plain')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='storeddocument',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5cd5edbfd0853664896f6d8998c61190bc9c6580', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_7b253', table='documents_storeddocument', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='storeddocument',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='0fc29a5b736f6fb18b40aca681c55d7e909336e1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_78631', table='documents_storeddocument', when='BEFORE')),
            ),
        ]),
    ]
