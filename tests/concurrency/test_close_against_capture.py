"""A close counts while others capture: what lies below its watermark is all there, what lies above it is late."""

import multiprocessing
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest
from django.db import transaction

from metering import aggregate, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Meter, UsageEvent
from tests.builders import racing, usage

WRITERS = 6
LAG_SECONDS = 0.05
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)
FORK = multiprocessing.get_context("fork")

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Race:
    """Windows of a day each, closed one after the other while WRITERS capture events of the one being closed."""

    closes: int
    batch_size: int

    def __post_init__(self) -> None:
        usage.house()
        self.meter = Meter.objects.get()
        self.day = FORK.Value("i", 0)

    def run(self) -> None:
        racing.run_together(self.close, *(partial(self.capture, number) for number in range(WRITERS)))

    def close(self) -> None:
        try:
            for number in range(self.closes):
                start = FIRST + timedelta(days=number)
                window = UsageWindow(usage.customer().pk, self.meter.pk, start, start + timedelta(days=1))
                time.sleep(LAG_SECONDS)  # or nobody would have used anything yet
                mark = watermark.fix_watermark(at=NOW)
                aggregate.take_snapshots([window], watermark=mark, at=NOW)
                self.day.value = number + 1
        finally:
            self.day.value = self.closes

    def capture(self, writer: int) -> None:
        """Number the events of a batch at once, and commit them up to LAG_SECONDS later."""
        random = Random(writer)  # noqa: S311  the same delays every time
        batches = 0
        while (day := self.day.value) < self.closes:
            batches += 1
            at = (FIRST + timedelta(days=day)).isoformat()
            batch = [usage.event(f"{writer}-{batches}-{one}", time=at) for one in range(self.batch_size)]
            with transaction.atomic():
                usage.capture(*batch, at=NOW)
                time.sleep(random.uniform(0, LAG_SECONDS))


def missed_events(snapshots: list[AggregationSnapshot]) -> int:
    """Count what lies below a snapshot's watermark by now and was not in it."""
    again = queries.recount(snapshots)
    return sum(again[snapshot.pk].event_count - snapshot.event_count for snapshot in snapshots)


def check(*, closes: int, batch_size: int) -> None:
    Race(closes=closes, batch_size=batch_size).run()
    snapshots = list(AggregationSnapshot.objects.all())
    assert len(snapshots) == closes
    assert missed_events(snapshots) == 0
    late = sum(window.event_count for window in queries.late_windows())
    counted = sum(snapshot.event_count for snapshot in snapshots)
    assert counted > 0
    assert late > 0  # or nobody captured while windows were closed
    assert counted + late == UsageEvent.objects.count()


def test_no_event_below_a_watermark_appears_after_it_was_fixed() -> None:
    check(closes=20, batch_size=5)


def test_a_watermark_waits_for_the_captures_that_have_begun() -> None:
    usage.house()
    numbered, fixed = FORK.Event(), FORK.Event()

    def capture() -> None:
        with transaction.atomic():
            usage.capture(usage.event("a"), at=NOW)
            numbered.set()
            fixed.wait(0.5)  # a watermark that did not wait would be fixed by now

    def fix() -> None:
        numbered.wait(60)
        mark = watermark.fix_watermark(at=NOW)
        fixed.set()
        assert mark.seq == UsageEvent.objects.get().seq

    racing.run_together(capture, fix)


@pytest.mark.nightly
def test_none_of_fifty_thousand_events_is_missed_by_a_hundred_closes() -> None:
    check(closes=100, batch_size=100)
    assert UsageEvent.objects.count() >= 50_000
