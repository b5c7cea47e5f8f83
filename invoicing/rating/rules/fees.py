"""What a fee program charges for transactions: rates summed, each fee bounded, rounded once at the level it names.

Rounding of single fees: support.stripe.com/questions/rounding-rules-for-stripe-fees (0.025 → 0.03, 0.024 → 0.02).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from core import money, rounding
from core.errors import InvalidInputError
from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules.fee_terms import FeeTable, FeeTerms, Surcharge
from invoicing.rating.rules.steps import Step

PERCENT = Decimal("0.01")
NOTHING = Decimal(0)


class GrossUpError(InvalidInputError):
    """No gross amount leaves this net amount."""

    code = "gross_up_impossible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A payment or payout, or `count` alike; a refund has a negative amount."""

    amount: Decimal
    account: str = ""
    country: str = ""
    status: str = ""
    flags: frozenset[str] = frozenset()
    count: int = 1


@dataclass(slots=True)
class _Group:
    """Transactions under one table with the same surcharges: what their fees come to, part by part."""

    table: FeeTable
    surcharges: tuple[Surcharge, ...]
    count: int = 0
    volume: Decimal = NOTHING
    bounds: dict[str, tuple[int, Decimal]] = field(default_factory=dict)

    @property
    def rate_percent(self) -> Decimal:
        return self.table.rate_percent + sum((one.rate_percent for one in self.surcharges), NOTHING)

    @property
    def fixed(self) -> Decimal:
        return self.table.fixed + sum((one.fixed for one in self.surcharges), NOTHING)

    def move(self, why: str, *, count: int, by: Decimal) -> None:
        """Note that a bound or a rounding moved the fees of so many transactions."""
        if by:
            moved, amount = self.bounds.get(why, (0, NOTHING))
            self.bounds[why] = (moved + count, amount + by)


def price_transactions(*, terms: FeeTerms, currency: str, transactions: Iterable[Transaction]) -> tuple[Step, ...]:
    """The steps of a program's fee; their sum is rounded once, and each fee before that where the terms say so.

    FeeTableMissingError where a transaction's country has no table in this currency.
    """
    seen = list(transactions)
    with rounding.exactly():
        charged = [one for one in seen if one.amount >= 0 and one.status not in terms.failed_statuses]
        refunds = [one for one in seen if one.amount < 0]
        failed = sum(one.count for one in seen) - sum(one.count for one in (*charged, *refunds))
        groups: dict[tuple[FeeTable, tuple[Surcharge, ...]], _Group] = {}
        for one in charged:
            group = _group_of(one, terms=terms, currency=currency, groups=groups)
            _charge(group, one, rounds=terms.rounding_level == "per_payout")
        steps = [step for key in sorted(groups, key=_order) for step in _steps(groups[key])]
        steps += [_moved("Failed: not charged", count=failed, by=NOTHING)] if failed else []
        steps += _refund_steps(refunds, terms=terms, currency=currency)
        return (*_account_steps(seen, terms=terms, currency=currency), *steps)


def gross_up(*, net: Decimal, rate_percent: Decimal, fixed: Decimal, currency: str) -> Decimal:
    """The least amount to ask for so that, after its fee, at least `net` is left."""
    if rate_percent >= 100:  # noqa: PLR2004  a whole, in percent
        raise GrossUpError("A fee of 100 % or more leaves nothing, whatever is asked for.", pointer="/rate_percent")
    rate, unit = rate_percent * PERCENT, Decimal(1).scaleb(-money.currency_exponent(currency))
    exact = rounding.PRECISION.divide(net + fixed, 1 - rate)
    gross = money.round_amount(exact, currency=currency) - unit
    while gross - money.round_amount(gross * rate + fixed, currency=currency) < net:
        gross += unit
    return gross


def active_accounts(transactions: Iterable[Transaction], *, terms: FeeTerms) -> dict[str, str]:
    """Accounts to which something was sent, each with its country; of several countries the first by name.

    Whether a failed payout makes an account active is a policy of the terms, for no source documents it.
    """
    countries: dict[str, str] = {}
    for one in transactions:
        sent = one.status not in terms.failed_statuses or terms.failed_makes_active
        if sent and one.account and one.amount >= 0:
            countries[one.account] = min(countries.get(one.account, one.country), one.country)
    return countries


def _order(key: tuple[FeeTable, tuple[Surcharge, ...]]) -> tuple[str, tuple[str, ...]]:
    table, surcharges = key
    return table.country, tuple(one.code for one in surcharges)


def _group_of(
    one: Transaction,
    *,
    terms: FeeTerms,
    currency: str,
    groups: dict[tuple[FeeTable, tuple[Surcharge, ...]], _Group],
) -> _Group:
    table = fee_terms.find_table(terms, currency=currency, country=one.country)
    surcharges = tuple(each for each in table.surcharges if each.code in one.flags)
    return groups.setdefault((table, surcharges), _Group(table, surcharges))


def _charge(group: _Group, one: Transaction, *, rounds: bool) -> None:
    """One fee: its percentage and its fixed part, lifted and capped, rounded if each fee is."""
    table, count = group.table, one.count
    group.count += count
    group.volume += one.amount * count
    percentage = _lift(group, one.amount * group.rate_percent * PERCENT, to=table.percentage_minimum, count=count)
    fee = _lift(group, percentage + group.fixed, to=table.minimum, count=count)
    if table.cap is not None and fee > table.cap:
        group.move(f"Capped at {money.plain(table.cap)}", count=count, by=(table.cap - fee) * count)
        fee = table.cap
    if rounds:
        rounded = money.round_amount(fee, currency=table.currency)
        group.move("Each fee rounded by itself", count=count, by=(rounded - fee) * count)


def _lift(group: _Group, fee: Decimal, *, to: Decimal | None, count: int) -> Decimal:
    if to is None or fee >= to:
        return fee
    group.move(f"Raised to {money.plain(to)}", count=count, by=(to - fee) * count)
    return to


def _steps(group: _Group) -> Iterator[Step]:
    place = f" ({group.table.country})" if group.table.country else ""
    if group.rate_percent:
        rate = group.rate_percent * PERCENT
        yield Step(
            label=f"{_rate_in_words(group)}{place}",
            quantity=group.volume,
            unit_price=rate,
            amount=group.volume * rate,
        )
    if group.fixed:
        yield Step(
            label=f"Fixed part, per transaction{place}",
            quantity=Decimal(group.count),
            unit_price=group.fixed,
            amount=group.count * group.fixed,
        )
    for why, (count, amount) in sorted(group.bounds.items()):
        yield _moved(f"{why}{place}", count=count, by=amount)


def _rate_in_words(group: _Group) -> str:
    """2.9% + 1.5% international = 4.4% of the volume."""
    parts = [f"{money.plain(group.table.rate_percent)}%"]
    parts += [f"{money.plain(one.rate_percent)}% {one.code.replace('_', ' ')}" for one in group.surcharges]
    total = f" = {money.plain(group.rate_percent)}%" if group.surcharges else ""
    return f"{' + '.join(parts)}{total} of the volume"


def _moved(label: str, *, count: int, by: Decimal) -> Step:
    return Step(label=label, quantity=Decimal(count), unit_price=NOTHING, flat_fee=by, amount=by)


def _account_steps(transactions: Sequence[Transaction], *, terms: FeeTerms, currency: str) -> Iterator[Step]:
    if not terms.counts_accounts:
        return
    counts: dict[FeeTable, int] = defaultdict(int)
    for country in active_accounts(transactions, terms=terms).values():
        counts[fee_terms.find_table(terms, currency=currency, country=country)] += 1
    for table in sorted(counts, key=lambda table: table.country):
        place = f" ({table.country})" if table.country else ""
        count = counts[table]
        amount = count * table.per_account
        yield Step(
            label=f"Active accounts{place}", quantity=Decimal(count), unit_price=table.per_account, amount=amount
        )


def _refund_steps(refunds: Sequence[Transaction], *, terms: FeeTerms, currency: str) -> Iterator[Step]:
    """Nothing comes back where fees are kept; else the percentage of what was refunded, never the fixed part."""
    if not refunds:
        return
    count = sum(one.count for one in refunds)
    if terms.refunds == "kept":
        yield _moved("Refunds: fees are kept", count=count, by=NOTHING)
        return
    returned = NOTHING
    for one in refunds:
        table = fee_terms.find_table(terms, currency=currency, country=one.country)
        rates = [each.rate_percent for each in table.surcharges if each.code in one.flags]
        back = one.amount * (table.rate_percent + sum(rates, NOTHING)) * PERCENT
        rounds = terms.rounding_level == "per_payout"
        returned += one.count * (money.round_amount(back, currency=currency) if rounds else back)
    yield _moved("Refunds: the percentage is returned", count=count, by=returned)
