"""Under which tax terms a customer's period is billed."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from accounts.models import Customer
from core import knowing
from core.periods import Period
from invoicing.cycle.rules.totals import OUTSIDE_SCOPE, TaxTerms
from invoicing.pricing.models import TaxRate


class TaxTable:
    """The tax rates of some customers, read once; the rate of a period is the one in force at its last moment."""

    def __init__(self, customers: Iterable[Customer]) -> None:
        codes = {customer.tax_rate_code for customer in customers if customer.tax_rate_code}
        self._by_code: dict[str, list[tuple[datetime, TaxTerms]]] = defaultdict(list)
        for rate in TaxRate.objects.filter(knowing.is_known("created_at"), code__in=codes).order_by(
            "effective_at", "pk"
        ):
            terms = TaxTerms(name=rate.name, category=rate.category, percent=rate.percent, note=rate.note)
            self._by_code[rate.code].append((rate.effective_at, terms))

    def terms(self, customer: Customer, *, period: Period) -> TaxTerms | None:
        """The terms for the period; None where the customer's code has no rate in force then."""
        if not customer.tax_rate_code:
            return OUTSIDE_SCOPE
        rates = self._by_code[customer.tax_rate_code]
        last_moment = period.end - timedelta(microseconds=1)
        count = bisect_right(rates, last_moment, key=lambda rate: rate[0])
        return rates[count - 1][1] if count else None
