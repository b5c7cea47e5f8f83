import datetime

import core.migrating
import core.sealed_fields
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import metering.models.snapshots
import metering.rules.covering
import metering.rules.exact_json
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from decimal import Decimal

# The first version; later ones are made by people. One test of one stream alarms by luck once in ten million; there are
# four of them a minute and 525,960 minutes a year, so a stream alarms by luck at most 0.22 times a year.
FIRST_POLICY = """
INSERT INTO metering_healthpolicy (version, window_minutes, baseline_minutes, false_alarm_rate, events_min,
                                   share_shift_min, lag_shift_min, silence_days, silence_minutes_min, gaps_min, reason)
VALUES (1, 5, 120, 0.0000001, 50, 0.02, 10, 7, 5, 20, 'What every installation starts with.')
"""


class Migration(migrations.Migration):

    replaces = [('metering', '0001_initial'), ('metering', '0002_events_by_month'), ('metering', '0003_arrival_minutes_and_reviews'), ('metering', '0004_event_corrections'), ('metering', '0005_event_archive'), ('metering', '0006_meter_versions'), ('metering', '0007_event_stores'), ('metering', '0008_webhook_sources'), ('metering', '0009_usage_rollups'), ('metering', '0010_bulk_decisions'), ('metering', '0011_interim_snapshots'), ('metering', '0012_backfills'), ('metering', '0013_first_event_of_a_snapshot'), ('metering', '0014_quarantined_bodies_are_sealed'), ('metering', '0015_moments_of_rollups'), ('metering', '0016_sums_of_whatever_is_priced')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0007_the_log_names_nobody'),
        ('auth', '__first__'),
    ]

    operations = [
        core.migrating.MakeTogether(operations=[
            migrations.CreateModel(
                name='ArrivalStream',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('source', models.CharField(blank=True, max_length=200)),
                    ('event_type', models.CharField(blank=True, max_length=200)),
                    ('first_minute', models.DateTimeField()),
                    ('last_minute', models.DateTimeField()),
                ],
                options={
                    'indexes': [models.Index(fields=['last_minute'], name='metering_stream_last')],
                    'constraints': [models.UniqueConstraint(fields=('source', 'event_type'), name='metering_stream_once')],
                },
            ),
            migrations.CreateModel(
                name='HealthPolicy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField(unique=True)),
                    ('window_minutes', models.PositiveIntegerField(help_text='The minutes that are looked at.')),
                    ('baseline_minutes', models.PositiveIntegerField(help_text='The minutes before them that they are held against.')),
                    ('false_alarm_rate', models.DecimalField(decimal_places=10, help_text='The chance that one test of one stream in one minute alarms by luck.', max_digits=12)),
                    ('events_min', models.PositiveIntegerField(help_text='With fewer events, now or before, rates are not judged.')),
                    ('share_shift_min', models.DecimalField(decimal_places=4, help_text='Smaller changes of a rate are no shift, however certain.', max_digits=5)),
                    ('lag_shift_min', models.DecimalField(decimal_places=3, help_text='In seconds: smaller rises of the lag are no shift.', max_digits=10)),
                    ('silence_days', models.PositiveIntegerField(help_text='How far back the pauses of a stream are known.')),
                    ('silence_minutes_min', models.PositiveIntegerField(help_text='Shorter silences are none.')),
                    ('gaps_min', models.PositiveIntegerField(help_text='A stream with fewer pauses has no rhythm yet.')),
                    ('reason', models.TextField(help_text='Why it was made.')),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name_plural': 'health policies',
                    'ordering': ['-version'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('baseline_minutes__range', (10, 1440)), ('false_alarm_rate__gt', 0), ('false_alarm_rate__lte', Decimal('0.01')), ('gaps_min__gte', 1), ('share_shift_min__range', (0, 1)), ('silence_days__range', (1, 31)), ('window_minutes__range', (1, 60)), ('baseline_minutes__gt', models.F('window_minutes'))), name='metering_health_policy_usable')],
                },
            ),
            migrations.CreateModel(
                name='ReviewItem',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('acceptance_fell', 'Acceptance rate fell'), ('duplicates_rose', 'Duplicates rose'), ('duplicates_fell', 'Duplicates fell'), ('lag_rose', 'Lag rose'), ('silent', 'Source fell silent')], max_length=20)),
                    ('minute', models.DateTimeField(help_text='The end of the minutes in which it was seen first.')),
                    ('last_seen_at', models.DateTimeField(help_text='The same, seen last; while it goes on no second item is opened.')),
                    ('before', models.CharField(max_length=200)),
                    ('now', models.CharField(max_length=200)),
                    ('chance', models.CharField(help_text='Of the same figures by luck, had nothing changed.', max_length=20)),
                    ('status', models.CharField(choices=[('open', 'Open'), ('taken', 'Being looked at'), ('resolved', 'Resolved')], default='open', max_length=10)),
                    ('opened_at', models.DateTimeField()),
                    ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.healthpolicy')),
                    ('stream', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='review_items', to='metering.arrivalstream')),
                ],
                options={
                    'ordering': ['-opened_at', '-id'],
                    'indexes': [models.Index(fields=['stream', 'kind', '-last_seen_at'], name='metering_review_episode')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'resolved'), _negated=True), fields=('kind', 'stream'), name='metering_review_once'), models.CheckConstraint(condition=models.Q(models.Q(('owner', None), ('status', 'open')), models.Q(('owner__isnull', False), ('status__in', ['taken', 'resolved'])), _connector='OR'), name='metering_review_status')],
                },
            ),
            migrations.CreateModel(
                name='AlertDelivery',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('slack', 'Slack')], max_length=10)),
                    ('sent_to', models.CharField(max_length=1000)),
                    ('delivered_at', models.DateTimeField()),
                    ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='alerts', to='metering.reviewitem')),
                ],
                options={
                    'verbose_name_plural': 'alert deliveries',
                    'constraints': [models.UniqueConstraint(fields=('item', 'channel'), name='metering_alert_once')],
                },
            ),
            migrations.CreateModel(
                name='EventArchive',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('month', models.DateField(help_text='Its first day; a month may be put away more than once, with what came since.')),
                    ('file_name', models.CharField(max_length=200, unique=True)),
                    ('file_sha256', models.CharField(max_length=64)),
                    ('digest', models.CharField(help_text="SHA-256 over every column of every row, in the file's order.", max_length=64)),
                    ('event_count', models.BigIntegerField()),
                    ('first_seq', models.BigIntegerField()),
                    ('last_seq', models.BigIntegerField()),
                    ('detached_at', models.DateTimeField()),
                    ('attached_at', models.DateTimeField(help_text='Set once, when the rows went back into the table.', null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('event_count__gt', 0), ('first_seq__lte', models.F('last_seq'))), name='metering_archive_has_events')],
                },
            ),
            migrations.CreateModel(
                name='EventContract',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('event_type', models.CharField(help_text='The `type` of the event.', max_length=120, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,119}\\Z', 'Use 1 to 120 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField()),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['event_type'],
                },
            ),
            migrations.CreateModel(
                name='EventContractVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('schema', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, encoder=metering.rules.exact_json.ExactEncoder, help_text='JSON Schema (2020-12) of `data`.')),
                    ('billing_fields', models.JSONField(default=list, help_text='Properties that billing requires in every event.')),
                    ('context_fields', models.JSONField(default=list, help_text='Optional properties kept for attribution.')),
                    ('valid_examples', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, default=list, encoder=metering.rules.exact_json.ExactEncoder, help_text='`data` objects that must pass.')),
                    ('invalid_examples', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, default=list, encoder=metering.rules.exact_json.ExactEncoder, help_text='`data` objects that must fail.')),
                    ('accepts_past_days', models.PositiveIntegerField(default=1826, help_text='Older events are quarantined.')),
                    ('accepts_future_seconds', models.PositiveIntegerField(default=300, help_text='Later events are quarantined.')),
                    ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'In force'), ('retired', 'Retired')], default='draft', max_length=10)),
                    ('created_at', models.DateTimeField()),
                    ('activated_at', models.DateTimeField(null=True)),
                    ('activated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='metering.eventcontract')),
                    ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['contract', '-version'],
                    'constraints': [models.UniqueConstraint(fields=('contract', 'version'), name='metering_contract_version'), models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('contract',), name='metering_contract_one_in_force'), models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'active', 'retired'])), name='metering_contract_status'), models.CheckConstraint(condition=models.Q(('accepts_future_seconds__range', (0, 31622400)), ('accepts_past_days__range', (0, 36525))), name='metering_contract_window')],
                },
            ),
            migrations.CreateModel(
                name='EventCorrection',
                fields=[
                    ('seq', models.BigIntegerField(help_text='The event that does not count.', primary_key=True, serialize=False)),
                    ('since_seq', models.BigIntegerField(help_text='The correction because of which it does not.')),
                    ('kind', models.CharField(choices=[('amended', 'Amended: the correction counts instead'), ('cancelled', 'Cancelled'), ('cancels', 'Is a cancellation')], max_length=10)),
                    ('occurred_at', models.DateTimeField()),
                    ('since_occurred_at', models.DateTimeField(help_text='When the correction happened: the month in which it is kept.')),
                    ('contract', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.eventcontract')),
                    ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ],
                options={
                    'indexes': [models.Index(fields=['customer', 'contract', 'occurred_at'], include=('seq', 'since_seq'), name='metering_correction_window')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['amended', 'cancelled']), models.Q(('seq', models.F('since_seq')), _negated=True)), models.Q(('kind', 'cancels'), ('seq', models.F('since_seq'))), _connector='OR'), name='metering_correction_kind'), models.UniqueConstraint(condition=models.Q(('kind', 'cancels'), _negated=True), fields=('since_seq',), name='metering_correction_of_one')],
                },
            ),
            migrations.CreateModel(
                name='EventKey',
                fields=[
                    ('pk', models.CompositePrimaryKey('source', 'event_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('source', models.CharField(db_collation='C', max_length=200)),
                    ('event_id', models.CharField(db_collation='C', max_length=200)),
                    ('seq', models.BigIntegerField(help_text='The accepted event of this identity.')),
                    ('occurred_at', models.DateTimeField()),
                    ('batch_id', models.BigIntegerField()),
                    ('fingerprint', models.BinaryField(max_length=32)),
                ],
            ),
            migrations.CreateModel(
                name='HistoricalEventContract',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('event_type', models.CharField(db_index=True, help_text='The `type` of the event.', max_length=120, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,119}\\Z', 'Use 1 to 120 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField()),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('owner', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical event contract',
                    'verbose_name_plural': 'historical event contracts',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalEventContractVersion',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('schema', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, encoder=metering.rules.exact_json.ExactEncoder, help_text='JSON Schema (2020-12) of `data`.')),
                    ('billing_fields', models.JSONField(default=list, help_text='Properties that billing requires in every event.')),
                    ('context_fields', models.JSONField(default=list, help_text='Optional properties kept for attribution.')),
                    ('valid_examples', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, default=list, encoder=metering.rules.exact_json.ExactEncoder, help_text='`data` objects that must pass.')),
                    ('invalid_examples', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, default=list, encoder=metering.rules.exact_json.ExactEncoder, help_text='`data` objects that must fail.')),
                    ('accepts_past_days', models.PositiveIntegerField(default=1826, help_text='Older events are quarantined.')),
                    ('accepts_future_seconds', models.PositiveIntegerField(default=300, help_text='Later events are quarantined.')),
                    ('status', models.CharField(choices=[('draft', 'Draft'), ('active', 'In force'), ('retired', 'Retired')], default='draft', max_length=10)),
                    ('created_at', models.DateTimeField()),
                    ('activated_at', models.DateTimeField(null=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('activated_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('contract', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='metering.eventcontract')),
                    ('created_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical event contract version',
                    'verbose_name_plural': 'historical event contract versions',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalMeter',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(max_length=120)),
                    ('unit', models.CharField(help_text='Such as token, request or GB. Prices are per unit: it is fixed.', max_length=40)),
                    ('created_at', models.DateTimeField(blank=True, editable=False)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('contract', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='metering.eventcontract')),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('owner', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical meter',
                    'verbose_name_plural': 'historical meters',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='CaptureBatch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('channel', models.CharField(choices=[('http', 'HTTP'), ('import', 'File import'), ('release', 'Release from quarantine')], max_length=10)),
                    ('origin', models.CharField(help_text='Public id of the API key, or the file.', max_length=200)),
                    ('received_at', models.DateTimeField()),
                    ('received', models.PositiveIntegerField()),
                    ('accepted', models.PositiveIntegerField()),
                    ('duplicates', models.PositiveIntegerField()),
                    ('quarantined', models.PositiveIntegerField()),
                    ('tallies', models.JSONField(help_text='The same counts by source and type: what `metering/health` adds up.')),
                    ('first_seq', models.BigIntegerField(help_text='Its accepted events lie between these; empty for none.', null=True)),
                    ('last_seq', models.BigIntegerField(null=True)),
                ],
                options={
                    'verbose_name_plural': 'capture batches',
                    'indexes': [models.Index(fields=['received_at'], name='metering_batch_received')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('received', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('accepted'), '+', models.F('duplicates')), '+', models.F('quarantined')))), name='metering_batch_adds_up')],
                },
            ),
            migrations.CreateModel(
                name='HistoricalQuarantinedEvent',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('source', models.CharField(blank=True, max_length=200)),
                    ('event_id', models.CharField(blank=True, max_length=200)),
                    ('event_type', models.CharField(blank=True, max_length=200)),
                    ('subject', models.CharField(blank=True, max_length=200)),
                    ('raw_hash', models.CharField(max_length=64)),
                    ('reasons', models.JSONField(help_text='`[{code, detail, pointer}]`')),
                    ('received_at', models.DateTimeField()),
                    ('times_seen', models.PositiveIntegerField(default=1, help_text='Retries of the same bad event are one row.')),
                    ('status', models.CharField(choices=[('open', 'Waiting'), ('released', 'Released'), ('discarded', 'Discarded')], default='open', max_length=10)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decision_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('batch', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='metering.capturebatch')),
                    ('decided_by', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical quarantined event',
                    'verbose_name_plural': 'historical quarantined events',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='HistoricalWebhookSource',
                fields=[
                    ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                    ('code', models.CharField(db_index=True, help_text='The end of its address here.', max_length=60, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField(help_text='Which system this is, and who runs it.')),
                    ('mapping', models.JSONField(help_text='`=value` or a JSON pointer for type, subject, time and the properties.')),
                    ('created_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, help_text='From then on nothing is taken from it.', null=True)),
                    ('history_id', models.AutoField(primary_key=True, serialize=False)),
                    ('history_date', models.DateTimeField(db_index=True)),
                    ('history_change_reason', models.TextField(null=True)),
                    ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                    ('history_user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name': 'historical webhook source',
                    'verbose_name_plural': 'historical webhook sources',
                    'ordering': ('-history_date', '-history_id'),
                    'get_latest_by': ('history_date', 'history_id'),
                },
                bases=(simple_history.models.HistoricalChanges, models.Model),
            ),
            migrations.CreateModel(
                name='ImportRun',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('path_name', models.CharField(max_length=300)),
                    ('file_sha256', models.CharField(max_length=64)),
                    ('mapping_hash', models.CharField(max_length=64)),
                    ('rows_done', models.BigIntegerField(default=0)),
                    ('accepted', models.BigIntegerField(default=0)),
                    ('duplicates', models.BigIntegerField(default=0)),
                    ('quarantined', models.BigIntegerField(default=0)),
                    ('started_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['file_sha256', 'mapping_hash'], name='metering_import_file')],
                },
            ),
            migrations.CreateModel(
                name='Meter',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('name', models.CharField(max_length=120)),
                    ('unit', models.CharField(help_text='Such as token, request or GB. Prices are per unit: it is fixed.', max_length=40)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='meters', to='metering.eventcontract')),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['code'],
                },
            ),
            migrations.CreateModel(
                name='MeterVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('version', models.PositiveIntegerField()),
                    ('effective_at', models.DateTimeField(help_text='Windows are cut here where the measure changes.')),
                    ('definition', models.TextField(help_text='One or two sentences a customer would understand.')),
                    ('exclusions', models.TextField(blank=True, help_text='What is deliberately not counted.')),
                    ('aggregation', models.CharField(choices=[('sum', 'Sum'), ('count', 'Count'), ('last', 'Last value'), ('max', 'Highest value'), ('min', 'Lowest value'), ('average', 'Average'), ('unique_count', 'Unique count'), ('time_weighted_sum', 'Time-weighted sum'), ('prorated_sum', 'Sum prorated by day'), ('prorated_unique_count', 'Unique count prorated by day')], max_length=24)),
                    ('value_property', models.CharField(blank=True, help_text='Property of `data`; empty for count.', max_length=120)),
                    ('operation_property', models.CharField(blank=True, help_text='For unique counts: the property that says add or remove; empty: every event adds.', max_length=120)),
                    ('is_recurring', models.BooleanField(default=False, help_text='What was reached before a window lasts into it.')),
                    ('filters', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, default=list, encoder=metering.rules.exact_json.ExactEncoder, help_text='Conditions of which all must hold.')),
                    ('group_by', models.JSONField(default=list, help_text='Properties that usage may be split by.')),
                    ('negative_total', models.CharField(choices=[('negative', 'Stays negative'), ('zero', 'Counts as 0')], default='negative', help_text='Of a window.', max_length=10)),
                    ('tie_break', models.CharField(choices=[('last_received', 'The last received counts as later'), ('first_received', 'The first received counts as later')], default='last_received', help_text='Of events of one instant; then the greater id.', max_length=20)),
                    ('decimals', models.PositiveSmallIntegerField(default=18, help_text='Of quantities that a division makes.')),
                    ('rounding', models.CharField(choices=[('half_up', 'Half up'), ('half_even', 'Half to even'), ('ceiling', 'Up'), ('floor', 'Down')], default='half_up', max_length=10)),
                    ('reason', models.TextField(blank=True, help_text='Why it changes.')),
                    ('status', models.CharField(choices=[('proposed', 'Waits for the owner'), ('approved', 'Approved'), ('rejected', 'Rejected'), ('withdrawn', 'Withdrawn')], default='proposed', max_length=10)),
                    ('proposed_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decision_reason', models.TextField(blank=True)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='metering.meter')),
                    ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['meter', '-version'],
                    'constraints': [models.UniqueConstraint(fields=('meter', 'version'), name='metering_meter_version'), models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'approved', 'rejected', 'withdrawn'])), name='metering_meterversion_status'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('status', 'proposed')), models.Q(models.Q(('status', 'proposed'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='metering_meterversion_decided'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), ('version', 1), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='metering_meterversion_two_persons'), models.CheckConstraint(condition=models.Q(models.Q(('effective_at', datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), ('status', 'approved'), ('version', 1)), models.Q(('effective_at__gt', datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)), ('version__gt', 1)), _connector='OR'), name='metering_meterversion_first'), models.CheckConstraint(condition=models.Q(('aggregation__in', ['sum', 'count', 'last', 'max', 'min', 'average', 'unique_count', 'time_weighted_sum', 'prorated_sum', 'prorated_unique_count'])), name='metering_meterversion_aggregation'), models.CheckConstraint(condition=models.Q(models.Q(('aggregation', 'count'), ('value_property', '')), models.Q(models.Q(('aggregation', 'count'), _negated=True), models.Q(('value_property', ''), _negated=True)), _connector='OR'), name='metering_meterversion_value'), models.CheckConstraint(condition=models.Q(('operation_property', ''), ('aggregation__in', ['prorated_unique_count', 'unique_count']), _connector='OR'), name='metering_meterversion_operation'), models.CheckConstraint(condition=models.Q(models.Q(('is_recurring', False), models.Q(('aggregation__in', ['prorated_sum', 'prorated_unique_count']), _negated=True)), models.Q(('aggregation__in', ['prorated_sum', 'prorated_unique_count', 'sum', 'time_weighted_sum', 'unique_count']), ('is_recurring', True)), _connector='OR'), name='metering_meterversion_recurring'), models.CheckConstraint(condition=models.Q(('decimals__range', (0, 18)), ('negative_total__in', ['negative', 'zero']), ('rounding__in', ['half_up', 'half_even', 'ceiling', 'floor']), ('tie_break__in', ['last_received', 'first_received'])), name='metering_meterversion_policies')],
                },
            ),
            migrations.CreateModel(
                name='RollupSeries',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('value_property', models.CharField(blank=True, max_length=120)),
                    ('filters', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, encoder=metering.rules.exact_json.ExactEncoder, null=True)),
                    ('arrival_sign', models.SmallIntegerField(help_text='-1 where of one instant the first received counts as later.')),
                    ('group_by', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), help_text='Properties whose values are kept apart.', size=None)),
                    ('reading_hash', models.CharField(help_text='SHA-256 over these.', max_length=64)),
                    ('seq', models.BigIntegerField(default=0, help_text='Every accepted event up to this one is in, and no other.')),
                    ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.eventcontract')),
                    ('by_minute', models.BooleanField(db_default=False, help_text='Also added up by the minute.')),
                    ('operation_property', models.CharField(blank=True, db_default='', help_text='Where it is named, an event that adds is 1, one that removes 0.', max_length=120)),
                ],
                options={
                    'verbose_name_plural': 'rollup series',
                    'constraints': [models.UniqueConstraint(fields=('contract', 'reading_hash'), name='metering_rollup_series_once'), models.CheckConstraint(condition=models.Q(('arrival_sign__in', [-1, 1])), name='metering_rollup_series_sign')],
                },
            ),
            migrations.CreateModel(
                name='OrderedMinute',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('starts_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField()),
                    ('last_row', models.BigIntegerField(help_text="The highest number of a row of this minute's sums; 0 without any.")),
                    ('event_count', models.BigIntegerField(help_text='The events in these sums.')),
                    ('values', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=18, max_digits=38), size=None)),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('series', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metering.rollupseries')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('series', 'customer', 'starts_at', 'ends_at'), name='metering_ordered_minute_once')],
                },
            ),
            migrations.CreateModel(
                name='QuarantinedEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('source', models.CharField(blank=True, max_length=200)),
                    ('event_id', models.CharField(blank=True, max_length=200)),
                    ('event_type', models.CharField(blank=True, max_length=200)),
                    ('subject', models.CharField(blank=True, max_length=200)),
                    ('raw', core.sealed_fields.OpenedTextField(help_text='The event as JSON text, under the key of the customer whom it names.')),
                    ('raw_hash', models.CharField(max_length=64)),
                    ('reasons', models.JSONField(help_text='`[{code, detail, pointer}]`')),
                    ('received_at', models.DateTimeField()),
                    ('times_seen', models.PositiveIntegerField(default=1, help_text='Retries of the same bad event are one row.')),
                    ('status', models.CharField(choices=[('open', 'Waiting'), ('released', 'Released'), ('discarded', 'Discarded')], default='open', max_length=10)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decision_reason', core.sealed_fields.OpenedTextField(blank=True)),
                    ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quarantined_events', to='metering.capturebatch')),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-received_at', '-id'],
                    'indexes': [models.Index(fields=['status', '-received_at'], name='metering_quarantine_desk')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('raw_hash',), name='metering_quarantine_once'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('status', 'open')), models.Q(('decided_at__isnull', False), ('status__in', ['released', 'discarded'])), _connector='OR'), name='metering_quarantine_decided')],
                },
            ),
            migrations.CreateModel(
                name='ReviewStep',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('status_before', models.CharField(blank=True, choices=[('open', 'Open'), ('taken', 'Being looked at'), ('resolved', 'Resolved')], max_length=10)),
                    ('status_after', models.CharField(choices=[('open', 'Open'), ('taken', 'Being looked at'), ('resolved', 'Resolved')], max_length=10)),
                    ('reason', models.TextField(blank=True)),
                    ('at', models.DateTimeField()),
                    ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='metering.reviewitem')),
                    ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status_after', 'resolved'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='metering_review_resolved_with_reason')],
                },
            ),
            migrations.CreateModel(
                name='RollupRepair',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('grain', models.CharField(max_length=6)),
                    ('starts_at', models.DateTimeField()),
                    ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(null=True), size=None)),
                    ('found', models.JSONField(help_text='What the row said; empty where there was none.', null=True)),
                    ('counted', models.JSONField(help_text='What the events say; empty where there are none.', null=True)),
                    ('seq', models.BigIntegerField(help_text='The last event that both have seen.')),
                    ('repaired_at', models.DateTimeField()),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('series', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='repairs', to='metering.rollupseries')),
                ],
                options={
                    'ordering': ['-repaired_at', '-id'],
                },
            ),
            migrations.CreateModel(
                name='Shipment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('first_seq', models.BigIntegerField()),
                    ('last_seq', models.BigIntegerField()),
                    ('event_count', models.BigIntegerField()),
                    ('noted_at', models.DateTimeField()),
                    ('shipped_at', models.DateTimeField(help_text='Set once, when the other store had counted as many.', null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('event_count__gt', 0), ('first_seq__lte', models.F('last_seq'))), name='metering_shipment_has_events')],
                },
            ),
            migrations.CreateModel(
                name='Backfill',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('reason', models.TextField(help_text='Why this usage comes so late.')),
                    ('status', models.CharField(choices=[('open', 'Open'), ('sealed', 'Sealed, to be decided'), ('approved', 'Approved'), ('reverted', 'Reverted')], default='open', max_length=10)),
                    ('staged', models.PositiveIntegerField(default=0, help_text='Events that were put in; the number stays.')),
                    ('digest', models.CharField(blank=True, help_text='SHA-256 over the events in order, once sealed.', max_length=64)),
                    ('created_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('decision_reason', models.TextField(blank=True)),
                    ('accepted', models.PositiveIntegerField(default=0)),
                    ('duplicates', models.PositiveIntegerField(default=0)),
                    ('quarantined', models.PositiveIntegerField(default=0)),
                    ('captured_at', models.DateTimeField(help_text="When the last of an approved backfill's events was captured.", null=True)),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('decision_reason', ''), ('status__in', ['open', 'sealed'])), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status__in', ['approved', 'reverted']), models.Q(('decision_reason', ''), _negated=True)), _connector='OR'), name='metering_backfill_status'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('decided_by', models.F('created_by')), _negated=True), _connector='OR'), name='metering_backfill_two_persons'), models.CheckConstraint(condition=models.Q(('status', 'approved'), models.Q(('accepted', 0), ('captured_at', None), ('duplicates', 0), ('quarantined', 0)), _connector='OR'), name='metering_backfill_captured_when_approved'), models.CheckConstraint(condition=models.Q(('captured_at', None), ('staged', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('accepted'), '+', models.F('duplicates')), '+', models.F('quarantined'))), _connector='OR'), name='metering_backfill_adds_up')],
                },
            ),
            migrations.CreateModel(
                name='StagedEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveIntegerField()),
                    ('content', models.TextField(help_text='The event as exact JSON.')),
                    ('backfill', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='metering.backfill')),
                ],
                options={
                    'ordering': ['backfill', 'position'],
                    'constraints': [models.UniqueConstraint(fields=('backfill', 'position'), name='metering_staged_position')],
                },
            ),
            migrations.CreateModel(
                name='StoreCopy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('store', models.CharField(choices=[('postgres', 'PostgreSQL'), ('clickhouse', 'ClickHouse')], max_length=10)),
                    ('copied_seq', models.BigIntegerField(default=0)),
                    ('started_at', models.DateTimeField()),
                ],
                options={
                    'verbose_name_plural': 'store copies',
                    'constraints': [models.CheckConstraint(condition=models.Q(('store__in', ['postgres', 'clickhouse'])), name='metering_copy_store'), models.UniqueConstraint(models.Value(1), name='metering_copy_one')],
                },
            ),
            migrations.CreateModel(
                name='StoreSwitch',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('store', models.CharField(choices=[('postgres', 'PostgreSQL'), ('clickhouse', 'ClickHouse')], max_length=10)),
                    ('up_to_seq', models.BigIntegerField(help_text='Every event up to here was copied and compared.')),
                    ('event_count', models.BigIntegerField()),
                    ('digest', models.CharField(help_text='Of every column of every row that was compared, in capture order.', max_length=64)),
                    ('switched_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('store__in', ['postgres', 'clickhouse'])), name='metering_switch_store')],
                },
            ),
            migrations.CreateModel(
                name='UsageEvent',
                fields=[
                    ('seq', models.BigAutoField(primary_key=True, serialize=False)),
                    ('source', models.CharField(db_collation='C', max_length=200)),
                    ('event_id', models.CharField(db_collation='C', max_length=200)),
                    ('occurred_at', models.DateTimeField()),
                    ('received_at', models.DateTimeField()),
                    ('fingerprint', models.BinaryField(help_text='SHA-256 of the canonical event.', max_length=32)),
                    ('data', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, encoder=metering.rules.exact_json.ExactEncoder)),
                    ('extras', models.JSONField(decoder=metering.rules.exact_json.ExactDecoder, encoder=metering.rules.exact_json.ExactEncoder, help_text='Attributes that no column holds, and `time` as sent if it says more.', null=True)),
                    ('batch', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.capturebatch')),
                    ('contract', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.eventcontract')),
                    ('contract_version', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.eventcontractversion')),
                    ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                ],
                options={
                    'indexes': [models.Index(fields=['customer', 'contract', 'occurred_at'], include=('seq',), name='metering_event_usage'), django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['occurred_at'], name='metering_event_time')],
                },
            ),
            migrations.CreateModel(
                name='UsageRollup',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('grain', models.CharField(max_length=6)),
                    ('starts_at', models.DateTimeField()),
                    ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(null=True), help_text="The values of the series' properties, in order.", size=None)),
                    ('groups_hash', models.BinaryField(help_text='A value may be longer than an index takes.', max_length=32)),
                    ('event_count', models.BigIntegerField()),
                    ('measured_count', models.BigIntegerField(help_text='Of these, events with a value the series can read.')),
                    ('total', models.DecimalField(decimal_places=18, max_digits=60, null=True)),
                    ('highest', models.DecimalField(decimal_places=18, max_digits=38, null=True)),
                    ('lowest', models.DecimalField(decimal_places=18, max_digits=38, null=True)),
                    ('last_value', models.DecimalField(decimal_places=18, max_digits=38, null=True)),
                    ('last_at', models.DateTimeField(null=True)),
                    ('last_arrival', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                    ('last_event_id', models.CharField(db_collation='C', max_length=200, null=True)),
                    ('last_source', models.CharField(db_collation='C', max_length=200, null=True)),
                    ('customer', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('series', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='metering.rollupseries')),
                    ('moment', models.DecimalField(decimal_places=24, help_text='The values, each times the seconds since 1970 of its event; empty on rows from before it was kept.', max_digits=74, null=True)),
                    ('below', models.DecimalField(decimal_places=18, help_text='The values below 0, added up; empty on rows from before it was kept.', max_digits=60, null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('series', 'customer', 'grain', 'starts_at', 'groups_hash'), name='metering_rollup_once'), models.CheckConstraint(condition=models.Q(('grain__in', [metering.rules.covering.Grain['MINUTE'], metering.rules.covering.Grain['HOUR'], metering.rules.covering.Grain['DAY'], metering.rules.covering.Grain['MONTH']])), name='metering_rollup_grain'), models.CheckConstraint(condition=models.Q(('event_count__gt', 0), ('measured_count__gte', 0), ('measured_count__lte', models.F('event_count'))), name='metering_rollup_counts')],
                },
            ),
            migrations.CreateModel(
                name='Watermark',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('seq', models.BigIntegerField()),
                    ('fixed_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='WebhookSource',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(help_text='The end of its address here.', max_length=60, unique=True, validators=[django.core.validators.RegexValidator('^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\\Z', 'Use 1 to 60 letters, digits, dots, dashes or underscores.')])),
                    ('description', models.TextField(help_text='Which system this is, and who runs it.')),
                    ('mapping', models.JSONField(help_text='`=value` or a JSON pointer for type, subject, time and the properties.')),
                    ('created_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(blank=True, help_text='From then on nothing is taken from it.', null=True)),
                ],
                options={
                    'ordering': ['code'],
                },
            ),
            migrations.CreateModel(
                name='WebhookSecret',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('nonce', models.CharField(max_length=64, unique=True)),
                    ('created_at', models.DateTimeField()),
                    ('ends_at', models.DateTimeField(help_text='From then on it signs nothing; empty while it is the newest.', null=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='secrets', to='metering.webhooksource')),
                ],
                options={
                    'ordering': ['-created_at', '-id'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('ends_at', None)), fields=('source',), name='metering_webhook_secret'), models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gte', models.F('created_at')), _connector='OR'), name='metering_webhook_secret_ends')],
                },
            ),
            migrations.CreateModel(
                name='AggregationSnapshot',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('cycle', 'Cycle close'), ('adjustment', 'Adjustment of a closed window'), ('interim', 'So far, of a window that still runs')], default='cycle', max_length=12)),
                    ('window_start', models.DateTimeField()),
                    ('window_end', models.DateTimeField()),
                    ('quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                    ('event_count', models.BigIntegerField()),
                    ('unmeasured_count', models.BigIntegerField(default=0, help_text='Of these, events without a value the meter can read (from before it was made); not in the quantity.')),
                    ('digest', models.CharField(help_text='SHA-256 over the fingerprints of its events in capture order.', max_length=64)),
                    ('taken_at', models.DateTimeField()),
                    ('retired_at', models.DateTimeField(help_text='Set once, when the draft that used it was discarded.', null=True)),
                    ('corrects', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrections', to='metering.aggregationsnapshot')),
                    ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.customer')),
                    ('meter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.meter')),
                    ('watermark', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.watermark')),
                    ('period_end', models.DateTimeField(help_text='Its end.', null=True)),
                    ('period_start', models.DateTimeField(help_text='Start of the whole period that levels are weighed over; empty: of the window.', null=True)),
                    ('time_zone', models.CharField(default='UTC', help_text='Whose days levels are weighed by.', max_length=60)),
                    ('meter_version', models.ForeignKey(help_text='What the meter measured at that time.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metering.meterversion')),
                    ('first_seq', models.BigIntegerField(default=0, help_text='No event of it has a lower number; 0 where that is not known. Reading it begins there.')),
                ],
                options={
                    'indexes': [models.Index(fields=['customer', 'meter', 'window_start'], name='metering_snapshot_window_idx')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('window_start__lt', models.F('window_end'))), name='metering_snapshot_window'), models.CheckConstraint(condition=models.Q(('event_count__gte', 0), ('quantity__range', ('-1e15', '1e15')), ('unmeasured_count__gte', 0)), name='metering_snapshot_bounds'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('kind', 'cycle'), ('retired_at', None)), expressions=[(metering.models.snapshots.IdRange('customer'), '='), (metering.models.snapshots.IdRange('meter'), '='), (metering.models.snapshots.TimeRange('window_start', 'window_end'), '&&')], name='metering_snapshot_one_live'), models.UniqueConstraint(condition=models.Q(('kind', 'adjustment')), fields=('corrects', 'watermark'), name='metering_snapshot_correction'), models.CheckConstraint(condition=models.Q(models.Q(('corrects', None), ('kind__in', ['cycle', 'interim'])), models.Q(('corrects__isnull', False), ('kind', 'adjustment')), _connector='OR'), name='metering_snapshot_kind')],
                },
            ),
            migrations.CreateModel(
                name='ArrivalProgress',
                fields=[
                    ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                    ('recorded_until', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='metering_arrival_progress_one')],
                },
            ),
            migrations.CreateModel(
                name='ArrivalMinute',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('minute', models.DateTimeField()),
                    ('accepted', models.PositiveIntegerField()),
                    ('duplicates', models.PositiveIntegerField()),
                    ('quarantined', models.PositiveIntegerField()),
                    ('lag_p50', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                    ('lag_p95', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                    ('lag_max', models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                    ('stream', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='minutes', to='metering.arrivalstream')),
                ],
                options={
                    'indexes': [models.Index(fields=['minute'], name='metering_arrival_minute')],
                    'constraints': [models.UniqueConstraint(fields=('stream', 'minute'), name='metering_arrival_minute_once', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='BulkDecision',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('action', models.CharField(choices=[('release', 'Check again and release'), ('discard', 'Discard')], max_length=10)),
                    ('code', models.CharField(help_text='The first reason of the events.', max_length=60)),
                    ('source', models.CharField(blank=True, max_length=200)),
                    ('event_type', models.CharField(blank=True, max_length=200)),
                    ('subject', models.CharField(help_text='Only events of this one, if there is one.', max_length=200, null=True)),
                    ('up_to_id', models.BigIntegerField(help_text='Events that came later are not part of it.')),
                    ('total', models.PositiveIntegerField()),
                    ('reason', models.TextField()),
                    ('started_at', models.DateTimeField()),
                    ('last_id', models.BigIntegerField(default=0, help_text='The last event that was decided.')),
                    ('accepted', models.PositiveIntegerField(default=0)),
                    ('duplicates', models.PositiveIntegerField(default=0)),
                    ('kept', models.PositiveIntegerField(default=0, help_text='Still break a rule, and wait on with their new reasons.')),
                    ('discarded', models.PositiveIntegerField(default=0)),
                    ('passed_over', models.PositiveIntegerField(default=0, help_text='Decided by somebody else meanwhile, or raced.')),
                    ('finished_at', models.DateTimeField(null=True)),
                    ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-id'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('action__in', ['release', 'discard'])), name='metering_bulk_action'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='metering_bulk_reason'), models.CheckConstraint(condition=models.Q(('finished_at', None), ('total', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('accepted'), '+', models.F('duplicates')), '+', models.F('kept')), '+', models.F('discarded')), '+', models.F('passed_over'))), _connector='OR'), name='metering_bulk_adds_up')],
                },
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='capturebatch',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9a0d85a694abbbaa7cf29af623831f8bc7e360b1', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_bc9b5', table='metering_capturebatch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='capturebatch',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='9f0fd6cef799976e1109da5b690b91ec7002a9af', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_01d7b', table='metering_capturebatch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventarchive',
                trigger=pgtrigger.compiler.Trigger(name='archive_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."month" IS DISTINCT FROM (NEW."month") OR OLD."file_name" IS DISTINCT FROM (NEW."file_name") OR OLD."file_sha256" IS DISTINCT FROM (NEW."file_sha256") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."event_count" IS DISTINCT FROM (NEW."event_count") OR OLD."first_seq" IS DISTINCT FROM (NEW."first_seq") OR OLD."last_seq" IS DISTINCT FROM (NEW."last_seq") OR OLD."detached_at" IS DISTINCT FROM (NEW."detached_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='289917b530f344d353e8580ea04df80db94f4c1d', operation='UPDATE', pgid='pgtrigger_archive_is_fixed_f9866', table='metering_eventarchive', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventarchive',
                trigger=pgtrigger.compiler.Trigger(name='attached_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."attached_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6e462212ed5118b4ac380db665a3390ea4b35c44', operation='UPDATE', pgid='pgtrigger_attached_once_d66e0', table='metering_eventarchive', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventarchive',
                trigger=pgtrigger.compiler.Trigger(name='archive_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f3ae2bdac61f5782d8efb1bc1fdb0ad5be795fa5', operation='DELETE', pgid='pgtrigger_archive_is_kept_3715e', table='metering_eventarchive', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventarchive',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5db23e1ac9c2ea93e5b30c94acf40ae19b832668', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_304be', table='metering_eventarchive', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventkey',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='04c4a9d7110f478150308b9445a3184ce0475b65', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1c4fb', table='metering_eventkey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventkey',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='37a5150d001db4c5e9b376abe05d3eae68172520', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a8ea8', table='metering_eventkey', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='shipment',
                trigger=pgtrigger.compiler.Trigger(name='shipment_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."first_seq" IS DISTINCT FROM (NEW."first_seq") OR OLD."last_seq" IS DISTINCT FROM (NEW."last_seq") OR OLD."event_count" IS DISTINCT FROM (NEW."event_count") OR OLD."noted_at" IS DISTINCT FROM (NEW."noted_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='0da25a82a2795c0190c15900f321c4375050cc5c', operation='UPDATE', pgid='pgtrigger_shipment_is_fixed_d7705', table='metering_shipment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='shipment',
                trigger=pgtrigger.compiler.Trigger(name='shipped_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."shipped_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f21c6248e200ba21552a1996f8c401c8f4edc774', operation='UPDATE', pgid='pgtrigger_shipped_once_5c22c', table='metering_shipment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='shipment',
                trigger=pgtrigger.compiler.Trigger(name='shipment_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c878b53d1b3c87575228c7b4603d0d1609d3afab', operation='DELETE', pgid='pgtrigger_shipment_is_kept_7459b', table='metering_shipment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='shipment',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='88c3d5b2f4086c39f420f92ae22a218b0d4fb450', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_5327c', table='metering_shipment', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='storeswitch',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='67537f4d73c405936fd22ee8745124b92b5d28fe', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_2c38b', table='metering_storeswitch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='storeswitch',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e9b4f8da3a4850d41db824dbdb9e62e6c9682cb9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4ebe5', table='metering_storeswitch', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='watermark',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='532caa61a8ef2f4f99c5eb1b5c56ff1ea5f8b86a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_96e37', table='metering_watermark', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='watermark',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e20dae9f3f5ef85da656f0856cae1e03fd4b419b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_39750', table='metering_watermark', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksource',
                trigger=pgtrigger.compiler.Trigger(name='code_is_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='f491dfebe4f8828f35f4ab2acfe68106ead0cfb9', operation='UPDATE', pgid='pgtrigger_code_is_for_ever_c32a0', table='metering_webhooksource', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksource',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='fc23fee20cb6fda2fa655f306cb24edb903cd963', operation='DELETE', pgid='pgtrigger_no_delete_ae586', table='metering_webhooksource', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksource',
                trigger=pgtrigger.compiler.Trigger(name='closed_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."closed_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ad688ef85342d9a186ce299c7fd84645ef2707e6', operation='UPDATE', pgid='pgtrigger_closed_for_ever_bb76b', table='metering_webhooksource', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksource',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5dac958b73fa65bf418b7f2bdbd08f3d0fc4b782', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_9d775', table='metering_webhooksource', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='arrivalminute',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9cfbffb975d0e9547b650569ff7583714909aabe', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9422d', table='metering_arrivalminute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='arrivalminute',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='f1f03d88cf5e014aa1a3a2dd916da933e822ea23', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c16fe', table='metering_arrivalminute', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='backfill',
                trigger=pgtrigger.compiler.Trigger(name='batch_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."created_by_id" IS DISTINCT FROM (NEW."created_by_id") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a23ce46453d49b33e34d8c466e79d4dd68489b7d', operation='UPDATE', pgid='pgtrigger_batch_is_fixed_4fff1', table='metering_backfill', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='backfill',
                trigger=pgtrigger.compiler.Trigger(name='status_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{open:sealed,open:reverted,sealed:approved,sealed:reverted}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='2008bd932765391f4ea8a14b814f24faebb5c2bb', operation='UPDATE', pgid='pgtrigger_status_moves_d6016', table='metering_backfill', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='backfill',
                trigger=pgtrigger.compiler.Trigger(name='batch_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='25e120dd67fe68597ef79ceae415846d4e422637', operation='DELETE', pgid='pgtrigger_batch_is_kept_b6c6d', table='metering_backfill', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='backfill',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='fb49322e83d8f04773d22b77a4fbb80b1f55beb2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0b72a', table='metering_backfill', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkdecision',
                trigger=pgtrigger.compiler.Trigger(name='decision_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."event_type" IS DISTINCT FROM (NEW."event_type") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."up_to_id" IS DISTINCT FROM (NEW."up_to_id") OR OLD."total" IS DISTINCT FROM (NEW."total") OR OLD."action" IS DISTINCT FROM (NEW."action") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."started_by_id" IS DISTINCT FROM (NEW."started_by_id") OR OLD."started_at" IS DISTINCT FROM (NEW."started_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3c52e387b4d60656606670e7b248add0d82d72b7', operation='UPDATE', pgid='pgtrigger_decision_is_fixed_283bc', table='metering_bulkdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkdecision',
                trigger=pgtrigger.compiler.Trigger(name='decision_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='fffbcd6f6401f4c8a2fd85303260298f673433b1', operation='DELETE', pgid='pgtrigger_decision_is_kept_ed877', table='metering_bulkdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='bulkdecision',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='48a703298c98778be0f534f5022f5d99d78f102b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_6239a', table='metering_bulkdecision', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcontract',
                trigger=pgtrigger.compiler.Trigger(name='type_is_for_ever', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."event_type" IS DISTINCT FROM (NEW."event_type"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='ce290442ac5c43428c5c49951fd2a1d9547ad8c8', operation='UPDATE', pgid='pgtrigger_type_is_for_ever_ec881', table='metering_eventcontract', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcontract',
                trigger=pgtrigger.compiler.Trigger(name='contract_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='800a060369e4e4b18ec032193fa97e3e4a74fb5e', operation='DELETE', pgid='pgtrigger_contract_is_kept_4344f', table='metering_eventcontract', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcontract',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='1fdb92333c6dec79d17e22ecf9ded5285b1d176b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c0b87', table='metering_eventcontract', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcontractversion',
                trigger=pgtrigger.compiler.Trigger(name='content_fixed_once_active', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'draft\') AND (OLD."contract_id" IS DISTINCT FROM (NEW."contract_id") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."schema" IS DISTINCT FROM (NEW."schema") OR OLD."billing_fields" IS DISTINCT FROM (NEW."billing_fields") OR OLD."context_fields" IS DISTINCT FROM (NEW."context_fields") OR OLD."valid_examples" IS DISTINCT FROM (NEW."valid_examples") OR OLD."invalid_examples" IS DISTINCT FROM (NEW."invalid_examples") OR OLD."accepts_past_days" IS DISTINCT FROM (NEW."accepts_past_days") OR OLD."accepts_future_seconds" IS DISTINCT FROM (NEW."accepts_future_seconds") OR NEW."status" = \'draft\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a3c171f45d7db2d972b01ee97c1153c1c8365bdf', operation='UPDATE', pgid='pgtrigger_content_fixed_once_active_ef5c1', table='metering_eventcontractversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcontractversion',
                trigger=pgtrigger.compiler.Trigger(name='version_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='ce7cc6c985a49f97d63c4809f365c589aaec9a7b', operation='DELETE', pgid='pgtrigger_version_is_kept_09f57', table='metering_eventcontractversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcontractversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='07b4f058ed734543e6d30c0543c70dea2468984b', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_f7cb7', table='metering_eventcontractversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcorrection',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='731fa3b31701f636c32b83a27014c40ad76da90c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a6a46', table='metering_eventcorrection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='eventcorrection',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='6dc2167d338607d899753b78fe5c4e7511433946', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4d64c', table='metering_eventcorrection', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='healthpolicy',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='34298e1de6d4e6f60542f5a2762f9c20ed7857f4', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_d7dde', table='metering_healthpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='healthpolicy',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='b79d9f6d7712c52b8255899dc1a4d5c8e4338b7a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_6a649', table='metering_healthpolicy', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meter',
                trigger=pgtrigger.compiler.Trigger(name='subject_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."contract_id" IS DISTINCT FROM (NEW."contract_id") OR OLD."unit" IS DISTINCT FROM (NEW."unit"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='2c1b45bb6a9d1a11023aa162216606e0883eba0a', operation='UPDATE', pgid='pgtrigger_subject_is_fixed_f101f', table='metering_meter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meter',
                trigger=pgtrigger.compiler.Trigger(name='meter_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c15f2e907eacfff33527de0e04559f52f4f2f7e2', operation='DELETE', pgid='pgtrigger_meter_is_kept_0fd62', table='metering_meter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meter',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='dfb676a22fcacb52f810143c2f0586325a567092', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_226d6', table='metering_meter', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meterversion',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."meter_id" IS DISTINCT FROM (NEW."meter_id") OR OLD."version" IS DISTINCT FROM (NEW."version") OR OLD."effective_at" IS DISTINCT FROM (NEW."effective_at") OR OLD."definition" IS DISTINCT FROM (NEW."definition") OR OLD."exclusions" IS DISTINCT FROM (NEW."exclusions") OR OLD."aggregation" IS DISTINCT FROM (NEW."aggregation") OR OLD."value_property" IS DISTINCT FROM (NEW."value_property") OR OLD."operation_property" IS DISTINCT FROM (NEW."operation_property") OR OLD."is_recurring" IS DISTINCT FROM (NEW."is_recurring") OR OLD."filters" IS DISTINCT FROM (NEW."filters") OR OLD."group_by" IS DISTINCT FROM (NEW."group_by") OR OLD."negative_total" IS DISTINCT FROM (NEW."negative_total") OR OLD."tie_break" IS DISTINCT FROM (NEW."tie_break") OR OLD."decimals" IS DISTINCT FROM (NEW."decimals") OR OLD."rounding" IS DISTINCT FROM (NEW."rounding") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='30cf8eb7fc3a36c994bdff013119983b0ff6658c', operation='UPDATE', pgid='pgtrigger_content_is_fixed_e8403', table='metering_meterversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meterversion',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'proposed\') AND (OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."decided_by_id" IS DISTINCT FROM (NEW."decided_by_id") OR OLD."decided_at" IS DISTINCT FROM (NEW."decided_at") OR OLD."decision_reason" IS DISTINCT FROM (NEW."decision_reason")))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='552277b012d4aae924c26c9f1ee227baeb5d7e9f', operation='UPDATE', pgid='pgtrigger_decided_once_1032a', table='metering_meterversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meterversion',
                trigger=pgtrigger.compiler.Trigger(name='owner_approves', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" = \'approved\' AND OLD."status" = \'proposed\')', func="\n                IF NEW.decided_by_id IS DISTINCT FROM (SELECT owner_id FROM metering_meter WHERE id = NEW.meter_id) THEN\n                    RAISE EXCEPTION 'only the owner of a meter approves its versions'\n                        USING ERRCODE = 'integrity_constraint_violation';\n                END IF;\n                RETURN NEW;\n                ", hash='b843d860eab46e23bab1a0dda2945d0e687257c2', operation='UPDATE', pgid='pgtrigger_owner_approves_8492b', table='metering_meterversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meterversion',
                trigger=pgtrigger.compiler.Trigger(name='changes_are_proposed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."version" > 1 AND NOT (NEW."status" = \'proposed\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='6b53f526e6b7fa6c8be13d302a9507f3cfda43f3', operation='INSERT', pgid='pgtrigger_changes_are_proposed_8cd4e', table='metering_meterversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meterversion',
                trigger=pgtrigger.compiler.Trigger(name='version_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='20e0b730c0b1a65a2134a239599687dc9666f187', operation='DELETE', pgid='pgtrigger_version_is_kept_324a0', table='metering_meterversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='meterversion',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5066139555338fea54fb502610ca873aa8a19660', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_11dbe', table='metering_meterversion', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quarantinedevent',
                trigger=pgtrigger.compiler.Trigger(name='kept_as_sent', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."source" IS DISTINCT FROM (NEW."source") OR OLD."event_id" IS DISTINCT FROM (NEW."event_id") OR OLD."event_type" IS DISTINCT FROM (NEW."event_type") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."raw" IS DISTINCT FROM (NEW."raw") OR OLD."raw_hash" IS DISTINCT FROM (NEW."raw_hash") OR OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."received_at" IS DISTINCT FROM (NEW."received_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='71f28ea8be150b2faba44237714e998b0c20bd01', operation='UPDATE', pgid='pgtrigger_kept_as_sent_63a27', table='metering_quarantinedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quarantinedevent',
                trigger=pgtrigger.compiler.Trigger(name='decided_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."status" = \'open\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='3926be456a514ae929a72a4e8c48054b6f12901e', operation='UPDATE', pgid='pgtrigger_decided_once_6664a', table='metering_quarantinedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quarantinedevent',
                trigger=pgtrigger.compiler.Trigger(name='quarantine_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='1488074388320ce6f7002f77206a56c5c3b20c2a', operation='DELETE', pgid='pgtrigger_quarantine_is_kept_5f852', table='metering_quarantinedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='quarantinedevent',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='e637aedff8aa971dbedaad932b391b71024f31b1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_4c375', table='metering_quarantinedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewitem',
                trigger=pgtrigger.compiler.Trigger(name='finding_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."stream_id" IS DISTINCT FROM (NEW."stream_id") OR OLD."policy_id" IS DISTINCT FROM (NEW."policy_id") OR OLD."minute" IS DISTINCT FROM (NEW."minute") OR OLD."before" IS DISTINCT FROM (NEW."before") OR OLD."now" IS DISTINCT FROM (NEW."now") OR OLD."chance" IS DISTINCT FROM (NEW."chance") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='c45272e2c37d68e8cd2de4b406b81c383b0f8df1', operation='UPDATE', pgid='pgtrigger_finding_is_kept_6f660', table='metering_reviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewitem',
                trigger=pgtrigger.compiler.Trigger(name='review_is_kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='26d5270bd3cf19b2c14c2fe4d8515587af692271', operation='DELETE', pgid='pgtrigger_review_is_kept_67a01', table='metering_reviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewitem',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='c4f345c113e06d9c4ed1c479ecb64abec96f1a17', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_46583', table='metering_reviewitem', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='alertdelivery',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='17b08a83cb4ce64085d14de351edde4faed78e41', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e6dc3', table='metering_alertdelivery', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='alertdelivery',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3f1d053e8133b7bbb9b82c89f53966f1e7e57d00', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_63ed0', table='metering_alertdelivery', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewstep',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6cc6c08593264f969fde0de3413695406865b297', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_d0856', table='metering_reviewstep', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='reviewstep',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='5feef9966cdbcc05249234a162501a1d63bfa7f5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_aee0f', table='metering_reviewstep', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rolluprepair',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a6e9a49d956aad7d37bc26201c1f69b5101575a3', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_4f785', table='metering_rolluprepair', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='rolluprepair',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='4d10a2b1f0ed86ccfddc15baa20bb4ee1faca5b1', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0751a', table='metering_rolluprepair', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagedevent',
                trigger=pgtrigger.compiler.Trigger(name='only_while_open', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    PERFORM 1 FROM metering_backfill WHERE id = NEW.backfill_id AND status = 'open' FOR SHARE;\n    IF NOT FOUND THEN\n        RAISE EXCEPTION 'backfill % takes no events any more', NEW.backfill_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN NEW;\n", hash='dd468cc2bdf1510784e49b55700e255dfc4838bc', operation='INSERT', pgid='pgtrigger_only_while_open_04ac8', table='metering_stagedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagedevent',
                trigger=pgtrigger.compiler.Trigger(name='content_is_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='068c5c2009f823a7c53162ad75b5c214fd684332', operation='UPDATE', pgid='pgtrigger_content_is_fixed_e4388', table='metering_stagedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagedevent',
                trigger=pgtrigger.compiler.Trigger(name='cleared_when_decided', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF EXISTS (SELECT 1 FROM metering_backfill WHERE id = OLD.backfill_id AND status NOT IN ('approved', 'reverted'))\n    THEN\n        RAISE EXCEPTION 'the events of backfill % wait for a decision', OLD.backfill_id\n            USING ERRCODE = 'integrity_constraint_violation';\n    END IF;\n    RETURN OLD;\n", hash='5e2d1ea3d01b1db5859011b6bcc15dea4f824cd8', operation='DELETE', pgid='pgtrigger_cleared_when_decided_b99d0', table='metering_stagedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='stagedevent',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='af42fb4c3d7f7e4811479a90a5a385ff72063431', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_366ce', table='metering_stagedevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='usageevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='3149465d61885616ee45e2da47378334a2b1d138', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_81632', table='metering_usageevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='usageevent',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='60e929d9f3900020e584622ebb6e5490aff326de', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a2240', table='metering_usageevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='aggregationsnapshot',
                trigger=pgtrigger.compiler.Trigger(name='facts_are_fixed', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id") OR OLD."meter_id" IS DISTINCT FROM (NEW."meter_id") OR OLD."window_start" IS DISTINCT FROM (NEW."window_start") OR OLD."window_end" IS DISTINCT FROM (NEW."window_end") OR OLD."meter_version_id" IS DISTINCT FROM (NEW."meter_version_id") OR OLD."period_start" IS DISTINCT FROM (NEW."period_start") OR OLD."period_end" IS DISTINCT FROM (NEW."period_end") OR OLD."time_zone" IS DISTINCT FROM (NEW."time_zone") OR OLD."watermark_id" IS DISTINCT FROM (NEW."watermark_id") OR OLD."corrects_id" IS DISTINCT FROM (NEW."corrects_id") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."event_count" IS DISTINCT FROM (NEW."event_count") OR OLD."unmeasured_count" IS DISTINCT FROM (NEW."unmeasured_count") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."first_seq" IS DISTINCT FROM (NEW."first_seq") OR OLD."taken_at" IS DISTINCT FROM (NEW."taken_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='1c9d1e2c3a58f87d02ad47b52fe1c210d644c5b4', operation='UPDATE', pgid='pgtrigger_facts_are_fixed_7490f', table='metering_aggregationsnapshot', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='aggregationsnapshot',
                trigger=pgtrigger.compiler.Trigger(name='retired_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."retired_at" IS NOT NULL)', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='117421eee57a8609306729e5cf2d0f8290c75986', operation='UPDATE', pgid='pgtrigger_retired_once_34f4a', table='metering_aggregationsnapshot', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='aggregationsnapshot',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='f01dfbb1ba5e49569950e6a8447fd23f08f08967', operation='DELETE', pgid='pgtrigger_no_delete_13d86', table='metering_aggregationsnapshot', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='aggregationsnapshot',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3c409bed8c1dacf15294f9d9d39fdf69f0a0397a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_a2ebb', table='metering_aggregationsnapshot', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='aggregationsnapshot',
                trigger=pgtrigger.compiler.Trigger(name='version_in_force', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF EXISTS (\n        SELECT FROM taken JOIN metering_meterversion own ON own.id = taken.meter_version_id\n        WHERE own.meter_id <> taken.meter_id OR own.status <> 'approved'\n           OR (taken.kind <> 'adjustment' AND own.effective_at > taken.window_start)\n           OR (taken.kind <> 'adjustment' AND EXISTS (\n                SELECT FROM metering_meterversion later\n                WHERE later.meter_id = own.meter_id AND later.status = 'approved'\n                  AND (later.effective_at, later.version) > (own.effective_at, own.version)\n                  AND later.effective_at < taken.window_end\n                  AND (later.aggregation, later.value_property, later.operation_property, later.is_recurring, later.filters, later.group_by, later.negative_total, later.tie_break, later.decimals, later.rounding) IS DISTINCT FROM (own.aggregation, own.value_property, own.operation_property, own.is_recurring, own.filters, own.group_by, own.negative_total, own.tie_break, own.decimals, own.rounding)))\n           OR (taken.kind = 'adjustment' AND own.id <> (\n                SELECT base.meter_version_id FROM metering_aggregationsnapshot base WHERE base.id = taken.corrects_id))\n    ) THEN\n        RAISE EXCEPTION 'a snapshot names a meter version that was not in force throughout its window'\n            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'metering_snapshot_version';\n    END IF;\n    RETURN NULL;\n    ", hash='4f8b232885171f7259d0b6c197d4abe031f8202f', level='STATEMENT', operation='INSERT', pgid='pgtrigger_version_in_force_46011', referencing='REFERENCING NEW TABLE AS taken ', table='metering_aggregationsnapshot', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksecret',
                trigger=pgtrigger.compiler.Trigger(name='made_once', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."source_id" IS DISTINCT FROM (NEW."source_id") OR OLD."nonce" IS DISTINCT FROM (NEW."nonce") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='a2ab553ee57b85bb554a55176b446bafd22e2cd2', operation='UPDATE', pgid='pgtrigger_made_once_79f6e', table='metering_webhooksecret', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksecret',
                trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='6fa3f5d90cd35428ebbbdb408c7cb043efa8328f', operation='DELETE', pgid='pgtrigger_no_delete_f246d', table='metering_webhooksecret', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='webhooksecret',
                trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;", hash='3405c97fc7e5af1a969fc8829af037bfc8115324', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_c8058', table='metering_webhooksecret', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL(FIRST_POLICY, migrations.RunSQL.noop),
    ]
