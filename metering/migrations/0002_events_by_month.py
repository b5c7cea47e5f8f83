"""Raw events in one table per month of event time; identities say when, and with what content, their event came.

The rows are rewritten once, about a minute for five million; nobody can capture meanwhile.
"""

from typing import Any

from django.db import migrations, models

ADD_PARTITION = """
CREATE FUNCTION metering_add_partition(month date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'metering_usageevent_' || to_char(month, 'YYYYMM');
    first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    last timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    moved bigint;
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE metering_usageevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    -- Rows that came while their month had no table move over as they are; nothing else may delete an event.
    PERFORM set_config('pgtrigger.ignore', '{pgtrigger_append_only_81632}', true);
    EXECUTE format('WITH moved AS (
            DELETE FROM metering_usageevent_rest WHERE occurred_at >= $1 AND occurred_at < $2 RETURNING *
        ) INSERT INTO %I SELECT * FROM moved', partition) USING first, last;
    GET DIAGNOSTICS moved = ROW_COUNT;
    PERFORM set_config('pgtrigger.ignore', '{}', true);
    EXECUTE format('ALTER TABLE metering_usageevent ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first, last);
    PERFORM metering_guard_partition(partition);
    RETURN moved;
END
$$;
"""
# A trigger on the whole for TRUNCATE is not one on its parts; the ones for rows are.
GUARD_PARTITION = """
CREATE FUNCTION metering_guard_partition(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER pgtrigger_no_truncate_a2240 BEFORE TRUNCATE ON %I
                    FOR EACH STATEMENT EXECUTE FUNCTION pgtrigger_no_truncate_a2240()', partition);
END
$$;
"""
TRIGGERS = """
SELECT pg_get_triggerdef(oid), tgname, obj_description(oid, 'pg_trigger') FROM pg_trigger
WHERE tgrelid = 'metering_usageevent'::regclass AND NOT tgisinternal ORDER BY tgname
"""
SPLIT = """
ALTER TABLE metering_usageevent RENAME TO metering_usageevent_whole;
ALTER TABLE metering_usageevent_whole ALTER COLUMN seq DROP IDENTITY;
ALTER INDEX metering_event_usage RENAME TO metering_event_usage_whole;
ALTER INDEX metering_event_time RENAME TO metering_event_time_whole;
ALTER INDEX metering_usageevent_pkey RENAME TO metering_usageevent_whole_pkey;
CREATE SEQUENCE metering_usageevent_seq_seq;
CREATE TABLE metering_usageevent (LIKE metering_usageevent_whole) PARTITION BY RANGE (occurred_at);
ALTER TABLE metering_usageevent ALTER COLUMN seq SET DEFAULT nextval('metering_usageevent_seq_seq');
ALTER SEQUENCE metering_usageevent_seq_seq OWNED BY metering_usageevent.seq;
-- A unique index of a partitioned table holds the column that it is parted by.
ALTER TABLE metering_usageevent ADD CONSTRAINT metering_usageevent_pkey PRIMARY KEY (seq, occurred_at);
CREATE TABLE metering_usageevent_rest PARTITION OF metering_usageevent DEFAULT;
"""
FILL = """
SELECT metering_add_partition(month::date) FROM (
    SELECT DISTINCT date_trunc('month', occurred_at AT TIME ZONE 'UTC') AS month FROM metering_usageevent_whole
    UNION SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month'
    FROM generate_series(0, 2) AS ahead
) months ORDER BY month;
INSERT INTO metering_usageevent SELECT * FROM metering_usageevent_whole ORDER BY seq;
SELECT setval('metering_usageevent_seq_seq', greatest(max(seq), 1), max(seq) IS NOT NULL)
FROM metering_usageevent_whole;
DROP TABLE metering_usageevent_whole;
CREATE INDEX metering_event_usage ON metering_usageevent (customer_id, contract_id, occurred_at) INCLUDE (seq);
CREATE INDEX metering_event_time ON metering_usageevent USING brin (occurred_at) WITH (autosummarize = on);
"""
KEYS = """
ALTER TABLE metering_eventkey ADD occurred_at timestamptz, ADD batch_id bigint, ADD fingerprint bytea;
ALTER TABLE metering_eventkey DISABLE TRIGGER USER;
UPDATE metering_eventkey AS key
SET occurred_at = event.occurred_at, batch_id = event.batch_id, fingerprint = event.fingerprint
FROM metering_usageevent AS event WHERE event.seq = key.seq;
ALTER TABLE metering_eventkey ENABLE TRIGGER USER;
ALTER TABLE metering_eventkey ALTER occurred_at SET NOT NULL, ALTER batch_id SET NOT NULL,
                              ALTER fingerprint SET NOT NULL;
"""


def split_events(_apps: Any, schema_editor: Any) -> None:
    """Rename the table, make the parted one in its place with all that hung on it, and move the rows over."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        triggers = cursor.fetchall()
        cursor.execute(SPLIT)
        cursor.execute(GUARD_PARTITION)
        cursor.execute("SELECT metering_guard_partition('metering_usageevent_rest')")
        cursor.execute(ADD_PARTITION)
        for definition, _name, _says in triggers:
            cursor.execute(definition)
        cursor.execute(FILL)
        for _definition, name, says in triggers:
            cursor.execute(f"COMMENT ON TRIGGER {name} ON metering_usageevent IS '{says}'")  # the library's own hash
        cursor.execute(KEYS)


class Migration(migrations.Migration):
    dependencies = [("metering", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(split_events)],
            state_operations=[
                migrations.AddField("eventkey", "occurred_at", models.DateTimeField(), preserve_default=False),
                migrations.AddField("eventkey", "batch_id", models.BigIntegerField(), preserve_default=False),
                migrations.AddField(
                    "eventkey", "fingerprint", models.BinaryField(max_length=32), preserve_default=False
                ),
            ],
        ),
    ]
