"""Open pieces of time as the bills that would be drafted for them, priced by sums; nothing is stored."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from accounts.models import Customer
from core.periods import Period
from invoicing.cycle import advance, agreements, assemble, deduct, plan_lines, prepayments, preview
from invoicing.cycle.bills import Bill, BillLine, own_line
from invoicing.cycle.rules.agreed import NO_TERMS
from invoicing.cycle.rules.totals import OUTSIDE_SCOPE, Totals
from invoicing.cycle.taxes import TaxTable
from invoicing.exposure import read_usage
from invoicing.exposure.pieces import Piece
from invoicing.exposure.read_usage import Before, Key, Read
from invoicing.pricing.models import Charge
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import rate
from invoicing.rating.models import RatedLine


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One segment of a bill: what was read of it, what it costs, and how many of its units cost nothing."""

    segment: PriceSegment
    read: Read
    line: BillLine
    included: Decimal


@dataclass(slots=True, kw_only=True)
class PricedBill:
    """What would be invoiced for one piece; `flaws` says what could not be priced."""

    bill: Bill
    running: Period | None
    lines: list[PricedLine] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    billed_inside: Decimal = Decimal(0)  # payable of interim invoices of the same period, with tax; taken off already
    prepaid_left: Decimal = Decimal(0)  # of what was paid in advance, what this bill may take
    prepaid: Decimal = Decimal(0)  # what it takes of that; taken off already

    def total(self) -> Totals:
        """With tax and with what is agreed for the document."""
        return preview.total_bills([self.bill], currency=self.bill.currency, prepaid_left=self.prepaid_left)[1]

    @property
    def payable(self) -> Decimal:
        return self.total().payable


def price_pieces(pieces: Sequence[Piece], *, before: Mapping[Key, Before], at: datetime) -> list[PricedBill]:
    """Price every piece as a close would, for as many customers as there are in a fixed number of statements.

    A fee in advance of a period that has not begun is no part of it. It may wait for captures in flight, so call it
    outside a transaction.
    """
    priced = _open_bills(pieces, at=at)
    by_due = {one.bill.due: one for one in priced}
    billed = [
        (by_due[due].bill, segment)
        for due, segment in advance.segments_to_bill(list(by_due))
        if segment.start < due.period.end
    ]
    plan_charges, billed = plan_lines.take_plan_charges(billed)
    segments = [segment for _, segment in billed]
    reads = read_usage.read_segments(segments, before=before, at=at)
    flaws = _add_lines([(by_due[bill.due], segment) for bill, segment in billed], reads)
    plan_lines.add_plan_lines(
        [charge for charge in plan_charges if charge.last.subscription_id not in flaws], rater=preview.rate_unsaved
    )
    _take_off_interims(priced)
    _take_off_prepaid(priced)
    return priced


def _take_off_prepaid(priced: Sequence[PricedBill]) -> None:
    """What was paid in advance and no invoice used yet goes to the bills in their order, as a close would have it."""
    prepaid = prepayments.Prepaid([one.bill for one in priced])
    for one in priced:
        one.prepaid_left = prepaid.left_for(one.bill)
        if one.prepaid_left:
            one.prepaid = one.total().prepaid
            prepaid.use(one.bill, one.prepaid)


def _take_off_interims(priced: Sequence[PricedBill]) -> None:
    """What interim invoices bill of these periods is not unbilled: it is unpaid, paid, or among the drafts."""
    whole = [list(one.bill.lines) for one in priced]
    left = deduct.take_off_what_fits([one.bill for one in priced], with_undecided=True)
    for one, lines in zip(priced, whole, strict=True):
        flaws = [each for each in left if each.rated_line.subscription_id == one.bill.due.subscription_id]
        one.flaws += [deduct.left_over_text(each) for each in flaws]
        if any(line.deducts for line in one.bill.lines):
            rest = preview.total_bills([replace(one.bill, lines=lines)], currency=one.bill.currency)[1].payable
            one.billed_inside = rest - one.payable
            now = {id(before): after for before, after in zip(lines, one.bill.lines, strict=True)}
            one.lines = [replace(each, line=now[id(each.line)]) for each in one.lines]


def _open_bills(pieces: Sequence[Piece], *, at: datetime) -> list[PricedBill]:
    customers = Customer.objects.in_bulk({piece.due.customer_id for piece in pieces})
    table = TaxTable(customers.values())
    agreed = agreements.document_terms([piece.due for piece in pieces])
    priced = []
    for piece in pieces:
        customer = customers[piece.due.customer_id]
        taxes = table.terms(customer, period=piece.due.period)
        bill = Bill(
            due=piece.due,
            cycle=assemble.new_cycle(piece.due, at=at),
            customer=customer,
            zone=customer.time_zone,
            taxes=OUTSIDE_SCOPE if taxes is None else taxes,
            terms=agreed.get(piece.due, NO_TERMS),
        )
        flaws = [f"No tax rate {customer.tax_rate_code} is in force: no tax is in it."] if taxes is None else []
        priced.append(PricedBill(bill=bill, running=piece.running, flaws=flaws))
    return priced


def _add_lines(billed: Sequence[tuple[PricedBill, PriceSegment]], reads: Sequence[Read]) -> frozenset[int]:
    """Rate and add each segment; those of subscriptions with one that has no amount are left out, and named."""
    rated, failures = _rate([segment for _, segment in billed], reads)
    charges = Charge.objects.select_related("meter", "plan").in_bulk({segment.charge_id for _, segment in billed})
    metered = {place: segment for place, (_, segment) in enumerate(billed) if segment.meter_id is not None}
    included = dict(zip(metered, rate.included_quantities(list(metered.values())), strict=True))
    for place, ((priced, segment), read) in enumerate(zip(billed, reads, strict=True)):
        charge = charges[segment.charge_id]
        row = _kept_row(segment, read, currency=charge.plan.currency) if read.before is not None else rated.get(place)
        if row is None or segment.subscription_id in failures:
            continue
        line = own_line(priced.bill, charge=charge, snapshot=None, rated=row)
        priced.bill.lines.append(line)
        priced.lines.append(PricedLine(segment, read, line, included.get(place, Decimal(0))))
    for priced, segment in billed:
        if (reason := failures.get(segment.subscription_id)) and reason not in priced.flaws:
            priced.flaws.append(reason)
    return frozenset(failures)


def _rate(segments: Sequence[PriceSegment], reads: Sequence[Read]) -> tuple[dict[int, RatedLine], dict[int, str]]:
    """By place: the amounts; by subscription: why one of its segments has none. One that has none hides no other."""
    left = [place for place, read in enumerate(reads) if read.before is None]
    failures: dict[int, str] = {}
    while left:
        try:
            computed = rate.compute_usages([(segments[place], reads[place].usage) for place in left])
        except rate.UnratableError as error:
            failures |= error.reasons
            left = _without(left, segments, error.reasons.keys())
        else:
            return {place: preview.unsaved(one) for place, one in zip(left, computed, strict=True)}, failures
    return {}, failures


def _without(places: Iterable[int], segments: Sequence[PriceSegment], subscription_ids: Collection[int]) -> list[int]:
    return [place for place in places if segments[place].subscription_id not in subscription_ids]


def _kept_row(segment: PriceSegment, read: Read, *, currency: str) -> RatedLine:
    """What the last count of a long window came to, until it is counted anew."""
    assert read.before is not None  # noqa: S101  asked by the caller
    return RatedLine(
        price_version_id=segment.price_version_id,
        fee_version_id=segment.fee_version_id,
        segment_start=segment.start,
        segment_end=segment.end,
        effective_at=segment.start,
        quantity=read.before.quantity,
        computation=[],
        currency=currency,
        amount=read.before.amount,
    )
