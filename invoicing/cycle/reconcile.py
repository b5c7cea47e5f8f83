"""Reconcile: count the raw events once more, rate once more, and name every difference."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core.periods import Period
from invoicing.cycle import differences, draft, hold, move, pause, strays
from invoicing.cycle.bills import Bill, BillLine
from invoicing.cycle.models import Hold, Invoice, InvoiceLine, TieOut
from invoicing.cycle.rules import tie_out
from invoicing.cycle.rules.totals import TaxTerms
from invoicing.pricing.queries import DuePeriod
from invoicing.rating import rate
from invoicing.rating.rate import Recomputed
from metering import queries as metering_queries
from metering.models import AggregationSnapshot, Watermark
from metering.queries import Recount

RECHECKED = [Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED]


def tie_out_bills(bills: Sequence[Bill], *, watermark: Watermark) -> None:
    """Give every bill its result, counted by other statements than the snapshots; the number of customers is no matter.

    An adjustment is compared as the whole window it re-rated; what it bills is the difference to earlier lines.
    """
    strays.find_strays(bills, watermark=watermark)
    lines = [line for bill in bills for line in bill.lines]
    recounts = metering_queries.recount([line.snapshot for line in lines if line.snapshot])
    invoices = [None if line.adjusts else id(bill) for bill in bills for line in bill.lines]
    again = iter(rate.recompute_lines([line.rated for line in lines], invoices=invoices))
    for bill in bills:
        chains = [_chain(line, again=next(again), recounts=recounts) for line in bill.lines]
        bill.result = tie_out.tie_out(chains=chains, strays=bill.strays)
    differences.look_closer(bills)


def _chain(line: BillLine, *, again: Recomputed, recounts: Mapping[int, Recount]) -> tie_out.Chain:
    rated, snapshot = line.rated, line.snapshot
    return tie_out.Chain(
        label=line.description,
        raw=None if snapshot is None else _count(recounts.get(snapshot.pk)),
        aggregated=None if snapshot is None else _count(snapshot),
        unmeasured_events=0 if snapshot is None else snapshot.unmeasured_count,
        rated_quantity=rated.quantity,
        rated=tie_out.Amount(exact=rated.amount_exact, rounded=rated.amount),
        again=tie_out.Amount(exact=again.amount_exact, rounded=again.amount),
        rated_parts=_parts(rated.part_count, rated.parts_digest),
        raw_parts=_parts(*again.mark),
    )


def _parts(count: int | None, digest: str) -> tie_out.Parts | None:
    return None if count is None else tie_out.Parts(count=count, digest=digest)


def _count(counted: AggregationSnapshot | Recount | None) -> tie_out.Count | None:
    if counted is None:
        return None
    return tie_out.Count(events=counted.event_count, quantity=counted.quantity, digest=counted.digest)


@transaction.atomic
def recheck_invoice(*, invoice_id: int, actor: Any, at: datetime) -> TieOut:
    """Recount an invoice that is not final yet; a break that was not known holds it and withdraws its approval."""
    if actor is not None:
        roles.require_role(actor, Role.FINANCE, to="recheck invoices")
    pause.lock_cycle(invoice_id=invoice_id)
    invoice = move.lock_invoice(invoice_id=invoice_id)
    if invoice.status not in RECHECKED:
        raise move.WrongStateError(f"The invoice is {invoice.status}; only undecided figures are counted again.")
    bill = bill_of(invoice)
    tie_out_bills([bill], watermark=invoice.watermark)
    assert bill.result is not None  # noqa: S101  it was given one in the line above
    row = draft.tie_out_row(invoice, result=bill.result, at=at)
    row.save()
    known = {(found.name, found.detail) for found in invoice.breaks.all()}
    new = [
        (finding, differing)
        for finding, differing in zip(bill.result.findings, bill.differing, strict=True)
        if (finding.name, finding.detail) not in known
    ]
    if new and invoice.status != Invoice.Status.HELD:
        reason = draft.hold_reason(
            [finding for finding, _ in new]
        )  # found by counting, not placed by whoever asked for the count
        hold.place_hold(invoice, cause=Hold.Cause.BREAK, reason=reason, actor=None, at=at)
    draft.keep_breaks([(finding, differing, row) for finding, differing in new], at=at)
    return row


def bill_of(invoice: Invoice) -> Bill:
    """The bill that a stored invoice was drafted from."""
    cycle = invoice.cycle
    lines = invoice.lines.select_related("rated_line__snapshot", "rated_line__charge", "adjusts")
    return Bill(
        due=DuePeriod(cycle.subscription_id, cycle.customer_id, Period(invoice.period_start, invoice.period_end)),
        cycle=cycle,
        kind=Invoice.Kind(invoice.kind),
        customer=invoice.customer,
        zone=invoice.parties["customer"]["time_zone"],
        lines=[_bill_line(line) for line in lines],
    )


def _bill_line(line: InvoiceLine) -> BillLine:
    return BillLine(
        charge=line.rated_line.charge,
        snapshot=line.rated_line.snapshot,
        rated=line.rated_line,
        taxes=TaxTerms(name="", category=line.tax_category, percent=line.tax_percent),
        description=line.description,
        quantity=line.quantity,
        amount=line.amount,
        adjusts=line.adjusts,
    )
