"""Which documents the last close is: those of the periods that ended in the 31 days up to the latest closed one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min, QuerySet

from invoicing.cycle.models import Invoice

REACH = timedelta(days=31)  # closes go customer by customer and zone by zone: a month of them is one


@dataclass(frozen=True, slots=True, kw_only=True)
class LastClose:
    """Periods that ended after `ended_after`, up to `ended_by`; the earliest of them began at `starts_at`."""

    ended_after: datetime
    ended_by: datetime
    starts_at: datetime

    def documents(self) -> QuerySet[Invoice]:
        """Every document of these periods that was not discarded."""
        return live_documents(ended_after=self.ended_after, ended_by=self.ended_by)


def live_documents(*, ended_after: datetime, ended_by: datetime) -> QuerySet[Invoice]:
    documents = Invoice.objects.filter(period_end__gt=ended_after, period_end__lte=ended_by)
    return documents.exclude(status=Invoice.Status.DISCARDED)


def find_last_close() -> LastClose | None:
    """None where no period was closed yet."""
    whole = Invoice.objects.filter(kind=Invoice.Kind.CYCLE).exclude(status=Invoice.Status.DISCARDED)
    ended_by = whole.aggregate(last=Max("period_end"))["last"]
    if ended_by is None:
        return None
    ended_after = ended_by - REACH
    documents = live_documents(ended_after=ended_after, ended_by=ended_by)
    starts_at = documents.aggregate(first=Min("period_start"))["first"]
    return LastClose(ended_after=ended_after, ended_by=ended_by, starts_at=starts_at)
