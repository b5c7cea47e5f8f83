"""What final invoices turn out to have charged wrongly is rated again as a whole, and the difference billed.

That is late usage, whose window is counted again, and a fee in advance that was not used to the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce

from core import knowing
from core.periods import Period
from invoicing.cycle import advance, plan_grounds
from invoicing.cycle.bills import Bill, BillLine
from invoicing.cycle.models import CreditLine, DeltaRow, Invoice, InvoiceLine, InvoiceTax
from invoicing.cycle.rules import corrections, wording
from invoicing.cycle.rules.totals import TaxTerms
from invoicing.pricing.models import Charge
from invoicing.rating import plan_rates, rate
from invoicing.rating.models import LineGround, RatedLine
from metering import aggregate
from metering import queries as metering_queries
from metering.models import AggregationSnapshot, Watermark

UNDECIDED = [Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED]


@dataclass(frozen=True, slots=True)
class Correction:
    """A final line as it would be rated now, and the bill that carries the difference."""

    line: InvoiceLine
    bill: Bill
    rated: RatedLine
    snapshot: AggregationSnapshot | None = None
    cause: DeltaRow.Cause = DeltaRow.Cause.USAGE


def find_late_lines(bills: Sequence[Bill], *, watermark: Watermark) -> list[InvoiceLine]:
    """Final lines of these customers in whose windows something is late.

    To be asked before the bills are counted: their own windows are at this watermark, so nothing in them is late.
    """
    windows = metering_queries.late_windows(customer_ids=_customers(bills), watermark=watermark)
    snapshots = [window.snapshot_id for window in windows]
    return list(adjustable_lines(Q(rated_line__snapshot__in=snapshots))) if snapshots else []


def add_adjustments(
    bills: Sequence[Bill], *, late_lines: Sequence[InvoiceLine], watermark: Watermark, at: datetime
) -> None:
    """Bill what is late in windows of final invoices, and give unused fees back, by the prices and taxes of then.

    A line that already has an adjustment on an undecided invoice waits until that is final or discarded, so
    that what was billed before is always what final lines say.
    """
    found = [*_count_late(bills, late_lines, watermark=watermark, at=at), *_rate_unused(bills, at=at)]
    if not found:
        return
    found += _rate_plans_again(found, bills, at=at)
    billed = _billed_before(each.line.pk for each in found)
    credited = _credited(each.line.pk for each in found)
    terms = _tax_terms(each.line.invoice_id for each in found)
    charges = Charge.objects.select_related("meter").in_bulk({each.rated.charge_id for each in found})
    for each in found:
        each.bill.lines.append(
            _difference(
                each,
                billed=billed[each.line.pk],
                terms=terms[each.line.invoice_id, each.line.tax_category, each.line.tax_percent],
                charge=charges[each.rated.charge_id],
                credited=credited.get(each.line.pk, Decimal(0)),
            )
        )


def _count_late(
    bills: Sequence[Bill], late_lines: Sequence[InvoiceLine], *, watermark: Watermark, at: datetime
) -> list[Correction]:
    found = _assign(late_lines, bills)
    bases = [line.rated_line.snapshot for line, _ in found if line.rated_line.snapshot is not None]
    snapshots = aggregate.take_adjustment_snapshots(bases, watermark=watermark, at=at)
    rated = rate.rerate_lines(
        [(line.rated_line, snapshot) for (line, _), snapshot in zip(found, snapshots, strict=True)],
        at=knowing.instant_or(at),
    )
    return [
        Correction(line, bill, again, snapshot)
        for (line, bill), again, snapshot in zip(found, rated, snapshots, strict=True)
    ]


def _rate_unused(bills: Sequence[Bill], *, at: datetime) -> list[Correction]:
    """Fees in advance whose time has begun, by the share that they are due for as agreements stand now."""
    changed = advance.candidates(customer_ids=_customers(bills))
    if changed is None:
        return []
    carriers = {
        line.pk: bill
        for line, bill in _assign(adjustable_lines(changed), bills)
        if line.segment_start < bill.period.end
    }
    unused = advance.find_unused(adjustable_lines(Q(pk__in=carriers)))
    rated = rate.rerate_fees([(each.line.rated_line, each.share) for each in unused], at=knowing.instant_or(at))
    return [
        Correction(each.line, carriers[each.line.pk], again, cause=DeltaRow.Cause.UNUSED_TIME)
        for each, again in zip(unused, rated, strict=True)
    ]


def _rate_plans_again(found: Sequence[Correction], bills: Sequence[Bill], *, at: datetime) -> list[Correction]:
    """What plans charged for lines that come to something else now, where that changes it; in the order of a close."""
    standing = plan_grounds.find_standing([each.line.pk for each in found])
    now = {each.line.pk: each.rated for each in found}
    corrections: list[Correction] = []
    for lines in standing.by_order:
        carried = _assign(adjustable_lines(Q(pk__in=lines)), bills)
        billed = _billed_before(line.pk for line, _ in carried)
        tasks = plan_rates.tasks_again(
            [(line.rated_line, standing.grounds_now(line, corrected=now)) for line, _ in carried]
        )
        computed = plan_rates.compute_tasks(tasks)
        changed = [
            (task, line, bill)
            for task, one, (line, bill) in zip(tasks, computed, carried, strict=True)
            if one.amount != billed[line.pk][1]
        ]
        rated = plan_rates.rate_tasks([task for task, _, _ in changed], at=knowing.instant_or(at))
        for (_, line, bill), again in zip(changed, rated, strict=True):
            corrections.append(Correction(line, bill, again, cause=DeltaRow.Cause.PLAN))
            now[line.pk] = again
    return corrections


def _customers(bills: Iterable[Bill]) -> list[int]:
    return sorted({bill.customer.pk for bill in bills})


def _difference(
    found: Correction, *, billed: tuple[Decimal, Decimal], terms: TaxTerms, charge: Charge, credited: Decimal
) -> BillLine:
    quantity, amount = billed
    line, rated = found.line, found.rated
    if found.cause == DeltaRow.Cause.UNUSED_TIME:
        describe, period = wording.unused_time, Period(line.segment_start, line.segment_end)
    else:
        describe, period = wording.adjustment, Period(line.invoice.period_start, line.invoice.period_end)
    return BillLine(
        charge=charge,
        snapshot=found.snapshot,
        rated=rated,
        taxes=terms,
        description=describe(charge_name=charge.name, period=period, zone=found.bill.zone),
        quantity=rated.quantity - quantity,
        amount=corrections.due_difference(rated=rated.amount, billed=amount, credited=credited),
        adjusts=line,
        cause=found.cause,
    )


def _assign(lines: Iterable[InvoiceLine], bills: Iterable[Bill]) -> list[tuple[InvoiceLine, Bill]]:
    """Each line with the bill that carries its difference; one that no bill can carry waits."""
    by_customer: dict[int, list[Bill]] = defaultdict(list)
    for bill in bills:
        by_customer[bill.customer.pk].append(bill)
    carried = ((line, _bill_for(line, by_customer[line.invoice.customer_id])) for line in lines)
    return [(line, bill) for line, bill in carried if bill is not None]


def adjustable_lines(which: Q) -> QuerySet[InvoiceLine]:
    """Original lines of final invoices among these, without an adjustment still to be decided.

    A line also waits while one of a whole plan that stands on it does: the two are corrected together. And it waits
    while a credit note over it does.
    """
    waiting = InvoiceLine.objects.filter(adjusts=OuterRef("pk"), invoice__status__in=UNDECIDED)
    together = LineGround.objects.filter(
        Q(ground__invoice_line=OuterRef("pk")) | Q(ground__invoice_line__adjusts=OuterRef("pk")),
        line__invoice_line__adjusted_by__invoice__status__in=UNDECIDED,
    )
    given_back = CreditLine.objects.filter(credits=OuterRef("pk"), invoice__status__in=UNDECIDED)
    return (
        InvoiceLine.objects.filter(
            which,
            ~Exists(waiting),
            ~Exists(together),
            ~Exists(given_back),
            adjusts=None,
            invoice__status=Invoice.Status.FINAL,
        )
        .select_related("invoice", "rated_line__snapshot", "rated_line__subscription", "rated_line__plan_version")
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
    """Quantity and amount that final lines have billed of each original line, itself included.

    By an original line all that was rated is billed: what it takes off, interim invoices billed before it.
    """
    ids = list(line_ids)
    original = Coalesce("adjusts_id", "pk")
    final = InvoiceLine.objects.filter(Q(pk__in=ids) | Q(adjusts__in=ids), invoice__status=Invoice.Status.FINAL)
    sums = (
        final.annotate(original=original)
        .values("original")
        .annotate(
            units=Sum(Case(When(adjusts=None, then="rated_line__quantity"), default="quantity")),
            money=Sum(Case(When(adjusts=None, then="rated_line__amount"), default="amount")),
        )
    )
    return {row["original"]: (row["units"], row["money"]) for row in sums.order_by("original")}


def _credited(line_ids: Iterable[int]) -> dict[int, Decimal]:
    """What credit notes have given back of each original line; below 0 for what was charged."""
    given = CreditLine.objects.filter(credits__in=list(line_ids), invoice__status=Invoice.Status.FINAL)
    return dict(given.values_list("credits").annotate(given=Sum("amount")).order_by("credits"))


def _tax_terms(invoice_ids: Iterable[int]) -> dict[tuple[int, str, Decimal], TaxTerms]:
    """The words for each category and rate, as the corrected invoices had them."""
    return {
        (tax.invoice_id, tax.category, tax.percent): TaxTerms(
            name=tax.name, category=tax.category, percent=tax.percent, note=tax.note
        )
        for tax in InvoiceTax.objects.filter(invoice__in=set(invoice_ids))
    }
