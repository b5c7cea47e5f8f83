"""What travels through a close: for each period, its priced lines and how its stages compare."""

from dataclasses import dataclass, field
from decimal import Decimal

from accounts.models import Customer
from core.periods import Period
from invoicing.cycle.models import BillingCycle, Invoice, InvoiceLine, UnusualFigure
from invoicing.cycle.rules import tie_out
from invoicing.cycle.rules.agreed import NO_TERMS, DocumentTerms
from invoicing.cycle.rules.totals import OUTSIDE_SCOPE, TaxTerms
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing.models import Charge
from invoicing.pricing.queries import DuePeriod
from invoicing.rating.models import RatedLine
from metering.models import AggregationSnapshot
from metering.queries import EventDifference


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One rated segment to be billed; an adjustment bills the difference to what final lines have billed of it."""

    charge: Charge
    snapshot: AggregationSnapshot | None
    rated: RatedLine
    taxes: TaxTerms
    description: str
    quantity: Decimal
    amount: Decimal
    adjusts: InvoiceLine | None = None
    cause: str = ""  # why an adjustment is made
    deducts: tuple[InvoiceLine, ...] = ()  # of interim invoices of the same period: it bills the whole less these


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """The class of a break, and the first of its events that differ."""

    kind: str
    events: tuple[EventDifference, ...]


@dataclass(slots=True, kw_only=True)
class Bill:
    """One period of one subscription on its way to a draft."""

    due: DuePeriod
    cycle: BillingCycle
    customer: Customer
    zone: str
    kind: Invoice.Kind = Invoice.Kind.CYCLE
    policy: TriggerPolicy | None = None
    taxes: TaxTerms = OUTSIDE_SCOPE
    terms: DocumentTerms = NO_TERMS
    lines: list[BillLine] = field(default_factory=list)
    strays: list[tie_out.Stray] = field(default_factory=list)
    result: tie_out.Result | None = None
    stray_events: list[list[EventDifference]] = field(default_factory=list)
    differing: list[Differing] = field(default_factory=list)
    unusual: list[UnusualFigure] = field(default_factory=list)

    @property
    def period(self) -> Period:
        return self.due.period

    @property
    def currency(self) -> str:
        """The plan's; only a bill without any line takes its customer's."""
        return self.lines[0].rated.currency if self.lines else self.customer.currency


def own_line(bill: Bill, *, charge: Charge, snapshot: AggregationSnapshot | None, rated: RatedLine) -> BillLine:
    """What was rated, as it stands on the bill of its own period."""
    return BillLine(
        charge=charge,
        snapshot=snapshot,
        rated=rated,
        taxes=bill.taxes,
        description=charge.name,
        quantity=rated.quantity,
        amount=rated.amount,
    )


@dataclass(frozen=True, slots=True)
class CloseFailure:
    """A period that could not be drafted, and what to do about it; `code` is stable."""

    due: DuePeriod
    customer: str
    code: str
    reason: str

    @property
    def period(self) -> Period:
        return self.due.period
