"""Keep the sums of usage up with capture: every few seconds, behind the watermark lock, never inside a capture."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max

from metering import in_force, watermark
from metering.models import EventArchive, Meter, RollupSeries
from metering.rules import exact_json
from metering.rules.readings import Reading
from metering.rules.summed import Adding
from metering.store import elsewhere, measuring, rolled, rollups

EVENTS_AT_ONCE = 50_000
STEPS_MAX = 60  # of one round; a new meter over a long past takes several


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: the series are at `seq`, unless there is more to do than a round takes."""

    seq: int
    steps: int
    is_done: bool


def roll_up() -> Round:
    """Bring every series up to the last event that is sure to have none before it still to come.

    Each step is a transaction that adds events and moves the series on, so a killed round goes on where it was.
    """
    keep_series()
    last = watermark.find_last_seq()
    if not RollupSeries.objects.filter(seq__lt=last).exists():
        return Round(last, 0, is_done=True)  # nobody has to wait for a lock when there is nothing new
    target = watermark.settle().seq
    for step in range(STEPS_MAX):
        if not _step(target):
            return Round(target, step, is_done=True)
    return Round(target, STEPS_MAX, is_done=False)


def keep_series() -> None:
    """Start a series for every way to read that has none; it catches up from the first event."""
    meters = dict(Meter.objects.values_list("pk", "contract_id"))
    wanted: dict[tuple[int, str], Adding] = {}
    for meter_id, versions in in_force.versions_by_meter(meters).items():
        for reading in (version.as_reading() for version in versions):
            if can_be_rolled_up(reading):
                wanted[meters[meter_id], hash_of(Adding(reading))] = Adding(reading)
    known = set(RollupSeries.objects.values_list("contract_id", "reading_hash"))
    start_series({key: adding for key, adding in wanted.items() if key not in known})


def start_series(wanted: Mapping[tuple[int, str], Adding]) -> None:
    """Start a series for each of these ways to read a contract, by contract and hash; one that exists is left alone.

    Prices ask so for combinations that no meter keeps apart. A round catches all of them up.
    """
    RollupSeries.objects.bulk_create(
        [
            RollupSeries(contract_id=contract_id, reading_hash=mark, **_columns(adding))
            for (contract_id, mark), adding in wanted.items()
        ],
        ignore_conflicts=True,
    )


def can_be_rolled_up(reading: Reading) -> bool:
    """Say whether what a meter makes of a stretch of time can be put together from its parts."""
    return reading.aggregation in rolled.ROLLED_UP and not reading.is_recurring and not reading.operation_property


def hash_of(adding: Adding) -> str:
    """Name a way to read events; what a meter then makes of the values is not part of it."""
    return hashlib.sha256(exact_json.write(_columns(adding))).hexdigest()


def _columns(adding: Adding) -> dict[str, Any]:
    """What its row says; what most series are without is left out, so that these keep the name they have."""
    reading = adding.reading
    columns: dict[str, Any] = {
        "value_property": reading.value_property,
        "filters": [one.as_parameter() for one in reading.filters] or None,
        "arrival_sign": measuring.arrival_sign(reading),
        "group_by": list(reading.group_by),
    }
    if reading.operation_property:
        columns["operation_property"] = reading.operation_property
    return columns | {"by_minute": True} if adding.by_minute else columns


def _step(target: int) -> bool:
    """Move the series that are furthest behind, all together, as far as the next ones; false if all are there."""
    with transaction.atomic():
        series = list(RollupSeries.objects.select_for_update().filter(seq__lt=target).order_by("pk"))
        if not series:
            return False
        after = min(one.seq for one in series)
        behind = [one.pk for one in series if one.seq == after]
        ahead = [one.seq for one in series if one.seq > after]
        up_to = min([target, _find_end(after), *ahead])
        broken = rollups.find_broken_days(after=after, up_to=up_to)
        with elsewhere.showing_numbers(after=after, up_to=up_to), elsewhere.showing_days(broken):
            rollups.add_events(series_ids=behind, after=after, up_to=up_to)
        RollupSeries.objects.filter(pk__in=behind).update(seq=up_to)
    return True


def _find_end(after: int) -> int:
    """A step ends after so many events, or with the file that it begins to read: a file is not loaded twice."""
    archives = EventArchive.objects.filter(attached_at=None, first_seq__lte=after + EVENTS_AT_ONCE, last_seq__gt=after)
    last = archives.aggregate(last=Max("last_seq"))["last"]
    return max(after + EVENTS_AT_ONCE, last or 0)
