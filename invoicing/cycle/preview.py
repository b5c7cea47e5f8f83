"""The invoice of a period as it would be drafted now; nothing is stored."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Customer
from core.errors import DomainError, InvalidInputError, NotFoundError
from core.periods import Period
from invoicing.cycle import agreements, assemble, draft
from invoicing.cycle.bills import BillLine
from invoicing.cycle.models import InvoiceAllowanceCharge, InvoiceLine, InvoiceTax
from invoicing.cycle.rules import agreed
from invoicing.cycle.rules.agreed import NO_TERMS, DocumentTerms
from invoicing.cycle.rules.totals import AllowanceCharge, Totals
from invoicing.cycle.taxes import TaxTable
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing import segments as pricing_segments
from invoicing.pricing.models import Charge, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import timeline
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
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
    due = list(_pieces(customer, period))
    segments = pricing_segments.price_segments(due)
    metered = [segment for segment in segments if segment.meter_id is not None]
    counted = iter(aggregate.preview_snapshots([assemble.usage_window(one) for one in metered], at=at))
    snapshots = [None if segment.meter_id is None else next(counted) for segment in segments]
    computed = rate.compute_segments(list(zip(segments, snapshots, strict=True)))
    policy = policy_queries.policy_of(customer, at=at)
    return _preview(customer, period, computed, terms=agreements.document_terms(due), policy=policy)


def _preview(
    customer: Customer,
    period: Period,
    computed: Sequence[Computed],
    *,
    terms: Mapping[DuePeriod, DocumentTerms],
    policy: TriggerPolicy | None,
) -> Preview:
    charges = Charge.objects.select_related("meter").in_bulk({one.segment.charge_id for one in computed})
    table = TaxTable([customer])
    lines = [_line(one, charge=charges[one.segment.charge_id], customer=customer, table=table) for one in computed]
    currency = computed[0].currency if computed else customer.currency
    parts = list(_on_document(computed, lines, terms=terms, currency=currency))
    sums = agreed.total_document(
        [(line.taxes, line.amount) for line in lines],
        on_document=parts,
        rounds_to=next((each.rounds_to for each in terms.values() if each.rounds_to), None),
        currency=currency,
    )
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


def _on_document(
    computed: Sequence[Computed],
    lines: Sequence[BillLine],
    *,
    terms: Mapping[DuePeriod, DocumentTerms],
    currency: str,
) -> Iterator[AllowanceCharge]:
    """What is agreed for each billing period, on the lines of that period."""
    own: dict[DuePeriod, list[BillLine]] = defaultdict(list)
    for one, line in zip(computed, lines, strict=True):
        own[DuePeriod(one.segment.subscription_id, one.segment.customer_id, one.segment.period)].append(line)
    for due, theirs in own.items():
        amounts = [(line.taxes, line.amount) for line in theirs]
        taxes = theirs[0].taxes
        yield from agreed.apply_terms(amounts, terms=terms.get(due, NO_TERMS), taxes=taxes, currency=currency)


def _line(computed: Computed, *, charge: Charge, customer: Customer, table: TaxTable) -> BillLine:
    terms = table.terms(customer, period=computed.segment.period)
    if terms is None:
        raise NoTaxRateError(f"No tax rate {customer.tax_rate_code} is in force then; add one.")
    rated = RatedLine(
        price_version_id=computed.segment.price_version_id,
        segment_start=computed.segment.start,
        segment_end=computed.segment.end,
        effective_at=computed.effective_at,
        quantity=computed.quantity,
        computation=computed.computation.as_json(),
        currency=computed.currency,
        amount=computed.amount,
    )
    return BillLine(
        charge=charge,
        snapshot=None,
        rated=rated,
        taxes=terms,
        description=charge.name,
        quantity=computed.quantity,
        amount=computed.amount,
    )


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
