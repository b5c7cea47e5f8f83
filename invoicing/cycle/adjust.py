"""Late usage: a window on a final invoice is counted and rated again, and the difference billed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from core.periods import Period
from invoicing.cycle.bills import Bill, BillLine
from invoicing.cycle.models import Invoice, InvoiceLine, InvoiceTax
from invoicing.cycle.rules import wording
from invoicing.cycle.rules.totals import TaxTerms
from invoicing.pricing.models import Charge
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from metering import aggregate
from metering import queries as metering_queries
from metering.models import AggregationSnapshot, Watermark

UNDECIDED = [Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED]


@dataclass(frozen=True, slots=True)
class Late:
    """A final line whose window has late events, and the bill that carries the difference."""

    line: InvoiceLine
    snapshot: AggregationSnapshot
    bill: Bill


def find_late_lines(bills: Sequence[Bill], *, watermark: Watermark) -> list[InvoiceLine]:
    """Final lines of these customers in whose windows something is late.

    To be asked before the bills are counted: their own windows are at this watermark, so nothing in them is late.
    """
    customers = sorted({bill.customer.pk for bill in bills})
    windows = metering_queries.late_windows(customer_ids=customers, watermark=watermark)
    return list(adjustable_lines(window.snapshot_id for window in windows))


def add_adjustments(
    bills: Sequence[Bill], *, late_lines: Sequence[InvoiceLine], watermark: Watermark, at: datetime
) -> None:
    """Bill what is late in windows of final invoices, by the prices and taxes of those windows.

    A window that already has an adjustment on an undecided invoice waits until that is final or discarded, so
    that what was billed before is always what final lines say.
    """
    found = _assign(late_lines, bills)
    if not found:
        return
    snapshots = aggregate.take_adjustment_snapshots([late.snapshot for late in found], watermark=watermark, at=at)
    corrections = list(zip((late.line.rated_line for late in found), snapshots, strict=True))
    rated = rate.rerate_lines(corrections, at=at)
    billed = _billed_before(late.line.pk for late in found)
    terms = _tax_terms(late.line.invoice_id for late in found)
    charges = Charge.objects.select_related("meter").in_bulk({line.charge_id for line in rated})
    for late, snapshot, line in zip(found, snapshots, rated, strict=True):
        late.bill.lines.append(
            _difference(
                late,
                snapshot=snapshot,
                rated=line,
                billed=billed[late.line.pk],
                terms=terms[late.line.invoice_id, late.line.tax_category, late.line.tax_percent],
                charge=charges[line.charge_id],
            )
        )


def _difference(
    late: Late,
    *,
    snapshot: AggregationSnapshot,
    rated: RatedLine,
    billed: tuple[Decimal, Decimal],
    terms: TaxTerms,
    charge: Charge,
) -> BillLine:
    quantity, amount = billed
    issued = late.line.invoice
    period = Period(issued.period_start, issued.period_end)
    return BillLine(
        charge=charge,
        snapshot=snapshot,
        rated=rated,
        taxes=terms,
        description=wording.adjustment(charge_name=charge.name, period=period, zone=late.bill.zone),
        quantity=rated.quantity - quantity,
        amount=rated.amount - amount,
        adjusts=late.line,
    )


def _assign(lines: Iterable[InvoiceLine], bills: Iterable[Bill]) -> list[Late]:
    by_customer: dict[int, list[Bill]] = defaultdict(list)
    for bill in bills:
        by_customer[bill.customer.pk].append(bill)
    found = []
    for line in lines:
        carrier = _bill_for(line, by_customer[line.invoice.customer_id])
        if carrier is not None and line.rated_line.snapshot is not None:
            found.append(Late(line, line.rated_line.snapshot, carrier))
    return found


def adjustable_lines(snapshot_ids: Iterable[int]) -> QuerySet[InvoiceLine]:
    """Original lines of final invoices over these snapshots, without an adjustment still to be decided."""
    waiting = InvoiceLine.objects.filter(adjusts=OuterRef("pk"), invoice__status__in=UNDECIDED)
    return (
        InvoiceLine.objects.filter(
            ~Exists(waiting), rated_line__snapshot__in=list(snapshot_ids), invoice__status=Invoice.Status.FINAL
        )
        .select_related("invoice", "rated_line__snapshot", "rated_line__subscription")
        .order_by("pk")
    )


def _bill_for(line: InvoiceLine, bills: Sequence[Bill]) -> Bill | None:
    """Of the customer's bills the first of the same subscription, or, where that has ended, the first of any."""
    subscription = line.rated_line.subscription
    same_money = [
        bill
        for bill in bills
        if bill.customer.pk == line.invoice.customer_id and bill.currency == line.invoice.currency
    ]
    own = [bill for bill in same_money if bill.due.subscription_id == subscription.pk]
    if own:
        return own[0]
    over = [bill for bill in same_money if subscription.ends_at and subscription.ends_at <= bill.period.end]
    return over[0] if over else None


def _billed_before(line_ids: Iterable[int]) -> dict[int, tuple[Decimal, Decimal]]:
    """Quantity and amount that final lines have billed of each original line, itself included."""
    ids = list(line_ids)
    original = Coalesce("adjusts_id", "pk")
    final = InvoiceLine.objects.filter(Q(pk__in=ids) | Q(adjusts__in=ids), invoice__status=Invoice.Status.FINAL)
    sums = final.annotate(original=original).values("original").annotate(units=Sum("quantity"), money=Sum("amount"))
    return {row["original"]: (row["units"], row["money"]) for row in sums.order_by("original")}


def _tax_terms(invoice_ids: Iterable[int]) -> dict[tuple[int, str, Decimal], TaxTerms]:
    """The words for each category and rate, as the corrected invoices had them."""
    return {
        (tax.invoice_id, tax.category, tax.percent): TaxTerms(
            name=tax.name, category=tax.category, percent=tax.percent, note=tax.note
        )
        for tax in InvoiceTax.objects.filter(invoice__in=set(invoice_ids))
    }
