"""What interim invoices billed of a running period is taken off the lines that bill it as a whole.

Each line is the rounded amount of all that was used so far, less the rounded amounts before it, so they add up.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from core.errors import DomainError
from invoicing.cycle.bills import Bill, BillLine
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing.queries import DuePeriod

UNDECIDED = [Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED]
ZERO = Decimal(0)


class InterimLeftOverError(DomainError):
    """What an interim invoice billed has no place in what is agreed for its period by now."""

    code = "interim_left_over"


def take_off(bills: Sequence[Bill]) -> None:
    """Take every final interim line off the line of its bill that rates the same usage; in one statement.

    InterimLeftOverError if a whole period has no such line: nothing is billed until an agreement says what that usage
    costs.
    """
    if left := take_off_what_fits(bills):
        raise InterimLeftOverError(left_over_text(left[0]))


def take_off_what_fits(bills: Sequence[Bill], *, with_undecided: bool = False) -> list[InvoiceLine]:
    """The same; the interim lines that a whole period has no place for are given back.

    For looking ahead, lines of undecided interim invoices can be taken off too. Where agreements changed since, the
    place is the line of the same charge, or else of the same meter.
    """
    by_subscription: dict[int, list[Bill]] = defaultdict(list)
    for bill in bills:
        by_subscription[bill.due.subscription_id].append(bill)
    found: dict[tuple[int, int], list[InvoiceLine]] = defaultdict(list)
    left = []
    counting = [Invoice.Status.FINAL, *(UNDECIDED if with_undecided else ())]
    for billed in _interim_lines(by_subscription, statuses=counting):
        carrier = _bill_for(billed, by_subscription[billed.rated_line.subscription_id])
        place = None if carrier is None else _place_for(billed, carrier)
        if carrier is not None and place is not None:
            found[id(carrier), place].append(billed)
        elif carrier is not None and carrier.kind == Invoice.Kind.CYCLE:
            left.append(billed)
    for bill in bills:
        for place, line in enumerate(bill.lines):
            if billed_lines := found.get((id(bill), place)):
                bill.lines[place] = _less(line, billed_lines)
    return left


def left_over_text(billed: InvoiceLine) -> str:
    """What was billed and has no price any more, and what to do about it."""
    return (
        f"{billed.invoice.number} billed {billed.rated_line.charge.name} inside the period, but no agreement of this"
        f" period has a price for its meter any more. Agree one from {billed.segment_start:%Y-%m-%d %H:%M} UTC on."
    )


def undecided_interims(due: Iterable[DuePeriod]) -> dict[DuePeriod, Invoice]:
    """The interim invoices of these periods that are neither final nor discarded yet."""
    wanted = list(due)
    undecided = Invoice.objects.filter(
        kind=Invoice.Kind.INTERIM,
        status__in=UNDECIDED,
        cycle__subscription__in={each.subscription_id for each in wanted},
    ).select_related("cycle")
    by_cycle = {(one.cycle.subscription_id, one.cycle.period_start): one for one in undecided}
    keys = {each: (each.subscription_id, each.period.start) for each in wanted}
    return {each: by_cycle[key] for each, key in keys.items() if key in by_cycle}


def _interim_lines(subscription_ids: Iterable[int], *, statuses: Sequence[Invoice.Status]) -> Iterable[InvoiceLine]:
    return (
        InvoiceLine.objects.filter(
            invoice__kind=Invoice.Kind.INTERIM,
            invoice__status__in=statuses,
            invoice__cycle__subscription__in=list(subscription_ids),
        )
        .select_related("invoice", "rated_line__charge")
        .order_by("pk")
    )


def _bill_for(billed: InvoiceLine, bills: Iterable[Bill]) -> Bill | None:
    return next((bill for bill in bills if bill.period.contains(billed.segment_start)), None)


def _place_for(billed: InvoiceLine, bill: Bill) -> int | None:
    """Where on the bill the usage of this line is rated again; None where it is not."""
    own = [
        (place, line)
        for place, line in enumerate(bill.lines)
        if line.adjusts is None and line.charge.meter_id is not None
    ]
    charge = billed.rated_line.charge
    same_charge = [(place, line) for place, line in own if line.charge.pk == charge.pk]
    around = [place for place, line in same_charge if line.rated.segment_start <= billed.segment_start]
    if around:
        return around[-1]
    same_meter = [place for place, line in own if line.charge.meter_id == charge.meter_id]
    places = [place for place, _ in same_charge] or same_meter
    return places[0] if places else None


def _less(line: BillLine, billed: Sequence[InvoiceLine]) -> BillLine:
    return replace(
        line,
        quantity=line.quantity - sum((one.quantity for one in billed), ZERO),
        amount=line.amount - sum((one.amount for one in billed), ZERO),
        deducts=(*line.deducts, *billed),
    )
