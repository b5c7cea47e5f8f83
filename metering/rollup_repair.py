"""Compare the sums of usage with the raw events, month by month, and repair them with a report."""

from datetime import UTC, date, datetime

from django.db import transaction

from core import work
from metering.models import RollupSeries, UsageRollup
from metering.rules import covering
from metering.rules.covering import Grain
from metering.store import elsewhere, partitions, rollup_check

REPAIR_JOB = "metering.rollup_repair"


def queue_repairs(*, at: datetime) -> None:
    """Queue one job for each month that has events or sums."""
    with transaction.atomic():
        for month in find_months():
            work.enqueue(kind=REPAIR_JOB, key=str(month), arguments={"month": str(month)}, at=at)


def find_months() -> list[date]:
    """Give the first days of the months in question, the earliest first."""
    summed = UsageRollup.objects.filter(grain=Grain.MONTH).values_list("starts_at", flat=True).distinct()
    waiting = [line.month for line in partitions.find_rest()]
    return sorted({*partitions.find_months(), *waiting, *(start.date() for start in summed)})


def repair_month(*, month: date, at: datetime) -> int:
    """Compare one month and put right what differs; how many sums did."""
    start, end = bounds_of(month)
    with transaction.atomic():
        list(RollupSeries.objects.select_for_update().order_by("pk").values_list("pk"))
        with elsewhere.showing(start, end):
            return rollup_check.repair(start=start, end=end, at=at)


def find_differences() -> list[str]:
    """Say of every month which sums differ from its events, and change nothing."""
    found = []
    for month in find_months():
        start, end = bounds_of(month)
        with transaction.atomic(), elsewhere.showing(start, end):
            found += rollup_check.list_differences(start=start, end=end)
    return found


def bounds_of(month: date) -> tuple[datetime, datetime]:
    """Give where a month begins and ends, in UTC as its sums do."""
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    return start, covering.after(start, Grain.MONTH)
