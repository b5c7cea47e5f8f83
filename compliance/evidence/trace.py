"""Walk an invoice line back to its events, and forward again to its amount."""

from dataclasses import dataclass
from enum import StrEnum

from django.db.models import QuerySet

from compliance.evidence import document, followed, forward
from compliance.evidence.agreed import Agreed, work_out
from compliance.evidence.followed import Followed
from compliance.evidence.forward import Billed
from compliance.evidence.known import Agreements
from compliance.evidence.rules import proof
from compliance.evidence.rules.proof import Check
from core.errors import NotFoundError
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing.models import PriceVersion
from invoicing.rating.models import LineGround, RatedLine
from metering.models import AggregationSnapshot

EVENT_BY_EVENT_MAX = 10_000  # what a page can wait for; above it the database counts
AT_ONCE_MAX = 100_000  # above it even the database takes longer than that: a job counts, or whoever insists


class Counted(StrEnum):
    """How far the events behind a line were looked at again."""

    EACH = "event by event"
    TOGETHER = "by the database"
    NOT = "not now"
    NONE = "no events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A line with everything it rests on, and each step of the way forward done again.

    The line of a whole plan has `grounds`: the other lines that it rates. What stands on this one is in `carries`, what
    later lines do to it in `followed`.
    """

    line: InvoiceLine
    rated: RatedLine
    snapshot: AggregationSnapshot | None
    next_price: PriceVersion | None
    agreed: Agreed
    billed_before: Billed | None
    grounds: tuple[LineGround, ...]
    carries: tuple[LineGround, ...]
    followed: tuple[Followed, ...]
    counted: Counted
    checks: tuple[Check, ...]

    @property
    def is_event_by_event(self) -> bool:
        return self.counted == Counted.EACH

    @property
    def first_difference(self) -> Check | None:
        return proof.first_difference(self.checks)

    @property
    def is_equal(self) -> bool:
        return self.first_difference is None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTrace:
    """Every line of an invoice, and what the lines add up to."""

    invoice: Invoice
    traces: tuple[Trace, ...]
    checks: tuple[Check, ...]

    @property
    def is_equal(self) -> bool:
        return all(trace.is_equal for trace in self.traces) and proof.first_difference(self.checks) is None


def find_line(*, line_id: int, invoice_id: int | None = None) -> InvoiceLine:
    """The line with all that a walk reads; NotFoundError if there is none, or none on that invoice."""
    lines = _whole_lines().filter(pk=line_id)
    if invoice_id is not None:
        lines = lines.filter(invoice=invoice_id)
    line: InvoiceLine | None = lines.first()
    if line is None:
        raise NotFoundError("There is no such invoice line.")
    return line


def trace_line(*, line_id: int, is_thorough: bool = True) -> Trace:
    """Walk one line; an equal verdict means that its amount follows from its events, step by step.

    Where it is not to be thorough, very many events are not counted again: `counted` says so, and the stored figures,
    the price and the amount are still held against each other.
    """
    line = find_line(line_id=line_id)
    return _trace(line, agreements=Agreements([line.rated_line.subscription_id]), is_thorough=is_thorough)


def trace_invoice(*, invoice_id: int) -> InvoiceTrace:
    """Walk every line of an invoice, and add them up."""
    invoice = Invoice.objects.select_related("cycle").filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.")
    whole = list(_whole_lines().filter(invoice=invoice).order_by("position"))
    agreements = Agreements(line.rated_line.subscription_id for line in whole)
    traces = tuple(_trace(line, agreements=agreements, is_thorough=True) for line in whole)
    return InvoiceTrace(invoice=invoice, traces=traces, checks=document.check_document(invoice))


def find_invoice(*, name: str) -> Invoice:
    """By number, or by id for a draft, which has none."""
    invoice = Invoice.objects.filter(number=name).first()
    if invoice is None and name.isascii() and name.isdecimal():
        invoice = Invoice.objects.filter(pk=int(name)).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {name}; give its number, or the id of a draft.")
    return invoice


def _whole_lines() -> QuerySet[InvoiceLine]:
    snapshots = "rated_line__snapshot"
    return InvoiceLine.objects.select_related(
        "invoice__cycle",
        "adjusts__invoice__cycle",
        "adjusts__rated_line__fee_version",
        "adjusts__rated_line__charge",
        "adjusts__rated_line__price_version",
        "rated_line__charge__plan",
        "rated_line__price_version",
        "rated_line__plan_version",
        "rated_line__fee_version__program",
        f"{snapshots}__watermark",
        f"{snapshots}__customer",
        f"{snapshots}__meter__contract",
        f"{snapshots}__meter_version",
    )


def _grounds() -> QuerySet[LineGround]:
    return LineGround.objects.select_related(
        "line__charge", "line__invoice_line__invoice", "ground__charge", "ground__invoice_line__invoice"
    )


def _how_counted(snapshot: AggregationSnapshot | None, *, is_thorough: bool) -> Counted:
    if snapshot is None:
        return Counted.NONE
    if snapshot.event_count <= EVENT_BY_EVENT_MAX:
        return Counted.EACH
    return Counted.TOGETHER if is_thorough or snapshot.event_count <= AT_ONCE_MAX else Counted.NOT


def _check_counts(snapshot: AggregationSnapshot | None, how: Counted) -> list[Check]:
    if snapshot is None or how == Counted.NOT:
        return []
    return forward.count_each(snapshot) if how == Counted.EACH else forward.recount(snapshot)


def _trace(line: InvoiceLine, *, agreements: Agreements, is_thorough: bool) -> Trace:
    rated, snapshot = line.rated_line, line.rated_line.snapshot
    how = _how_counted(snapshot, is_thorough=is_thorough)
    billed = forward.billed_before(line)
    prices = forward.prices_of_that_time(line, agreements=agreements)
    agreed = work_out(line, agreements=agreements)
    counted = _check_counts(snapshot, how)
    if snapshot is not None:
        counted.append(proof.compare("quantity that was rated", claimed=rated.quantity, found=snapshot.quantity))
    return Trace(
        line=line,
        rated=rated,
        snapshot=snapshot,
        next_price=next((price for price in prices.versions if price.effective_at > rated.effective_at), None),
        agreed=agreed,
        billed_before=billed,
        grounds=tuple(_grounds().filter(line=rated).order_by("position")),
        carries=tuple(_grounds().filter(ground=rated, line__invoice_line__isnull=False).order_by("line")),
        followed=followed.what_follows(line),
        counted=how,
        checks=(
            *counted,
            *forward.check_price(rated, prices=prices, agreed=agreed, is_split=how != Counted.NOT),
            *forward.check_line(line, billed=billed),
        ),
    )
