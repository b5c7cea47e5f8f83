"""The terms of a fee program as a person reads them, in rows that several versions can share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core import money
from invoicing.pricing.rules.fee_terms import FeeTable, FeeTerms

ROUNDINGS = {"month_total": "once, on the total of the month", "per_payout": "each fee by itself"}
REFUNDS = {"kept": "the fee is kept", "percentage_returned": "the percentage is returned, the fixed part is kept"}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure or policy in every version, newest first; empty where a version does not have it."""

    label: str
    texts: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.texts)) > 1


def side_by_side(versions: Sequence[FeeTerms]) -> list[Row]:
    """Every figure of any of the versions by its place, then the policies."""
    told = [dict(describe(terms)) for terms in versions]
    labels = list(dict.fromkeys(label for each in told for label in each))
    places = list(dict.fromkeys(_place(label) for label in labels if _place(label)))
    labels.sort(key=lambda label: places.index(_place(label)) if _place(label) else len(places))
    return [Row(label, tuple(each.get(label, "") for each in told)) for label in labels]


def _place(label: str) -> str:
    """The currency and country of a figure; empty for a policy."""
    place, colon, _ = label.partition(": ")
    return place if colon else ""


def describe(terms: FeeTerms) -> Iterator[tuple[str, str]]:
    """Each figure and policy with its name; names are unique within a version."""
    for table in terms.tables:
        place = f"{table.currency}, {table.country}" if table.country else table.currency
        yield from ((f"{place}: {name}", text) for name, text in _figures(table))
    yield "Rounded", ROUNDINGS[terms.rounding_level]
    yield "A refund", REFUNDS[terms.refunds]
    yield "Failed, so not charged", ", ".join(terms.failed_statuses) or "nothing"
    if terms.counts_accounts:
        yield "A failed payout makes an account active", "yes" if terms.failed_makes_active else "no"


def _figures(table: FeeTable) -> Iterator[tuple[str, str]]:
    amounts = {
        "fixed part": table.fixed or None,
        "per active account": table.per_account or None,
        "percentage at least": table.percentage_minimum,
        "at least": table.minimum,
        "at most": table.cap,
    }
    yield "percentage", f"{money.plain(table.rate_percent)} %"
    for surcharge in table.surcharges:
        fixed = f" and {_price(surcharge.fixed, table)}" if surcharge.fixed else ""
        yield f"on top if {surcharge.code.replace('_', ' ')}", f"{money.plain(surcharge.rate_percent)} %{fixed}"
    yield from ((name, _price(amount, table)) for name, amount in amounts.items() if amount is not None)


def _price(amount: Decimal, table: FeeTable) -> str:
    rounded = money.amount_text(amount, currency=table.currency)
    return rounded if Decimal(rounded) == amount else money.plain(amount)
