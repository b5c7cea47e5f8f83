"""How far the invoices of a month have come: counted in PostgreSQL, by status and currency."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, F, QuerySet, Sum

from invoicing.cycle.models import Break, Hold, Invoice, InvoiceApproval

Status = Invoice.Status


@dataclass(slots=True)
class Stage:
    """Invoices of one status, and what they come to in each currency."""

    status: str
    count: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)


def stages(*, start: datetime, end: datetime) -> dict[str, Stage]:
    """Every status that an invoice of a period that ended in `[start, end)` has, by the day before its end."""
    found: dict[str, Stage] = {}
    rows = invoices_of(start=start, end=end).values_list("status", "currency")
    for status, currency, count, total in rows.annotate(Count("id"), Sum("total")).order_by("currency"):
        stage = found.setdefault(status, Stage(status))
        stage.count += count
        stage.totals[currency] = total
    return found


def totals_of(found: Iterable[Stage]) -> dict[str, Decimal]:
    """All of them together, by currency."""
    together: dict[str, Decimal] = {}
    for stage in found:
        for currency, total in stage.totals.items():
            together[currency] = together.get(currency, Decimal(0)) + total
    return dict(sorted(together.items()))


def half_approved(*, start: datetime, end: datetime) -> int:
    """Drafts that one person approved and that wait for the second."""
    drafts = invoices_of(start=start, end=end).filter(status=Status.DRAFT)
    live = InvoiceApproval.objects.filter(invoice__in=drafts, revision=F("invoice__revision"))
    return live.values("invoice").distinct().count()


def holds_by_reason(*, start: datetime, end: datetime) -> list[tuple[str, str, int]]:
    """Open holds as (code for the queue, words, how many), the most frequent first."""
    open_holds = Hold.objects.filter(released_at=None, invoice__in=invoices_of(start=start, end=end))
    rows = open_holds.values_list("cause", "listed_reason__code", "listed_reason__label").annotate(n=Count("id"))
    return [
        (code or cause, label or str(Hold.Cause(cause).label), n)
        for cause, code, label, n in rows.order_by("-n", "cause")
    ]


def open_breaks(*, start: datetime, end: datetime) -> list[tuple[str, int]]:
    """Open breaks by name, the most frequent first."""
    found = Break.objects.filter(closed_at=None, invoice__in=invoices_of(start=start, end=end))
    rows = found.exclude(invoice__status=Status.DISCARDED).values_list("name").annotate(n=Count("id"))
    return [(str(Break.Name(name).label), n) for name, n in rows.order_by("-n", "name")]


def invoices_of(*, start: datetime, end: datetime) -> QuerySet[Invoice]:
    """By the day before the end of their period, which lies in its last days whatever time zone cut it."""
    day = timedelta(days=1)
    return Invoice.objects.filter(period_end__gte=start + day, period_end__lt=end + day)
