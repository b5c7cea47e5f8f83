"""Recognise fees in advance as their time passes: one entry per customer, currency and month of the seller."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import Seller
from core.periods import Period
from invoicing.cycle.models import CreditLine, Invoice, InvoiceLine, Recognition
from invoicing.ledger import post
from invoicing.ledger.rules import recognition

NOTHING = Decimal(0)
CHUNK_CUSTOMERS = 500


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a line is earned by the end of a month and was not before."""

    line: InvoiceLine
    amount: Decimal


def recognize_months(*, at: datetime) -> int:
    """Post what was earned by the end of every month that is over; how many entries that took. Idempotent.

    Months are the seller's, whose dates of issue are booked. A document counts from the month it was issued in.
    """
    seller = Seller.objects.order_by("pk").first()
    if seller is None:
        return 0
    return sum(_recognize(until, day, at=at) for until, day in _months(seller, at=at))


def _months(seller: Seller, *, at: datetime) -> Iterator[tuple[datetime, date]]:
    """The end of each month since something was paid in advance, as an instant and as the last day."""
    zone = ZoneInfo(seller.time_zone)
    first = _in_advance().aggregate(first=Min("invoice__issue_date"))["first"]
    done = Recognition.objects.aggregate(last=Max("until"))["last"]
    start = max(first, (done - timedelta(microseconds=1)).astimezone(zone).date()) if first and done else first
    while start is not None:
        following = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        until = datetime.combine(following, time.min, zone)
        if until > at:
            return
        yield until, following - timedelta(days=1)
        start = following


def _in_advance() -> QuerySet[InvoiceLine]:
    return InvoiceLine.objects.filter(
        adjusts=None, invoice__status=Invoice.Status.FINAL, rated_line__price_version__params__billed="in_advance"
    )


def _recognize(until: datetime, day: date, *, at: datetime) -> int:
    parts: dict[tuple[int, str], list[_Part]] = defaultdict(list)
    for line in _open_lines(until, day):
        amount = _earned_since(line, until=until)
        if amount:
            parts[line.invoice.customer_id, line.invoice.currency].append(_Part(line, amount))
    return sum(
        _post(customer_id, currency, own, until=until, day=day, at=at)
        for (customer_id, currency), own in sorted(parts.items())
    )


def _open_lines(until: datetime, day: date) -> Iterator[Any]:
    """Lines issued by then of which the books do not have all that is due, with what is due and earned by now."""
    issued = Q(invoice__status=Invoice.Status.FINAL, invoice__issue_date__lte=day)
    corrected = InvoiceLine.objects.filter(issued, adjusts=OuterRef("pk")).values("adjusts")
    given = CreditLine.objects.filter(issued, credits=OuterRef("pk")).values("credits")
    earned = Recognition.objects.filter(line=OuterRef("pk")).values("line")
    lines = (
        _in_advance()
        .filter(invoice__issue_date__lte=day, segment_start__lt=until)
        .exclude(recognitions__until__gte=until)
        .annotate(
            corrected=Coalesce(Subquery(corrected.annotate(sum=Sum("amount")).values("sum")), NOTHING),
            given=Coalesce(Subquery(given.annotate(sum=Sum("amount")).values("sum")), NOTHING),
            earned=Coalesce(Subquery(earned.annotate(sum=Sum("amount")).values("sum")), NOTHING),
        )
        .exclude(segment_end__lt=until, earned=F("amount") + F("corrected") + F("given"))  # over, and all in the books
        .select_related("invoice")
        .order_by("pk")
    )
    return lines.iterator(chunk_size=2000)


def _earned_since(line: Any, *, until: datetime) -> Decimal:
    """Of a line of `_open_lines`: what is earned by then, less what the books have."""
    due = Decimal(line.amount + line.corrected + line.given)
    span = Period(line.segment_start, line.segment_end)
    return recognition.earned_by(due, time=span, until=until, currency=line.invoice.currency) - Decimal(line.earned)


@transaction.atomic
def _post(customer_id: int, currency: str, parts: list[_Part], *, until: datetime, day: date, at: datetime) -> int:
    total = sum((part.amount for part in parts), NOTHING)
    entry = post.post_entry(
        key=f"recognition:{customer_id}:{currency}:{day}",
        memo=f"Earned until {day}",
        customer_id=customer_id,
        currency=currency,
        booked_on=day,
        lines=recognition.book_earned(total),
        at=at,
    )
    if entry is None:
        return 0
    Recognition.objects.bulk_create(
        [Recognition(line=part.line, entry=entry, until=until, amount=part.amount) for part in parts]
    )
    return 1
