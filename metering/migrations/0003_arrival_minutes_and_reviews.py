"""Minutes of capture, the policy that they are watched by, and what is to be reviewed."""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# The first version; later ones are made by people. One test of one stream alarms by luck once in ten million; there are
# four of them a minute and 525,960 minutes a year, so a stream alarms by luck at most 0.22 times a year.
FIRST_POLICY = """
INSERT INTO metering_healthpolicy (version, window_minutes, baseline_minutes, false_alarm_rate, events_min,
                                   share_shift_min, lag_shift_min, silence_days, silence_minutes_min, gaps_min, reason)
VALUES (1, 5, 120, 0.0000001, 50, 0.02, 10, 7, 5, 20, 'What every installation starts with.')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0002_events_by_month"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ArrivalProgress",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("recorded_until", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="metering_arrival_progress_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="ArrivalStream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(blank=True, max_length=200)),
                ("event_type", models.CharField(blank=True, max_length=200)),
                ("first_minute", models.DateTimeField()),
                ("last_minute", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["last_minute"], name="metering_stream_last")],
                "constraints": [models.UniqueConstraint(fields=("source", "event_type"), name="metering_stream_once")],
            },
        ),
        migrations.CreateModel(
            name="HealthPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField(unique=True)),
                ("window_minutes", models.PositiveIntegerField(help_text="The minutes that are looked at.")),
                (
                    "baseline_minutes",
                    models.PositiveIntegerField(help_text="The minutes before them that they are held against."),
                ),
                (
                    "false_alarm_rate",
                    models.DecimalField(
                        decimal_places=10,
                        help_text="The chance that one test of one stream in one minute alarms by luck.",
                        max_digits=12,
                    ),
                ),
                (
                    "events_min",
                    models.PositiveIntegerField(help_text="With fewer events, now or before, rates are not judged."),
                ),
                (
                    "share_shift_min",
                    models.DecimalField(
                        decimal_places=4,
                        help_text="Smaller changes of a rate are no shift, however certain.",
                        max_digits=5,
                    ),
                ),
                (
                    "lag_shift_min",
                    models.DecimalField(
                        decimal_places=3, help_text="In seconds: smaller rises of the lag are no shift.", max_digits=10
                    ),
                ),
                (
                    "silence_days",
                    models.PositiveIntegerField(help_text="How far back the pauses of a stream are known."),
                ),
                ("silence_minutes_min", models.PositiveIntegerField(help_text="Shorter silences are none.")),
                ("gaps_min", models.PositiveIntegerField(help_text="A stream with fewer pauses has no rhythm yet.")),
                ("reason", models.TextField(help_text="Why it was made.")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "health policies",
                "ordering": ["-version"],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("acceptance_fell", "Acceptance rate fell"),
                            ("duplicates_rose", "Duplicates rose"),
                            ("duplicates_fell", "Duplicates fell"),
                            ("lag_rose", "Lag rose"),
                            ("silent", "Source fell silent"),
                        ],
                        max_length=20,
                    ),
                ),
                ("minute", models.DateTimeField(help_text="The end of the minutes in which it was seen first.")),
                (
                    "last_seen_at",
                    models.DateTimeField(help_text="The same, seen last; while it goes on no second item is opened."),
                ),
                ("before", models.CharField(max_length=200)),
                ("now", models.CharField(max_length=200)),
                (
                    "chance",
                    models.CharField(help_text="Of the same figures by luck, had nothing changed.", max_length=20),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("taken", "Being looked at"), ("resolved", "Resolved")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="metering.healthpolicy"
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="review_items",
                        to="metering.arrivalstream",
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="AlertDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(choices=[("email", "E-mail"), ("slack", "Slack")], max_length=10)),
                ("sent_to", models.CharField(max_length=1000)),
                ("delivered_at", models.DateTimeField()),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="alerts", to="metering.reviewitem"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "alert deliveries",
            },
        ),
        migrations.CreateModel(
            name="ReviewStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status_before",
                    models.CharField(
                        blank=True,
                        choices=[("open", "Open"), ("taken", "Being looked at"), ("resolved", "Resolved")],
                        max_length=10,
                    ),
                ),
                (
                    "status_after",
                    models.CharField(
                        choices=[("open", "Open"), ("taken", "Being looked at"), ("resolved", "Resolved")],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="metering.reviewitem"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ArrivalMinute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minute", models.DateTimeField()),
                ("accepted", models.PositiveIntegerField()),
                ("duplicates", models.PositiveIntegerField()),
                ("quarantined", models.PositiveIntegerField()),
                ("lag_p50", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("lag_p95", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                ("lag_max", models.DecimalField(decimal_places=6, max_digits=20, null=True)),
                (
                    "stream",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="minutes",
                        to="metering.arrivalstream",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["minute"], name="metering_arrival_minute")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("stream", "minute"), name="metering_arrival_minute_once", nulls_distinct=False
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="arrivalminute",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9cfbffb975d0e9547b650569ff7583714909aabe",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_9422d",
                    table="metering_arrivalminute",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="arrivalminute",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="f1f03d88cf5e014aa1a3a2dd916da933e822ea23",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_c16fe",
                    table="metering_arrivalminute",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="healthpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("baseline_minutes__range", (10, 1440)),
                    ("false_alarm_rate__gt", 0),
                    ("false_alarm_rate__lte", Decimal("0.01")),
                    ("gaps_min__gte", 1),
                    ("share_shift_min__range", (0, 1)),
                    ("silence_days__range", (1, 31)),
                    ("window_minutes__range", (1, 60)),
                    ("baseline_minutes__gt", models.F("window_minutes")),
                ),
                name="metering_health_policy_usable",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="healthpolicy",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="34298e1de6d4e6f60542f5a2762f9c20ed7857f4",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d7dde",
                    table="metering_healthpolicy",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="healthpolicy",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="b79d9f6d7712c52b8255899dc1a4d5c8e4338b7a",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_6a649",
                    table="metering_healthpolicy",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["stream", "kind", "-last_seen_at"], name="metering_review_episode"),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "resolved"), _negated=True),
                fields=("kind", "stream"),
                name="metering_review_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner", None), ("status", "open")),
                    models.Q(("owner__isnull", False), ("status__in", ["taken", "resolved"])),
                    _connector="OR",
                ),
                name="metering_review_status",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reviewitem",
            trigger=pgtrigger.compiler.Trigger(
                name="finding_is_kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."stream_id" IS DISTINCT FROM (NEW."stream_id") OR OLD."policy_id" IS DISTINCT FROM (NEW."policy_id") OR OLD."minute" IS DISTINCT FROM (NEW."minute") OR OLD."before" IS DISTINCT FROM (NEW."before") OR OLD."now" IS DISTINCT FROM (NEW."now") OR OLD."chance" IS DISTINCT FROM (NEW."chance") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="c45272e2c37d68e8cd2de4b406b81c383b0f8df1",
                    operation="UPDATE",
                    pgid="pgtrigger_finding_is_kept_6f660",
                    table="metering_reviewitem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reviewitem",
            trigger=pgtrigger.compiler.Trigger(
                name="review_is_kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="26d5270bd3cf19b2c14c2fe4d8515587af692271",
                    operation="DELETE",
                    pgid="pgtrigger_review_is_kept_67a01",
                    table="metering_reviewitem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reviewitem",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="c4f345c113e06d9c4ed1c479ecb64abec96f1a17",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_46583",
                    table="metering_reviewitem",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="alertdelivery",
            constraint=models.UniqueConstraint(fields=("item", "channel"), name="metering_alert_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alertdelivery",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="17b08a83cb4ce64085d14de351edde4faed78e41",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e6dc3",
                    table="metering_alertdelivery",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="alertdelivery",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="3f1d053e8133b7bbb9b82c89f53966f1e7e57d00",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_63ed0",
                    table="metering_alertdelivery",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status_after", "resolved"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="metering_review_resolved_with_reason",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reviewstep",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="6cc6c08593264f969fde0de3413695406865b297",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d0856",
                    table="metering_reviewstep",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="reviewstep",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="5feef9966cdbcc05249234a162501a1d63bfa7f5",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_aee0f",
                    table="metering_reviewstep",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(FIRST_POLICY, migrations.RunSQL.noop),
    ]
