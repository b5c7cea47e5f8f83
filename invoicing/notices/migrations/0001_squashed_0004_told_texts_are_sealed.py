import core.migrating
import core.sealed_fields
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('notices', '0001_first'), ('notices', '0002_titles_are_sealed'), ('notices', '0003_disputes_are_told'), ('notices', '0004_told_texts_are_sealed')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='Endpoint',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField(help_text='Which system this is, and who runs it.')),
                    ('url', models.CharField(help_text='https, to a public host; a redirect is not followed.', max_length=500)),
                    ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('alert.usage_near_limit', 'Usage nears a limit'), ('alert.exposure_growth', 'Exposure rises faster than before'), ('alert.program_cost', 'Projected cost of a fee program'), ('access.held', 'Further usage is on hold'), ('access.allowed', 'Further usage is allowed again'), ('review.requested', 'A credit review was requested'), ('dispute.overdue', 'A step of a dispute is overdue'), ('dispute.update_due', 'A customer waits for news of a dispute')], max_length=40), size=None)),
                    ('created_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, help_text='From then on it is not called.', null=True)),
                ],
                options={
                    'ordering': ['code'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('topics__contained_by', ['alert.usage_near_limit', 'alert.exposure_growth', 'alert.program_cost', 'access.held', 'access.allowed', 'review.requested', 'dispute.overdue', 'dispute.update_due']), ('topics__len__gt', 0)), name='notices_endpoint_topics'), models.CheckConstraint(condition=models.Q(('url__startswith', 'https://')), name='notices_endpoint_https')],
                },
            ),
            migrations.CreateModel(
                name='Notice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(help_text='Told once for ever, such as alert:42.', max_length=80, unique=True)),
                    ('topic', models.CharField(choices=[('alert.usage_near_limit', 'Usage nears a limit'), ('alert.exposure_growth', 'Exposure rises faster than before'), ('alert.program_cost', 'Projected cost of a fee program'), ('access.held', 'Further usage is on hold'), ('access.allowed', 'Further usage is allowed again'), ('review.requested', 'A credit review was requested'), ('dispute.overdue', 'A step of a dispute is overdue'), ('dispute.update_due', 'A customer waits for news of a dispute')], max_length=40)),
                    ('audience', models.CharField(choices=[('ops', 'Operations'), ('customer_success', 'Customer success'), ('engineering', 'Engineering'), ('finance', 'Finance')], max_length=20)),
                    ('title', core.sealed_fields.OpenedCharField(help_text="It names the customer, and so lies under the customer's key.", max_length=200)),
                    ('text', core.sealed_fields.OpenedTextField()),
                    ('document', models.JSONField(help_text='The `data` of a webhook.')),
                    ('created_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('topic__in', ['alert.usage_near_limit', 'alert.exposure_growth', 'alert.program_cost', 'access.held', 'access.allowed', 'review.requested', 'dispute.overdue', 'dispute.update_due'])), name='notices_notice_topic'), models.CheckConstraint(condition=models.Q(('audience__in', ['ops', 'customer_success', 'engineering', 'finance'])), name='notices_notice_audience')],
                },
            ),
            migrations.CreateModel(
                name='Delivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('slack', 'Slack'), ('webhook', 'Signed webhook')], max_length=10)),
                    ('status', models.CharField(choices=[('pending', 'On its way'), ('delivered', 'Delivered'), ('failed', 'Given up'), ('not_set_up', 'Nobody to tell')], default='pending', max_length=12)),
                    ('sent_to', models.CharField(blank=True, max_length=1000)),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('endpoint', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notices.endpoint')),
                    ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notices.notice')),
                ],
                options={
                    'verbose_name_plural': 'deliveries',
                    'ordering': ['-id'],
                    'constraints': [models.UniqueConstraint(fields=('notice', 'channel', 'endpoint'), name='notices_delivery_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('channel', 'webhook'), ('endpoint__isnull', False)), models.Q(('channel__in', ['email', 'slack']), ('endpoint', None)), models.Q(('channel', 'webhook'), ('endpoint', None), ('status', 'not_set_up')), _connector='OR'), name='notices_delivery_way'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('status', 'pending')), models.Q(('finished_at__isnull', False), ('status__in', ['delivered', 'failed', 'not_set_up'])), _connector='OR'), name='notices_delivery_status')],
                },
            ),
            migrations.CreateModel(
                name='Attempt',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('at', models.DateTimeField()),
                    ('is_delivered', models.BooleanField()),
                    ('detail', models.CharField(blank=True, help_text='Why it failed.', max_length=500)),
                    ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='notices.delivery')),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.UniqueConstraint(fields=('delivery', 'number'), name='notices_attempt_number'), models.UniqueConstraint(condition=models.Q(('is_delivered', True)), fields=('delivery',), name='notices_attempt_delivers_once')],
                },
            ),
            migrations.CreateModel(
                name='EndpointSecret',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('nonce', models.CharField(max_length=64, unique=True)),
                    ('created_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(help_text='From then on it signs nothing; empty while it is the newest.', null=True)),
                    ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secrets', to='notices.endpoint')),
                ],
                options={
                    'ordering': ['-created_at', '-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('ends_at', None)), fields=('endpoint',), name='notices_secret_newest'), models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gte', models.F('created_at')), _connector='OR'), name='notices_secret_ends')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalAddress',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('audience', models.CharField(choices=[('ops', 'Operations'), ('customer_success', 'Customer success'), ('engineering', 'Engineering'), ('finance', 'Finance')], max_length=20)),
                    ('email', models.EmailField(max_length=254)),
                    ('is_active', models.BooleanField(default=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical address',
                    'verbose_name_plural': 'historical addresses',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalEndpoint',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField(help_text='Which system this is, and who runs it.')),
                    ('url', models.CharField(help_text='https, to a public host; a redirect is not followed.', max_length=500)),
                    ('topics', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('alert.usage_near_limit', 'Usage nears a limit'), ('alert.exposure_growth', 'Exposure rises faster than before'), ('alert.program_cost', 'Projected cost of a fee program'), ('access.held', 'Further usage is on hold'), ('access.allowed', 'Further usage is allowed again'), ('review.requested', 'A credit review was requested'), ('dispute.overdue', 'A step of a dispute is overdue'), ('dispute.update_due', 'A customer waits for news of a dispute')], max_length=40), size=None)),
                    ('created_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, help_text='From then on it is not called.', null=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical endpoint',
                    'verbose_name_plural': 'historical endpoints',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='Address',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('audience', models.CharField(choices=[('ops', 'Operations'), ('customer_success', 'Customer success'), ('engineering', 'Engineering'), ('finance', 'Finance')], max_length=20)),
                    ('email', models.EmailField(max_length=254)),
                    ('is_active', models.BooleanField(default=True)),
                ],
                options={
                    'verbose_name_plural': 'addresses',
                    'ordering': ['audience', 'email'],
                    'constraints': [models.UniqueConstraint(fields=('audience', 'email'), name='notices_address_once'), models.CheckConstraint(condition=models.Q(('audience__in', ['ops', 'customer_success', 'engineering', 'finance'])), name='notices_address_audience')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='address',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='cfa419db9301729bd1e8c837aab2eecf2e79a8c4', operation='DELETE', pgid='pgtrigger_no_delete_4dc06', table='notices_address', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpoint',
                trigger=pgtrigger.compiler.Trigger(name='code_is_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2d3d04623caa494bc26cd69257a26ce9fc7739ff', operation='UPDATE', pgid='pgtrigger_code_is_for_ever_6892a', table='notices_endpoint', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpoint',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='2c664bbd821e1080352c310e3d292400ea6a6b59', operation='DELETE', pgid='pgtrigger_no_delete_46259', table='notices_endpoint', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpoint',
                trigger=pgtrigger.compiler.Trigger(name='closed_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."closed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='8c87e4fc75a53414354e61956e731e893172abe8', operation='UPDATE', pgid='pgtrigger_closed_for_ever_2a3c3', table='notices_endpoint', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpoint',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='024ee3c89a05e1f7d945e4507725bd9bc1d8f761', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_d9524', table='notices_endpoint', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='attempt',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='1a95dbdfd137773bcbe952dd8c2952faca402ee1', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_8e0d2', table='notices_attempt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='attempt',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='824a4175c209ce79120901366e3a08190b86967b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_52fae', table='notices_attempt', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpointsecret',
                trigger=pgtrigger.compiler.Trigger(name='made_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."endpoint_id" IS DISTINCT FROM (NEW."endpoint_id") OR OLD."nonce" IS DISTINCT FROM (NEW."nonce") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3a0daf30fb9b01e91f3a7aa99a267f2ca835d883', operation='UPDATE', pgid='pgtrigger_made_once_abf5f', table='notices_endpointsecret', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpointsecret',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f993e9dd10a039944f5fac5a28ad8fa1828cd852', operation='DELETE', pgid='pgtrigger_no_delete_0cce5', table='notices_endpointsecret', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='endpointsecret',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='6cc067ff7ba591cef1febcf7f838a196b1980bdc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_92de1', table='notices_endpointsecret', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='notice',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='335200a6d872589de6565e68754bdc4f02832472', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b7525', table='notices_notice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='notice',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='f79366111f46e30eb74f83ed5356abb6e61e13f2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9545a', table='notices_notice', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='delivery',
                trigger=pgtrigger.compiler.Trigger(name='way_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."notice_id" IS DISTINCT FROM (NEW."notice_id") OR OLD."channel" IS DISTINCT FROM (NEW."channel") OR OLD."endpoint_id" IS DISTINCT FROM (NEW."endpoint_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='be37fef0184abaf99575b7d8b944578b5a82eec3', operation='UPDATE', pgid='pgtrigger_way_is_fixed_4095c', table='notices_delivery', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='delivery',
                trigger=pgtrigger.compiler.Trigger(name='delivered_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IN (\'delivered\', \'not_set_up\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2abd0abba672c6b4069ae2a1c687cc301761c5d8', operation='UPDATE', pgid='pgtrigger_delivered_for_ever_78fe5', table='notices_delivery', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='delivery',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='e5389293dae0167d42bff915de9325ba339ad949', operation='DELETE', pgid='pgtrigger_no_delete_8f1b4', table='notices_delivery', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='delivery',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='0be8ae192ef64ff2728ea84f4c7c0c8b5816c9d0', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_ecc92', table='notices_delivery', when='BEFORE')),
            ),
        ]),
    ]
