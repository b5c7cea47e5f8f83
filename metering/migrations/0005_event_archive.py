"""Months of raw events that were put away into files."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0004_event_corrections"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventArchive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "month",
                    models.DateField(
                        help_text="Its first day; a month may be put away more than once, with what came since."
                    ),
                ),
                ("file_name", models.CharField(max_length=200, unique=True)),
                ("file_sha256", models.CharField(max_length=64)),
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 over every column of every row, in the file's order.", max_length=64
                    ),
                ),
                ("event_count", models.BigIntegerField()),
                ("first_seq", models.BigIntegerField()),
                ("last_seq", models.BigIntegerField()),
                ("detached_at", models.DateTimeField()),
                (
                    "attached_at",
                    models.DateTimeField(help_text="Set once, when the rows went back into the table.", null=True),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("event_count__gt", 0), ("first_seq__lte", models.F("last_seq"))),
                        name="metering_archive_has_events",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="eventarchive",
            trigger=pgtrigger.compiler.Trigger(
                name="archive_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."month" IS DISTINCT FROM (NEW."month") OR OLD."file_name" IS DISTINCT FROM (NEW."file_name") OR OLD."file_sha256" IS DISTINCT FROM (NEW."file_sha256") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."event_count" IS DISTINCT FROM (NEW."event_count") OR OLD."first_seq" IS DISTINCT FROM (NEW."first_seq") OR OLD."last_seq" IS DISTINCT FROM (NEW."last_seq") OR OLD."detached_at" IS DISTINCT FROM (NEW."detached_at"))',  # noqa: E501  as pgtrigger writes it
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="289917b530f344d353e8580ea04df80db94f4c1d",
                    operation="UPDATE",
                    pgid="pgtrigger_archive_is_fixed_f9866",
                    table="metering_eventarchive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="eventarchive",
            trigger=pgtrigger.compiler.Trigger(
                name="attached_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."attached_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="6e462212ed5118b4ac380db665a3390ea4b35c44",
                    operation="UPDATE",
                    pgid="pgtrigger_attached_once_d66e0",
                    table="metering_eventarchive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="eventarchive",
            trigger=pgtrigger.compiler.Trigger(
                name="archive_is_kept",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="f3ae2bdac61f5782d8efb1bc1fdb0ad5be795fa5",
                    operation="DELETE",
                    pgid="pgtrigger_archive_is_kept_3715e",
                    table="metering_eventarchive",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="eventarchive",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
                    hash="5db23e1ac9c2ea93e5b30c94acf40ae19b832668",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_304be",
                    table="metering_eventarchive",
                    when="BEFORE",
                ),
            ),
        ),
    ]
