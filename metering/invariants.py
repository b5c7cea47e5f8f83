"""What must hold of events and snapshots; the numbers are those of the project's list of invariants."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.invariants import Invariant, rows_of
from core.models import AuditEntry
from metering import late_sealing, queries, rollup_repair
from metering.models import AggregationSnapshot, EventSealing, LaterSealing, UsageEvent
from metering.models.meters import MEASURE
from metering.rules import exact_json, fingerprint
from metering.rules.instants import instant_text
from metering.store import elsewhere, sealing

STREAM_ROWS = 2000


def _find_changed_events() -> Iterator[str]:
    """Hash every accepted row again; what was stored with it when it was accepted must come out."""
    columns = ("seq", "source", "event_id", "contract__event_type", "customer__code", "occurred_at", "data", "extras")
    rows = UsageEvent.objects.order_by("seq").values_list(*columns, "fingerprint")
    for row in rows.iterator(chunk_size=STREAM_ROWS):
        mark = _hash_again(*row[1:-1])
        if mark != bytes(row[-1]) and late_sealing.fingerprints_now([row[0]]).get(row[0]) != mark:
            yield f"event {row[0]}, source {row[1]}, id {row[2]}"


def _hash_again(
    source: str, event_id: str, event_type: str, subject: str, occurred_at: Any, data: Any, extras: Any
) -> bytes:
    names = (source, event_id, event_type, subject, instant_text(occurred_at))
    return fingerprint.fingerprint_event(*names, data=exact_json.write(data), extras=extras or {})


def _find_snapshots_that_recount_differently() -> Iterator[str]:
    ids = list(AggregationSnapshot.objects.filter(retired_at=None).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), STREAM_ROWS):
        snapshots = AggregationSnapshot.objects.in_bulk(ids[start : start + STREAM_ROWS])
        recounts = queries.recount(list(snapshots.values()))
        for number, snapshot in snapshots.items():
            again = recounts[number]
            if (snapshot.event_count, snapshot.quantity, snapshot.digest) != (
                again.event_count,
                again.quantity,
                again.digest,
            ):
                yield f"snapshot {number}: {snapshot.event_count} events, recounted {again.event_count}"


def _find_sealings_that_the_chain_has_not() -> Iterator[str]:
    """Number and both fingerprints of every event that was sealed later, hashed again with those sealed with it."""
    for entry in AuditEntry.objects.filter(action=late_sealing.ACTION).order_by("pk").iterator():
        sealed = late_sealing.sealed_with(entry.pk)
        if (entry.facts["events"], entry.facts["sha256"]) != (len(sealed), late_sealing.digest_of(sealed)):
            yield f"{entry.reference}: {entry.facts['events']} events, {len(sealed)} found"
        rows = UsageEvent.objects.filter(seq__in=[seq for seq, _, _ in sealed])  # those that are not put away
        captured = dict(rows.values_list("seq", "fingerprint"))
        yield from (f"event {seq}" for seq, before, _ in sealed if bytes(captured.get(seq, before)) != before)
    lost = EventSealing.objects.exclude(audit_entry__action=late_sealing.ACTION)
    yield from (f"event {seq} is sealed by no entry" for seq in lost.values_list("seq", flat=True))


def _find_marked_in_clear() -> Iterator[str]:
    for run in LaterSealing.objects.select_related("version").exclude(finished_at=None):
        for seq in sealing.left_in_clear(contract_id=run.version.contract_id, names=run.names):
            yield f"event {seq}: {run}"


def _everywhere(invariant: Invariant) -> Invariant:
    """The same search over all events, those in files too."""

    def search() -> list[str]:
        with elsewhere.showing(*elsewhere.ALWAYS):
            return list(invariant.find_offenders())

    return replace(invariant, find_offenders=search)


def _listed(alias: str) -> str:
    """Name the columns that decide what a version measures."""
    return ", ".join(f"{alias}.{name}" for name in MEASURE)


_OF_EVENTS = [
    Invariant(
        number=1,
        name="an identity is accepted once, for ever",
        find_offenders=rows_of(
            """
            SELECT source, event_id, count(*) AS times FROM metering_usageevent
            GROUP BY source, event_id HAVING count(*) > 1 ORDER BY source, event_id
            """
        ),
    ),
    Invariant(
        number=2,
        name="a batch adds up: received = accepted + duplicates + quarantined",
        find_offenders=rows_of(
            """
            SELECT id AS batch, received, accepted, duplicates, quarantined FROM metering_capturebatch
            WHERE received <> accepted + duplicates + quarantined ORDER BY id
            """
        ),
    ),
    Invariant(
        number=3,
        name="every acknowledged event is stored with its batch",
        find_offenders=rows_of(
            """
            SELECT b.id AS batch, b.accepted, count(e.seq) AS stored
            FROM metering_capturebatch b LEFT JOIN metering_usageevent e ON e.batch_id = b.id
            GROUP BY b.id HAVING b.accepted <> count(e.seq) ORDER BY b.id
            """
        ),
    ),
    Invariant(
        number=3,
        name="every accepted event has its identity, and every identity its event",
        find_offenders=rows_of(
            """
            SELECT COALESCE(e.source, k.source) AS source, COALESCE(e.event_id, k.event_id) AS event_id
            FROM metering_usageevent e
            FULL JOIN metering_eventkey k ON k.source = e.source AND k.event_id = e.event_id AND k.seq = e.seq
             AND k.occurred_at = e.occurred_at AND k.batch_id = e.batch_id AND k.fingerprint = e.fingerprint
            WHERE e.seq IS NULL OR k.seq IS NULL ORDER BY 1, 2
            """
        ),
    ),
    Invariant(
        number=4,
        name="no identity was accepted with two contents",
        find_offenders=rows_of(
            """
            SELECT source, event_id FROM metering_usageevent
            GROUP BY source, event_id HAVING count(DISTINCT fingerprint) > 1 ORDER BY source, event_id
            """
        ),
    ),
    Invariant(number=5, name="no accepted event was changed", find_offenders=lambda: list(_find_changed_events())),
    Invariant(
        number=5,
        name="what was sealed of events after they were captured is what the audit chain says",
        find_offenders=lambda: list(_find_sealings_that_the_chain_has_not()),
    ),
    Invariant(
        number=50,
        name="no event holds a property in clear that was sealed when its contract marked it as personal",
        find_offenders=lambda: list(_find_marked_in_clear()),
    ),
    Invariant(
        number=6,
        name="what a meter reads of events accepted since it was made is a bounded number",
        find_offenders=rows_of(
            r"""
            SELECT e.seq AS event, m.code AS meter
            FROM metering_meterversion v
            JOIN metering_meter m ON m.id = v.meter_id
            JOIN metering_usageevent e ON e.contract_id = m.contract_id AND e.received_at >= v.decided_at
             AND NOT EXISTS (SELECT FROM metering_eventcorrection c WHERE c.seq = e.seq AND c.kind = 'cancels')
            WHERE v.status = 'approved' AND v.aggregation NOT IN ('count', 'unique_count', 'prorated_unique_count')
              AND CASE
                WHEN e.data ->> v.value_property ~ '^-?[0-9]{1,38}(\.[0-9]{1,38})?$'
                THEN (e.data ->> v.value_property)::numeric NOT BETWEEN -1e15 AND 1e15 ELSE true END
              AND NOT EXISTS (
                SELECT FROM metering_meterversion later
                WHERE later.meter_id = v.meter_id AND later.status = 'approved'
                  AND later.effective_at <= e.received_at + interval '1 hour' -- clocks differ
                  AND (later.effective_at, later.version) > (v.effective_at, v.version))
            ORDER BY e.seq
            """
        ),
    ),
    Invariant(
        number=7,
        name="events happened within what their contract accepts (an hour is left for clocks that differ)",
        find_offenders=rows_of(
            """
            SELECT e.seq AS event, e.occurred_at, e.received_at
            FROM metering_usageevent e
            JOIN metering_eventcontractversion v ON v.id = e.contract_version_id
            JOIN metering_capturebatch b ON b.id = e.batch_id AND b.channel <> 'release'
            WHERE e.occurred_at < e.received_at - make_interval(days => v.accepts_past_days, hours => 1)
               OR e.occurred_at > e.received_at + make_interval(secs => v.accepts_future_seconds, hours => 1)
            ORDER BY e.seq
            """
        ),
    ),
    Invariant(
        number=8,
        name="an event is in at most one live cycle snapshot per meter",
        find_offenders=rows_of(
            """
            SELECT one.id AS snapshot, other.id AS overlaps
            FROM metering_aggregationsnapshot one
            JOIN metering_aggregationsnapshot other
              ON other.customer_id = one.customer_id AND other.meter_id = one.meter_id AND other.id > one.id
             AND other.window_start < one.window_end AND other.window_end > one.window_start
            WHERE one.kind = 'cycle' AND other.kind = 'cycle' AND one.retired_at IS NULL AND other.retired_at IS NULL
            ORDER BY one.id, other.id
            """
        ),
    ),
    Invariant(
        number=8,
        name="a correction names an accepted event of its own source, customer and type, and is itself accepted",
        find_offenders=rows_of(
            """
            SELECT c.seq AS event, c.since_seq AS correction, c.kind
            FROM metering_eventcorrection c
            LEFT JOIN metering_usageevent e ON e.seq = c.seq
            LEFT JOIN metering_usageevent by ON by.seq = c.since_seq
            WHERE (e.source, e.customer_id, e.contract_id, e.occurred_at)
                  IS DISTINCT FROM (by.source, c.customer_id, c.contract_id, c.occurred_at)
               OR (by.customer_id, by.contract_id, by.occurred_at)
                  IS DISTINCT FROM (c.customer_id, c.contract_id, c.since_occurred_at)
               OR (c.kind <> 'cancels' AND by.extras ->> 'corrects' IS DISTINCT FROM e.event_id)
            ORDER BY c.seq
            """
        ),
    ),
    Invariant(
        number=8,
        name="every accepted correction left an event out, and every cancellation itself",
        find_offenders=rows_of(
            """
            SELECT e.seq AS event, e.source, e.event_id
            FROM metering_usageevent e
            WHERE e.extras ? 'corrects' AND (
                NOT EXISTS (SELECT FROM metering_eventcorrection c WHERE c.since_seq = e.seq AND c.kind <> 'cancels')
                OR (e.extras ->> 'correction' = 'cancel'
                    AND NOT EXISTS (SELECT FROM metering_eventcorrection c WHERE c.seq = e.seq AND c.kind = 'cancels')))
            ORDER BY e.seq
            """
        ),
    ),
    Invariant(
        number=10,
        name="a snapshot's count, quantity and digest are those of its events",
        find_offenders=lambda: list(_find_snapshots_that_recount_differently()),
    ),
    Invariant(
        number=10,
        name="a meter has a first version that was there always, and versions that somebody else approved",
        find_offenders=rows_of(
            """
            SELECT m.code AS meter, v.version
            FROM metering_meter m
            LEFT JOIN metering_meterversion v ON v.meter_id = m.id
            GROUP BY m.code, v.version, v.status, v.decided_by_id, v.proposed_by_id, v.meter_id
            HAVING v.meter_id IS NULL
                OR (v.version > 1 AND v.status = 'approved' AND v.decided_by_id = v.proposed_by_id)
                OR NOT EXISTS (SELECT FROM metering_meterversion first
                               WHERE first.meter_id = v.meter_id AND first.version = 1 AND first.status = 'approved')
            ORDER BY m.code
            """
        ),
    ),
    Invariant(
        number=10,
        name="a snapshot names the meter version in force throughout its window, a correction that of its base",
        find_offenders=rows_of(
            f"""
            SELECT s.id AS snapshot, v.version
            FROM metering_aggregationsnapshot s
            JOIN metering_meterversion v ON v.id = s.meter_version_id
            LEFT JOIN metering_aggregationsnapshot base ON base.id = s.corrects_id
            WHERE v.meter_id <> s.meter_id OR v.status <> 'approved' OR v.effective_at > s.window_start
               OR base.meter_version_id <> v.id
               OR (s.kind = 'cycle' AND s.retired_at IS NULL AND EXISTS (
                    SELECT FROM metering_meterversion later
                    WHERE later.meter_id = v.meter_id AND later.status = 'approved'
                      AND later.effective_at < s.window_end
                      AND (later.effective_at, later.version) > (v.effective_at, v.version)
                      AND ({_listed("later")}) IS DISTINCT FROM ({_listed("v")})))
            ORDER BY s.id
            """  # noqa: S608  the names of our own columns
        ),
    ),
    Invariant(
        number=10,
        name="a correction measures the window it corrects, at a later watermark",
        find_offenders=rows_of(
            """
            SELECT again.id AS snapshot, base.id AS corrects
            FROM metering_aggregationsnapshot again
            JOIN metering_aggregationsnapshot base ON base.id = again.corrects_id
            JOIN metering_watermark later ON later.id = again.watermark_id
            JOIN metering_watermark earlier ON earlier.id = base.watermark_id
            WHERE (again.customer_id, again.meter_id, again.window_start, again.window_end)
               <> (base.customer_id, base.meter_id, base.window_start, base.window_end)
               OR base.kind <> 'cycle' OR later.seq < earlier.seq
            ORDER BY again.id
            """
        ),
    ),
    Invariant(
        number=11,
        name="a closed window has one live snapshot per customer and meter",
        find_offenders=rows_of(
            """
            SELECT customer_id AS customer, meter_id AS meter, window_start, count(*) AS times
            FROM metering_aggregationsnapshot WHERE kind = 'cycle' AND retired_at IS NULL
            GROUP BY customer_id, meter_id, window_start HAVING count(*) > 1 ORDER BY 1, 2, 3
            """
        ),
    ),
]
_OF_BACKFILLS = [
    Invariant(
        number=2,
        name="the events of a backfill are staged, captured or dropped, as its decision says",
        find_offenders=rows_of(
            """
            SELECT batch.name, batch.status, batch.staged, count(staged.id) AS waiting,
                   batch.accepted + batch.duplicates + batch.quarantined AS captured
            FROM metering_backfill batch LEFT JOIN metering_stagedevent staged ON staged.backfill_id = batch.id
            GROUP BY batch.id
            HAVING (batch.status = 'reverted' AND count(staged.id) <> 0)
                OR (batch.status <> 'reverted'
                    AND count(staged.id) + batch.accepted + batch.duplicates + batch.quarantined <> batch.staged)
                OR (batch.captured_at IS NOT NULL AND count(staged.id) <> 0)
            ORDER BY batch.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="who approved a backfill did not make it",
        find_offenders=rows_of(
            """
            SELECT name, created_by_id AS made_by FROM metering_backfill
            WHERE status = 'approved' AND decided_by_id = created_by_id ORDER BY id
            """
        ),
    ),
]
_SUMS = Invariant(
    number=10,
    name="sums of usage say what the raw events say",
    find_offenders=rollup_repair.find_differences,  # brings in by itself what lies in files, a month at a time
)
INVARIANTS = [*(_everywhere(invariant) for invariant in _OF_EVENTS), *_OF_BACKFILLS, _SUMS]
