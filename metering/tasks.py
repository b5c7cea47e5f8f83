"""Background work of metering: the tables of the next months."""

from datetime import timedelta

import structlog
from django.utils import timezone

from core import recurring
from metering import months

log = structlog.get_logger(__name__)


@recurring.every(timedelta(hours=1), kind="metering.months")
def keep_event_months() -> None:
    """Make the next months' tables, and mend where one was missing."""
    report = months.keep_months(at=timezone.now())
    if report.left:
        log.error("event_months_missing", months=[str(month) for month in report.left])
