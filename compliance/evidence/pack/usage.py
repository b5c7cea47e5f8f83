"""What was used and how it was measured, as a file of a pack: snapshots, meter versions, contracts."""

from collections.abc import Iterable, Sequence
from typing import Any

from compliance.evidence.pack import wording
from compliance.evidence.pack.reach import Reach
from core.models import AuditEntry
from metering import late_sealing
from metering.models import AggregationSnapshot, EventContractVersion, EventSealing, MeterVersion

DIGEST_FORM = 1  # SHA-256 over the fingerprints in capture order


def usage_of(reach: Reach) -> dict[str, Any]:
    """Which snapshots there are, what they say, and by which words of which versions; streams come with their files."""
    snapshots = list(reach.snapshots.values())
    versions = {each.meter_version.pk: each.meter_version for each in snapshots}
    contracts = {each.meter.contract_id for each in snapshots}
    sealings = _sealings(snapshots)
    return {
        **({"sealings": sealings} if sealings else {}),
        "snapshots": [_snapshot(each, reach.stream_of.get(each.pk)) for each in snapshots],
        "meters": [_meter(each) for _, each in sorted(versions.items())],
        "contracts": [
            _contract(each)
            for each in EventContractVersion.objects.filter(contract__in=contracts)
            .exclude(status=EventContractVersion.Status.DRAFT)
            .select_related("contract")
            .order_by("pk")
        ],
    }


def sealing_entries(snapshots: Iterable[AggregationSnapshot]) -> list[int]:
    """The entries of the audit chain with which something of events of these customers was sealed after capture."""
    customers, contracts = set(), set()
    for snapshot in snapshots:
        customers.add(snapshot.customer_id)
        contracts.add(snapshot.meter.contract_id)
    sealed = EventSealing.objects.filter(customer__in=customers, sealing__version__contract__in=contracts)
    return sorted(sealed.order_by().values_list("audit_entry", flat=True).distinct())


def _sealings(snapshots: Sequence[AggregationSnapshot]) -> list[dict[str, Any]]:
    """All that was sealed with each of them, which is what the chain hashed: numbers and fingerprints, of anybody."""
    entries = AuditEntry.objects.filter(pk__in=sealing_entries(snapshots)).order_by("pk")
    return [
        {
            "audit_reference": entry.reference,
            "events": [[seq, before.hex(), now.hex()] for seq, before, now in late_sealing.sealed_with(entry.pk)],
        }
        for entry in entries
    ]


def _snapshot(snapshot: AggregationSnapshot, stream: str | None) -> dict[str, Any]:
    period = None
    if snapshot.period_start is not None and snapshot.period_end is not None:
        period = wording.span(snapshot.period_start, snapshot.period_end)
    return {
        "id": snapshot.pk,
        "kind": snapshot.kind,
        "corrects": snapshot.corrects_id,
        "customer": snapshot.customer.code,
        "meter": snapshot.meter_id,
        "meter_version": snapshot.meter_version_id,
        "window": wording.span(snapshot.window_start, snapshot.window_end),
        "period": period,
        "zone": snapshot.time_zone,
        "watermark": snapshot.watermark.seq,
        "watermark_at": wording.instant(snapshot.watermark.fixed_at),
        "stream": stream,
        "quantity": wording.figure(snapshot.quantity),
        "event_count": snapshot.event_count,
        "unmeasured_count": snapshot.unmeasured_count,
        "digest": snapshot.digest,
        "digest_form": DIGEST_FORM,
        "taken_at": wording.instant(snapshot.taken_at),
    }


def _meter(version: MeterVersion) -> dict[str, Any]:
    meter = version.meter
    words = ("definition", "exclusions", "aggregation", "value_property", "operation_property", "is_recurring")
    policies = ("filters", "group_by", "negative_total", "tie_break", "decimals", "rounding", "version")
    return {name: getattr(version, name) for name in (*words, *policies)} | {
        "id": version.pk,
        "meter": meter.pk,
        "code": meter.code,
        "name": meter.name,
        "unit": meter.unit,
        "contract": meter.contract_id,
        "effective_at": wording.instant(version.effective_at),
        "proposed_by": version.proposed_by_id,
        "decided_by": version.decided_by_id,
        "decided_at": wording.instant(version.decided_at),
    }


def _contract(version: EventContractVersion) -> dict[str, Any]:
    return {
        "id": version.pk,
        "contract": version.contract_id,
        "type": version.contract.event_type,
        "version": version.version,
        "status": version.status,
        "schema": version.schema,
        "billing_fields": version.billing_fields,
        "context_fields": version.context_fields,
        "activated_by": version.activated_by_id,
        "activated_at": wording.instant(version.activated_at),
    }
