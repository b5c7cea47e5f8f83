"""A close counts while others capture: what lies below its watermark is all there, what lies above it is late."""

import multiprocessing
import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import transaction

from metering import aggregate, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Meter, UsageEvent
from tests.builders import racing, usage

WRITERS = 6
LAG_MS = 20
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


def capture_until(stopped: "multiprocessing.synchronize.Event", *, writer: int, size: int, closes: int) -> None:
    """Send batches for all windows at random, each committed up to LAG_MS after it was numbered."""
    random = Random(writer)  # noqa: S311  the same tests every time
    number = 0
    while not stopped.is_set():
        number += 1
        batch = [
            usage.event(
                f"{writer}-{number}-{one}",
                time=(FIRST + timedelta(days=random.randrange(closes), minutes=one)).isoformat(),
                data={"input_tokens": 1, "output_tokens": 0},
            )
            for one in range(size)
        ]
        with transaction.atomic():
            usage.capture(*batch, at=NOW)
            time.sleep(random.uniform(0, LAG_MS / 1000))


def close_windows(count: int, *, meter: Meter) -> None:
    """Count one day after the other, each at a watermark of its own."""
    for number in range(count):
        start = FIRST + timedelta(days=number)
        window = UsageWindow(usage.customer().pk, meter.pk, start, start + timedelta(days=1))
        mark = watermark.fix_watermark(at=NOW)
        aggregate.take_snapshots([window], watermark=mark, at=NOW)


def race(*, closes: int, batch_size: int) -> int:
    """Close `closes` windows while WRITERS capture; give the number of events that were captured meanwhile."""
    usage.house()
    meter = Meter.objects.get()
    stopped = multiprocessing.get_context("fork").Event()

    def close_and_stop() -> None:
        try:
            close_windows(closes, meter=meter)
        finally:
            stopped.set()

    def writer(number: int) -> None:
        capture_until(stopped, writer=number, size=batch_size, closes=closes)

    racing.run_together(close_and_stop, *(lambda number=number: writer(number) for number in range(WRITERS)))
    snapshots = list(AggregationSnapshot.objects.all())
    assert len(snapshots) == closes
    again = queries.recount(snapshots)
    missed = sum(again[snapshot.pk].event_count - snapshot.event_count for snapshot in snapshots)
    changed = [snapshot.pk for snapshot in snapshots if again[snapshot.pk].digest != snapshot.digest]
    assert (missed, changed) == (0, [])
    late = sum(late.event_count for late in queries.late_windows())
    assert sum(snapshot.event_count for snapshot in snapshots) + late == UsageEvent.objects.count()
    assert late > 0  # or nobody captured while windows were closed
    return UsageEvent.objects.count()


def test_no_event_below_a_watermark_appears_after_it_was_fixed() -> None:
    race(closes=40, batch_size=5)


@pytest.mark.nightly
def test_none_of_fifty_thousand_events_is_missed_by_a_hundred_closes() -> None:
    assert race(closes=100, batch_size=60) >= 50_000
