"""Take snapshots: what each meter counted in each window, as seen at a watermark, kept for ever."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from accounts.models import Customer
from core import bulk
from core.errors import DomainError
from metering import in_force
from metering import watermark as watermarks
from metering.models import AggregationSnapshot, Meter, MeterVersion, Watermark
from metering.rules.windows import UsageWindow
from metering.store import elsewhere, measuring
from metering.store.measuring import MeterReading, WindowMeasure

__all__ = [
    "UsageWindow",
    "carry_over",
    "preview_snapshots",
    "retire_snapshots",
    "take_adjustment_snapshots",
    "take_interim_snapshots",
    "take_snapshots",
]

QUANTITY_MAX = Decimal("1e15")
Kind = AggregationSnapshot.Kind


class QuantityOutOfRangeError(DomainError):
    """A window adds up to more than can be billed exactly."""

    code = "quantity_out_of_range"


class MeterChangedError(DomainError):
    """A version of a meter came in force in a window that was cut before."""

    code = "meter_changed"


class WindowTakenError(DomainError):
    """Part of a window is in a live snapshot with other bounds."""

    code = "window_taken"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A snapshot to be taken: its window, and the snapshot that it corrects, or whether the window still runs."""

    window: UsageWindow
    corrects_id: int | None = None
    is_interim: bool = False

    @property
    def kind(self) -> Kind:
        if self.corrects_id is not None:
            return Kind.ADJUSTMENT
        return Kind.INTERIM if self.is_interim else Kind.CYCLE


def take_snapshots(windows: Sequence[UsageWindow], *, watermark: Watermark, at: datetime) -> list[AggregationSnapshot]:
    """Count every window from raw events, in the order given; a fixed number of statements, however many windows.

    A window without events gets a snapshot of 0. A window that has a live snapshot keeps it, whatever the watermark,
    so a close that is run again adds nothing.
    """
    with transaction.atomic():
        live = _find_live(windows)
        missing = [_Wanted(window) for window in dict.fromkeys(windows) if window not in live]
        taken = _store(missing, watermark=watermark, at=at)
    found = live | {wanted.window: snapshot for wanted, snapshot in zip(missing, taken, strict=True)}
    return [found[window] for window in windows]


def take_adjustment_snapshots(
    snapshots: Sequence[AggregationSnapshot], *, watermark: Watermark, at: datetime
) -> list[AggregationSnapshot]:
    """Count the windows of these cycle snapshots again, as known now; each new snapshot names the one it corrects."""
    with transaction.atomic():
        corrections = AggregationSnapshot.objects.filter(corrects__in=snapshots, watermark=watermark)
        found = {correction.corrects_id: correction for correction in corrections}
        missing = [_Wanted(_window_of(base), base.pk) for base in snapshots if base.pk not in found]
        for taken in _store(missing, watermark=watermark, at=at):
            found[taken.corrects_id] = taken
    return [found[base.pk] for base in snapshots]


def take_interim_snapshots(
    windows: Sequence[UsageWindow], *, watermark: Watermark, at: datetime
) -> list[AggregationSnapshot]:
    """Count what was used so far in windows that still run, in the order given.

    Nothing in them is late: the window is counted again as a whole, by the next such snapshot and when it is closed.
    """
    return _store([_Wanted(window, is_interim=True) for window in windows], watermark=watermark, at=at)


def preview_snapshots(windows: Sequence[UsageWindow], *, at: datetime) -> list[AggregationSnapshot]:
    """Give what `take_snapshots` would take now, without storing anything; neither these nor their watermark have ids.

    It waits for captures in flight, so that whoever looks closer at the same watermark sees the same events.
    """
    seen = Watermark(seq=watermarks.find_settled_seq(), fixed_at=at)
    snapshots = _measure([_Wanted(window) for window in windows], up_to_seq=seen.seq, at=at)
    for snapshot in snapshots:
        snapshot.watermark = seen
    return snapshots


def retire_snapshots(snapshot_ids: Iterable[int], *, at: datetime) -> None:
    """Let the windows of a discarded draft be counted anew; what was counted stays on record."""
    AggregationSnapshot.objects.filter(pk__in=list(snapshot_ids), retired_at=None).update(retired_at=at)


def carry_over(snapshots: Sequence[AggregationSnapshot], *, at: datetime) -> list[AggregationSnapshot]:
    """Let cycle snapshots stand behind another draft: each is retired, and a copy with its figures and watermark lives.

    For windows in which nothing changed; nothing is counted.
    """
    facts = ("customer_id", "meter_id", "window_start", "window_end", "meter_version_id", "period_start", "period_end")
    counts = ("time_zone", "watermark_id", "quantity", "event_count", "unmeasured_count", "digest", "first_seq")
    with transaction.atomic():
        retire_snapshots([snapshot.pk for snapshot in snapshots], at=at)
        copies = [
            bulk.new_row(
                AggregationSnapshot,
                kind=Kind.CYCLE,
                taken_at=at,
                **{name: getattr(snapshot, name) for name in (*facts, *counts)},
            )
            for snapshot in snapshots
        ]
        bulk.insert_rows(copies)
    return copies


def _window_of(snapshot: AggregationSnapshot) -> UsageWindow:
    return snapshot.window


def _find_live(windows: Sequence[UsageWindow]) -> dict[UsageWindow, AggregationSnapshot]:
    if not windows:
        return {}
    wanted = set(windows)
    near = AggregationSnapshot.objects.filter(
        kind=Kind.CYCLE,
        retired_at=None,
        customer__in={window.customer_id for window in windows},
        meter__in={window.meter_id for window in windows},
        window_start__gte=min(window.start for window in windows),
        window_end__lte=max(window.end for window in windows),
    )
    return {window: snapshot for snapshot in near if (window := _window_of(snapshot)) in wanted}


def _store(wanted: Sequence[_Wanted], *, watermark: Watermark, at: datetime) -> list[AggregationSnapshot]:
    snapshots = _measure(wanted, up_to_seq=watermark.seq, at=at)
    for snapshot in snapshots:
        snapshot.watermark = watermark
    try:
        with transaction.atomic():
            bulk.insert_rows(snapshots)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") == "metering_snapshot_version":
            raise MeterChangedError(
                "A version of a meter was approved while its windows were counted: they are cut anew. Close again."
            ) from error
        raise WindowTakenError(_name_overlap(wanted)) from error
    return snapshots


def _name_overlap(wanted: Sequence[_Wanted]) -> str:
    for window in (each.window for each in wanted):
        taken = AggregationSnapshot.objects.filter(
            kind=Kind.CYCLE,
            retired_at=None,
            customer=window.customer_id,
            meter=window.meter_id,
            window_start__lt=window.end,
            window_end__gt=window.start,
        ).first()
        if taken is not None:
            return (
                f"{taken.meter.code} of {taken.customer.code} from {window.start.isoformat()} overlaps snapshot "
                f"{taken.pk}, which ends {taken.window_end.isoformat()}. Discard the draft that uses it, then close "
                "again."
            )
    return "Two of these windows overlap, so some usage would be billed twice. Look for prices that overlap."


def _measure(wanted: Sequence[_Wanted], *, up_to_seq: int, at: datetime) -> list[AggregationSnapshot]:
    versions = _versions_of(wanted)
    contracts = dict(Meter.objects.filter(versions__in=set(versions)).values_list("pk", "contract_id"))
    readings = {
        version.pk: MeterReading(contract_id=contracts[version.meter_id], reading=version.as_reading())
        for version in set(versions)
    }
    if not wanted:
        return []
    windows = [(each.window, readings[version.pk]) for each, version in zip(wanted, versions, strict=True)]
    start = min(measuring.counts_since(window, meter.reading) for window, meter in windows)
    end = max(window.end for window, _ in windows)
    with elsewhere.showing(start, end, customer_ids=sorted({window.customer_id for window, _ in windows})):
        measures = measuring.measure_windows(windows, up_to_seq=up_to_seq)
    return [
        _snapshot(each, version, measure, at=at)
        for each, version, measure in zip(wanted, versions, measures, strict=True)
    ]


def _versions_of(wanted: Sequence[_Wanted]) -> list[MeterVersion]:
    """Give what measures each window: the version in force, or for a correction the one that counted first."""
    known = in_force.versions_by_meter({each.window.meter_id for each in wanted})
    bases = [each.corrects_id for each in wanted if each.corrects_id is not None]
    counted = AggregationSnapshot.objects.select_related("meter_version").in_bulk(bases)
    return [
        in_force.at_instant(known[each.window.meter_id], each.window.start)
        if each.corrects_id is None
        else counted[each.corrects_id].meter_version
        for each in wanted
    ]


def _snapshot(wanted: _Wanted, version: MeterVersion, measure: WindowMeasure, *, at: datetime) -> AggregationSnapshot:
    window = wanted.window
    if not -QUANTITY_MAX <= measure.quantity <= QUANTITY_MAX:
        raise QuantityOutOfRangeError(_out_of_range(window, measure.quantity))
    return bulk.new_row(
        AggregationSnapshot,
        kind=wanted.kind,
        customer_id=window.customer_id,
        meter_id=window.meter_id,
        window_start=window.start,
        window_end=window.end,
        meter_version=version,
        period_start=window.span.period_start,
        period_end=window.span.period_end,
        time_zone=window.zone,
        corrects_id=wanted.corrects_id,
        quantity=measure.quantity,
        event_count=measure.event_count,
        unmeasured_count=measure.unmeasured_count,
        digest=measure.digest,
        first_seq=measure.first_seq,
        taken_at=at,
    )


def _out_of_range(window: UsageWindow, quantity: Decimal) -> str:
    customer = Customer.objects.get(pk=window.customer_id)
    meter = Meter.objects.get(pk=window.meter_id)
    return (
        f"{meter.code} of {customer.code} adds up to {quantity:E} from {window.start:%Y-%m-%d} to "
        f"{window.end:%Y-%m-%d}; beyond 1,000,000,000,000,000 nothing is billed exactly. Look for a wrong event and "
        "send one that takes it back."
    )
