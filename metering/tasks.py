"""Background work of metering: tables of the next months, shipments, minutes of capture, and sums of usage."""

from datetime import date, timedelta

import structlog
from django.utils import timezone

from core import recurring, work
from metering import alerts, backfills, bulk, late_sealing, minutes, months, rollup_repair, rollups, shipping, watermark
from metering.models import Store
from metering.store import chosen

log = structlog.get_logger(__name__)


@recurring.every(timedelta(hours=1), kind="metering.months")
def keep_event_months() -> None:
    """Make the next months' tables, and mend where one was missing."""
    report = months.keep_months(at=timezone.now())
    if report.left:
        log.error("event_months_missing", months=[str(month) for month in report.left])


@recurring.every(timedelta(seconds=15), kind="metering.shipments")
def ship_events() -> None:
    """Send accepted events on to the store of raw events, where that is not PostgreSQL."""
    if chosen.find_name() == Store.POSTGRES:
        return
    settled = watermark.settle().seq
    while shipping.ship_pending(settled_seq=settled, at=timezone.now()):
        continue


@recurring.every(timedelta(minutes=1), kind="metering.minutes")
def record_and_watch_minutes() -> None:
    """Record the minutes that are over, then judge them."""
    minutes.record_and_watch(at=timezone.now())


@recurring.every(timedelta(seconds=5), kind="metering.rollups")
def roll_up_usage() -> None:
    """Add up what was captured since the last round; live totals read the rest from the events themselves."""
    rollups.roll_up()


@recurring.every(timedelta(days=1), kind="metering.rollup_repairs")
def queue_rollup_repairs() -> None:
    """Have the sums of every month compared with its events."""
    rollup_repair.queue_repairs(at=timezone.now())


@work.handles(rollup_repair.REPAIR_JOB)
def repair_rollups(*, month: str) -> None:
    """Compare one month, and put right what differs."""
    if found := rollup_repair.repair_month(month=date.fromisoformat(month), at=timezone.now()):
        log.error("rollups_repaired", month=month, sums=found)


@work.handles(late_sealing.JOB, attempts_max=5)
def seal_earlier_events(*, sealing_id: int) -> None:
    """Seal what earlier events hold in clear of properties that are marked since."""
    late_sealing.go_on(sealing_id=sealing_id, at=timezone.now())


@recurring.every(timedelta(hours=1), kind="metering.look_for_clear")
def look_for_events_in_clear() -> None:
    """Begin again where an event came by the rules before, while a version was put in force."""
    late_sealing.look_again(at=timezone.now())


@work.handles(backfills.CAPTURE_JOB, attempts_max=5)
def capture_backfill(*, backfill_id: int) -> None:
    """Capture the events of an approved backfill; run again, it goes on with what is left."""
    backfills.capture_backfill(backfill_id=backfill_id, at=timezone.now())


@work.handles(alerts.ALERT_JOB, attempts_max=8)
def deliver_alert(*, item_id: int, channel: str) -> None:
    """Send one message; a failure is tried again with growing pauses."""
    alerts.deliver(item_id=item_id, channel=channel, at=timezone.now())


@work.handles(bulk.BULK_JOB, attempts_max=10)
def decide_over_group(*, decision_id: int) -> None:
    """Decide over the next events of a group."""
    bulk.go_on(decision_id=decision_id, at=timezone.now())
