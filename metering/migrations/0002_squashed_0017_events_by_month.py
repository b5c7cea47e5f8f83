"""Raw events in one table per month of event time, which Django cannot declare: the empty table is made again, parted."""

from typing import Any

from django.db import migrations

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
PART = """
ALTER TABLE metering_usageevent RENAME TO metering_usageevent_whole;
ALTER TABLE metering_usageevent_whole ALTER COLUMN seq DROP IDENTITY;
CREATE TABLE metering_usageevent (LIKE metering_usageevent_whole) PARTITION BY RANGE (occurred_at);
DROP TABLE metering_usageevent_whole;
CREATE SEQUENCE metering_usageevent_seq_seq OWNED BY metering_usageevent.seq;
ALTER TABLE metering_usageevent ALTER COLUMN seq SET DEFAULT nextval('metering_usageevent_seq_seq');
-- A unique index of a partitioned table holds the column that it is parted by.
ALTER TABLE metering_usageevent ADD CONSTRAINT metering_usageevent_pkey PRIMARY KEY (seq, occurred_at);
CREATE INDEX metering_event_usage ON metering_usageevent (customer_id, contract_id, occurred_at) INCLUDE (seq);
CREATE INDEX metering_event_time ON metering_usageevent USING brin (occurred_at) WITH (autosummarize = on);
CREATE TABLE metering_usageevent_rest PARTITION OF metering_usageevent DEFAULT;
"""
ADD_MONTHS = """
SELECT metering_add_partition((date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month')::date)
FROM generate_series(0, 2) AS ahead
"""


def part_events(_apps: Any, schema_editor: Any) -> None:
    """Make the parted table in the place of the whole one, with all that hung on it, and the first months."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TRIGGERS)
        triggers = cursor.fetchall()
        cursor.execute(PART)
        cursor.execute(GUARD_PARTITION)
        cursor.execute("SELECT metering_guard_partition('metering_usageevent_rest')")
        cursor.execute(ADD_PARTITION)
        for definition, _name, _says in triggers:
            cursor.execute(definition)
        for _definition, name, says in triggers:
            cursor.execute(f"COMMENT ON TRIGGER {name} ON metering_usageevent IS '{says}'")  # the library's own hash
        cursor.execute(ADD_MONTHS)


class Migration(migrations.Migration):
    replaces = [("metering", "0017_told_texts_are_sealed")]
    dependencies = [("metering", "0001_squashed_0016_sums_of_whatever_is_priced")]

    operations = [migrations.RunPython(part_events)]
