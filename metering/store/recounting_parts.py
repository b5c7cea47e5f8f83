"""Split stored snapshots once more, from their own rows and by other SQL than split them first."""

import json
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from metering.rules.parts import PartsBy, Split
from metering.store import breakdown, corrections, measured_value, recounted_events
from metering.store.breakdown import PartStream

_WANTED = sql.SQL(
    """
    WITH w AS MATERIALIZED (
        SELECT asked.number, ARRAY(SELECT jsonb_array_elements_text(asked.properties)) AS properties, asked.bucket,
               asked.zone, asked.amount_property, s.customer_id, m.contract_id, v.value_property, v.operation_property,
               nullif(v.filters, '[]') AS filters,
               CASE v.tie_break WHEN 'first_received' THEN -1 ELSE 1 END AS arrival_sign,
               tstzrange(s.window_start, s.window_end) AS span, k.seq AS up_to_seq
        FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(properties)s::jsonb[], %(buckets)s::text[],
                    %(zones)s::text[], %(amounts)s::text[])
          AS asked (snapshot_id, number, properties, bucket, zone, amount_property)
        JOIN metering_aggregationsnapshot s ON s.id = asked.snapshot_id
        JOIN metering_meter m ON m.id = s.meter_id
        JOIN metering_meterversion v ON v.id = s.meter_version_id
        JOIN metering_watermark k ON k.id = s.watermark_id
    ), read AS (
        SELECT w.number, {value} AS value, {amount} AS amount, {own}, {operation}, e.received_at, {order}
        FROM w JOIN metering_usageevent e
          ON e.customer_id = w.customer_id AND e.contract_id = w.contract_id
         AND e.occurred_at >= lower(w.span) AND e.occurred_at < upper(w.span) AND e.seq <= w.up_to_seq
         AND {counted} AND {passes}
    ), usable AS (
        SELECT read.*, CASE WHEN {is_usable_amount} THEN read.amount END AS brought FROM read WHERE {is_usable}
    )
    """
)
_SHAPES = {
    PartsBy.EVENT: sql.SQL(
        """
        SELECT number, ({unit})::numeric, 1, brought, NULL, NULL FROM usable read
        ORDER BY number, occurred_at, received_at, event_id, source
        """
    ),
    PartsBy.COMBINATION: sql.SQL(
        """
        SELECT number, ({quantity})::numeric, count(*), sum(brought), names, combination FROM usable read
        GROUP BY number, names, combination ORDER BY number, combination COLLATE "C"
        """
    ),
    PartsBy.BUCKET: sql.SQL(
        """
        SELECT number, ({quantity})::numeric, count(*), sum(brought), NULL, bucket FROM usable read
        GROUP BY number, bucket ORDER BY number, bucket
        """
    ),
}


def stream_parts(snapshots: Sequence[tuple[int, str, Split]]) -> PartStream:
    """Give the parts of these snapshots, each named by id and kind of aggregation, as `breakdown.stream_parts` does."""
    for parts_by, aggregation in sorted({(split.by, kind) for _, kind, split in snapshots}):
        here = [
            (number, snapshot_id, split)
            for number, (snapshot_id, kind, split) in enumerate(snapshots)
            if (split.by, kind) == (parts_by, aggregation)
        ]
        yield from breakdown.read_parts(_statement(parts_by, aggregation), _asked(here))


def _statement(parts_by: PartsBy, aggregation: str) -> str:
    kind = measured_value.KINDS[aggregation]
    words = {
        "value": kind.value,
        "amount": measured_value.AMOUNT,
        "own": breakdown.OWN[parts_by],
        "operation": measured_value.OPERATION_COLUMN,
        "order": measured_value.ORDER_COLUMNS,
        "passes": recounted_events.PASSES,
        "unit": kind.unit,
        "quantity": kind.quantity,
        "is_usable": kind.is_usable,
        "is_usable_amount": measured_value.IS_USABLE_AMOUNT,
        "counted": corrections.counted("w.up_to_seq"),
    }
    return sql.Composed([_WANTED.format(**words), _SHAPES[parts_by].format(**words)]).as_string()


def _asked(wanted: Sequence[tuple[int, int, Split]]) -> dict[str, Any]:
    return {
        "numbers": [number for number, _, _ in wanted],
        "ids": [snapshot_id for _, snapshot_id, _ in wanted],
        "properties": [json.dumps(split.properties) for _, _, split in wanted],
        "buckets": [split.bucket for _, _, split in wanted],
        "zones": [split.zone for _, _, split in wanted],
        "amounts": [split.amount_property for _, _, split in wanted],
    }
