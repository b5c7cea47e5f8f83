"""The invoice of a period as it would be drafted now; nothing is stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from accounts.models import Customer
from core.errors import DomainError, InvalidInputError, NotFoundError
from core.periods import Period
from invoicing.cycle import advance, agreements, assemble, deduct, draft, plan_lines, prepayments
from invoicing.cycle.bills import Bill, own_line
from invoicing.cycle.models import InvoiceAllowanceCharge, InvoiceLine, InvoiceTax
from invoicing.cycle.rules import agreed
from invoicing.cycle.rules.agreed import NO_TERMS
from invoicing.cycle.rules.totals import AllowanceCharge, Totals
from invoicing.cycle.taxes import TaxTable
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import Charge, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.rating import plan_rates, rate
from invoicing.rating.models import RatedLine
from invoicing.rating.plan_rates import PlanTask
from invoicing.rating.rate import Computed
from metering import aggregate

PERIODS_MAX = 400


class NoTaxRateError(DomainError):
    """The customer's tax rate is not in force then."""

    code = "no_tax_rate"


class PeriodTooLongError(InvalidInputError):
    """The period spans more billing periods than one invoice can show."""

    code = "period_too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An invoice that does not exist: rows without ids, as a draft would have them."""

    customer: Customer
    period: Period
    currency: str
    policy: TriggerPolicy | None
    lines: tuple[InvoiceLine, ...]
    on_document: tuple[InvoiceAllowanceCharge, ...]
    taxes: tuple[InvoiceTax, ...]
    totals: Totals


def preview_for(*, customer_code: str, start: datetime, end: datetime, at: datetime) -> Preview:
    """The same for a customer named by code and two instants, as doors have them."""
    customer = Customer.objects.filter(code=customer_code).first()
    if customer is None:
        raise NotFoundError(f"There is no customer {customer_code}.")
    if not start < end:
        raise InvalidInputError("The period ends before it starts, or with it.", pointer="/period/end")
    return preview_invoice(customer=customer, period=Period(start, end), at=at)


def preview_invoice(*, customer: Customer, period: Period, at: datetime) -> Preview:
    """What the usage captured so far would cost; billing periods inside `period` are priced one by one.

    Late usage of earlier periods is not part of it. It waits for captures in flight, so call it outside a transaction.
    """
    bills = _open_bills(customer, period, at=at)
    by_due = {bill.due: bill for bill in bills}
    billed = [(by_due[due], segment) for due, segment in advance.segments_to_bill(list(by_due))]
    plan_charges, billed = plan_lines.take_plan_charges(billed)
    segments = [segment for _, segment in billed]
    windows = [assemble.usage_window(one) for one in segments if one.meter_id is not None]
    counted = iter(aggregate.preview_snapshots(windows, at=at) if windows else ())
    snapshots = [None if segment.meter_id is None else next(counted) for segment in segments]
    computed = rate.compute_segments(
        list(zip(segments, snapshots, strict=True)), invoices=[id(bill) for bill, _ in billed]
    )
    charges = Charge.objects.select_related("meter").in_bulk({segment.charge_id for segment in segments})
    for (bill, segment), one in zip(billed, computed, strict=True):
        bill.lines.append(own_line(bill, charge=charges[segment.charge_id], snapshot=None, rated=unsaved(one)))
    plan_lines.add_plan_lines(plan_charges, rater=rate_unsaved)
    deduct.take_off(bills)
    return _preview(customer, period, bills, policy=policy_queries.policy_of(customer, at=at))


def _open_bills(customer: Customer, period: Period, *, at: datetime) -> list[Bill]:
    table = TaxTable([customer])
    pieces = list(_pieces(customer, period))
    agreed_terms = agreements.document_terms(pieces)
    bills = []
    for due in pieces:
        terms = table.terms(customer, period=due.period)
        if terms is None:
            raise NoTaxRateError(f"No tax rate {customer.tax_rate_code} is in force then; add one.")
        bills.append(
            Bill(
                due=due,
                cycle=assemble.new_cycle(due, at=at),
                customer=customer,
                zone=customer.time_zone,
                taxes=terms,
                terms=agreed_terms.get(due, NO_TERMS),
            )
        )
    return bills


def rate_unsaved(tasks: Sequence[PlanTask]) -> list[RatedLine]:
    """Rate charges of whole plans as `plan_rates.rate_tasks` does, with nothing stored."""
    return [unsaved(one) for one in plan_rates.compute_tasks(tasks)]


def unsaved(computed: Computed) -> RatedLine:
    """A computed segment as the row that a close would write."""
    return RatedLine(
        price_version_id=computed.segment.price_version_id,
        fee_version_id=computed.segment.fee_version_id,
        segment_start=computed.segment.start,
        segment_end=computed.segment.end,
        effective_at=computed.effective_at,
        quantity=computed.quantity,
        computation=computed.computation.as_json(),
        currency=computed.currency,
        amount=computed.amount,
        rounding_level=computed.rounding_level,
        rounding=computed.rounding,
    )


def _preview(customer: Customer, period: Period, bills: Sequence[Bill], *, policy: TriggerPolicy | None) -> Preview:
    lines = [line for bill in bills for line in bill.lines]
    currency = lines[0].rated.currency if lines else customer.currency
    parts, sums = total_bills(bills, currency=currency, prepaid_left=prepayments.Prepaid(bills).left_of_all())
    return Preview(
        customer=customer,
        period=period,
        currency=currency,
        policy=policy,
        lines=tuple(draft.line_row(line, position=position) for position, line in enumerate(lines, start=1)),
        on_document=tuple(draft.allowance_rows(parts)),
        taxes=tuple(draft.tax_rows(sums)),
        totals=sums,
    )


def total_bills(
    bills: Sequence[Bill], *, currency: str, prepaid_left: Decimal = Decimal(0)
) -> tuple[list[AllowanceCharge], Totals]:
    """What one document over these bills would say: what is agreed on it, and its sums."""
    parts = [part for bill in bills if bill.lines for part in _on_document(bill, currency=currency)]
    sums = agreed.total_document(
        [(line.taxes, line.amount) for bill in bills for line in bill.lines],
        on_document=parts,
        rounds_to=next((bill.terms.rounds_to for bill in bills if bill.terms.rounds_to), None),
        currency=currency,
        prepaid_left=prepaid_left,
    )
    return parts, sums


def _on_document(bill: Bill, *, currency: str) -> Iterable[AllowanceCharge]:
    """What is agreed for the bill's period, on its lines."""
    amounts = [(line.taxes, line.amount) for line in bill.lines]
    return agreed.apply_terms(amounts, terms=bill.terms, taxes=bill.lines[0].taxes, currency=currency)


def _pieces(customer: Customer, period: Period) -> Iterator[DuePeriod]:
    """The billing periods of the customer's subscriptions, as far as they lie in `period`."""
    ids = list(Subscription.objects.filter(customer=customer).values_list("pk", flat=True))
    for subscription_id, terms in sorted(pricing_queries.terms_by_subscription(ids).items()):
        start = max(period.start, terms.starts_at)
        end = period.end if terms.ends_at is None else min(period.end, terms.ends_at)
        for _ in range(PERIODS_MAX):
            if start >= end:
                break
            until = min(end, timeline.whole_period(terms, instant=start).end)
            yield DuePeriod(subscription_id, customer.pk, Period(start, until))
            start = until
        else:
            raise PeriodTooLongError(f"Ask for at most {PERIODS_MAX} billing periods at once.", pointer="/period")
