"""Background work of metering: tables of the next months, shipments, and the minutes of capture with what they tell."""

from datetime import timedelta

import structlog
from django.utils import timezone

from core import recurring, work
from metering import alerts, minutes, months, shipping, watermark
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
    """Record the minutes that are over, then look at the latest of them."""
    minutes.watch_streams(until=minutes.record_minutes(), at=timezone.now())


@work.handles(alerts.ALERT_JOB, attempts_max=8)
def deliver_alert(*, item_id: int, channel: str) -> None:
    """Send one message; a failure is tried again with growing pauses."""
    alerts.deliver(item_id=item_id, channel=channel, at=timezone.now())
