"""Compare what is about to be drafted with what the same subscription was billed before."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.db.models import F, Sum, Window
from django.db.models.functions import RowNumber

from core import bulk
from core.periods import Period
from invoicing.cycle.bills import Bill
from invoicing.cycle.models import Invoice, InvoiceLine, UnusualFigure
from invoicing.cycle.rules import bounds
from invoicing.cycle.rules.bounds import Past, Unusual
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.guarding import ReviewBounds
from invoicing.pricing.models import Charge

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Billed:
    """A final invoice of a subscription: what its own lines came to, as a whole and by charge (id)."""

    period: Period
    by_charge: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def total(self) -> Decimal:
        return sum(self.by_charge.values(), ZERO)


def find_unusual(bills: Sequence[Bill]) -> None:
    """Note on each bill which charges, or the whole, lie far outside its subscription's past, as its policy says.

    Compared is what the period itself comes to, whatever interim invoices have billed of it; lines that correct earlier
    invoices have a review of their own. Two statements, however many bills.
    """
    judged = [(bill, limits) for bill in bills if (limits := _limits(bill)) is not None and limits.is_active]
    if not judged:
        return
    past = _read_past(
        {bill.due.subscription_id for bill, _ in judged}, periods=max(limits.past_periods for _, limits in judged)
    )
    for bill, limits in judged:
        before = [
            one
            for one in past.get((bill.due.subscription_id, bill.currency), ())
            if one.period.end <= bill.period.start
        ][: limits.past_periods]
        bill.unusual = _compare(bill, before, limits=limits)


def _limits(bill: Bill) -> ReviewBounds | None:
    if bill.policy is None or bill.kind != Invoice.Kind.CYCLE:
        return None
    return policy_terms.parse_terms(bill.policy.terms).review_bounds


def _read_past(subscription_ids: set[int], *, periods: int) -> Mapping[tuple[int, str], list[_Billed]]:
    """The last final invoices of each subscription and currency, the latest first."""
    subscription = F("cycle__subscription_id")
    latest = Window(RowNumber(), partition_by=[subscription, F("currency")], order_by=F("period_start").desc())
    final = Invoice.objects.filter(
        status=Invoice.Status.FINAL, kind=Invoice.Kind.CYCLE, cycle__subscription__in=subscription_ids
    )
    rows = (
        final.annotate(place=latest)
        .filter(place__lte=periods)
        .order_by("-period_start")
        .values_list("pk", "cycle__subscription_id", "currency", "period_start", "period_end")
    )
    found: dict[tuple[int, str], list[_Billed]] = defaultdict(list)
    by_invoice = {}
    for pk, subscription_id, currency, start, end in rows:
        by_invoice[pk] = _Billed(Period(start, end))
        found[subscription_id, currency].append(by_invoice[pk])
    if by_invoice:
        lines = InvoiceLine.objects.filter(invoice__in=list(by_invoice), adjusts=None)
        sums = lines.values("invoice_id", "rated_line__charge_id").annotate(sum=Sum("rated_line__amount")).order_by()
        for row in sums:
            by_invoice[row["invoice_id"]].by_charge[row["rated_line__charge_id"]] += row["sum"]
    return found


def _compare(bill: Bill, before: Sequence[_Billed], *, limits: ReviewBounds) -> list[UnusualFigure]:
    length = bill.period.end - bill.period.start
    worth = limits.least.get(bill.currency, ZERO)
    now: dict[int, Decimal] = defaultdict(Decimal)
    names = {}
    for line in bill.lines:
        if line.adjusts is None:
            now[line.charge.pk] += line.rated.amount
            names[line.charge.pk] = line.charge
    found = []
    for charge_id, amount in now.items():
        past = [Past(one.by_charge[charge_id], _length(one)) for one in before if charge_id in one.by_charge]
        far = bounds.find_unusual(amount=amount, length=length, past=past, times=limits.line_times, worth=worth)
        if far is not None:
            found.append(_row(far, charge=names[charge_id]))
    whole = bounds.find_unusual(
        amount=sum(now.values(), ZERO),
        length=length,
        past=[Past(one.total, _length(one)) for one in before],
        times=limits.invoice_times,
        worth=worth,
    )
    return found if whole is None else [_row(whole), *found]


def _length(one: _Billed) -> timedelta:
    return one.period.end - one.period.start


def _row(far: Unusual, *, charge: Charge | None = None) -> UnusualFigure:
    return bulk.new_row(
        UnusualFigure,
        charge=charge,
        amount=far.amount,
        least=far.least,
        greatest=far.greatest,
        periods=far.periods,
        times=far.times,
    )
