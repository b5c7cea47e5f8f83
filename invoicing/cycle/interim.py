"""From a running period to an interim bill: what was used so far, at a watermark, less what was billed already."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core import rounding
from core.periods import Period
from invoicing.cycle import assemble, deduct, reconcile
from invoicing.cycle.bills import Bill, own_line
from invoicing.cycle.models import BillingCycle, Invoice, InvoiceLine
from invoicing.cycle.rules.agreed import DocumentTerms
from invoicing.cycle.rules.crossing import ChargeSoFar
from invoicing.cycle.running import Running
from invoicing.pricing.models import Charge
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import rate
from metering import aggregate
from metering.models import Watermark

ZERO = Decimal(0)


def fill_bill(
    running: Running, segments: Sequence[PriceSegment], *, watermark: Watermark, at: datetime
) -> tuple[Bill, list[ChargeSoFar]]:
    """The interim bill of `[period start, at)`, and what each charge comes to by now; DomainError without a tax rate.

    Snapshots and rated lines are written; the caller undoes them where nothing is drafted.
    """
    bill = _open_bill(running, at=at)
    windows = [assemble.usage_window(replace(one, end=min(one.end, at))) for one in segments]
    snapshots = aggregate.take_interim_snapshots(windows, watermark=watermark, at=at)
    rated = rate.rate_so_far(list(zip(segments, snapshots, strict=True)), until=at, at=at)
    charges = Charge.objects.select_related("meter").in_bulk({segment.charge_id for segment in segments})
    for segment, snapshot, line in zip(segments, snapshots, rated, strict=True):
        bill.lines.append(own_line(bill, charge=charges[segment.charge_id], snapshot=snapshot, rated=line))
    so_far = _so_far(bill, before={} if running.cycle is None else _drafted_before(running.cycle))
    deduct.take_off([bill])
    reconcile.tie_out_bills([bill], watermark=watermark)
    return bill, so_far


def _open_bill(running: Running, *, at: datetime) -> Bill:
    due = replace(running.due, period=Period(running.due.period.start, at))
    cycle = running.cycle or assemble.new_cycle(running.due, at=at)
    bills, failures = assemble.open_bills([due], cycles={(due.subscription_id, due.period.start): cycle}, at=at)
    if failures:
        raise assemble.NotBillableError(failures[0].reason)
    bills[0].kind = Invoice.Kind.INTERIM
    bills[0].terms = shares_of(bills[0].terms)
    return bills[0]


def shares_of(terms: DocumentTerms) -> DocumentTerms:
    """Percentages hold for every part; an amount agreed per invoice is taken once, by the invoice of the period."""
    return replace(terms, agreed=tuple(one for one in terms.agreed if one.percent is not None))


def _so_far(bill: Bill, *, before: Mapping[int, Decimal]) -> list[ChargeSoFar]:
    """Charge by charge, before anything is taken off."""
    amounts: dict[int, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    names: dict[int, str] = {}
    with rounding.exactly():
        for line in bill.lines:
            names[line.charge.pk] = line.charge.code
            sums = amounts[line.charge.pk]
            sums[0] += line.rated.quantity
            sums[1] += line.rated.amount
    return [
        ChargeSoFar(charge=names[pk], quantity=quantity, amount=amount, before=before.get(pk, ZERO))
        for pk, (quantity, amount) in amounts.items()
    ]


def drafted_before_of(subscription_ids: Collection[int], *, at: datetime) -> dict[int, dict[int, Decimal]]:
    """By subscription and charge: what the last interim draft of the running period that had it came to."""
    cycles = BillingCycle.objects.filter(
        subscription__in=subscription_ids, period_start__lte=at, period_end__gt=at, invoices__kind=Invoice.Kind.INTERIM
    ).distinct()
    return {cycle.subscription_id: _drafted_before(cycle) for cycle in cycles}


def _drafted_before(cycle: BillingCycle) -> dict[int, Decimal]:
    """What each charge came to on the last interim draft of the period that had it, discarded ones among them."""
    latest: dict[int, int] = {}
    amounts: dict[int, Decimal] = {}
    rows = InvoiceLine.objects.filter(invoice__cycle=cycle, invoice__kind=Invoice.Kind.INTERIM).order_by("-invoice_id")
    with rounding.exactly():
        for invoice_id, charge_id, amount in rows.values_list(
            "invoice_id", "rated_line__charge_id", "rated_line__amount"
        ):
            if latest.setdefault(charge_id, invoice_id) == invoice_id:
                amounts[charge_id] = amounts.get(charge_id, ZERO) + amount
    return amounts
