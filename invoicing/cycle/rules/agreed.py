"""What finance agreed to take off or add on whole invoices, made into allowances and charges of one document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from core import money, rounding
from invoicing.cycle.rules import totals
from invoicing.cycle.rules.totals import AllowanceCharge, TaxTerms, Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """One term in force: a percentage of the lines, or an amount for each invoice."""

    term_id: int
    kind: Literal["allowance", "charge"]
    reason: str
    percent: Decimal | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTerms:
    """All that is agreed for one document; what is to be paid is rounded to a multiple of `rounds_to`.

    `prepaid` is all that was ever paid in advance; what earlier invoices used of it is not taken off here.
    """

    agreed: tuple[Agreed, ...] = ()
    rounds_to: Decimal | None = None
    prepaid: Decimal = Decimal(0)


NO_TERMS = DocumentTerms()


def apply_terms(
    lines: Sequence[tuple[TaxTerms, Decimal]], *, terms: DocumentTerms, taxes: TaxTerms, currency: str
) -> tuple[AllowanceCharge, ...]:
    """Every allowance and charge on these lines; a percentage is taken of the lines alone, whatever else is agreed.

    It is taken of each category and rate by itself, so that its tax is that of what it is a part of.
    """
    if not lines:
        return ()
    groups = totals.net_by_rate(lines)
    return tuple(part for term in terms.agreed for part in _parts(term, groups, taxes=taxes, currency=currency))


def total_document(
    lines: Sequence[tuple[TaxTerms, Decimal]],
    *,
    on_document: Sequence[AllowanceCharge],
    rounds_to: Decimal | None,
    currency: str,
    prepaid_left: Decimal = Decimal(0),
) -> Totals:
    """What the document comes to, what is to be paid rounded as agreed.

    It takes from what is left of money paid in advance, and no more than it comes to.
    """
    sums = totals.total_up(lines, currency=currency, on_document=on_document)
    if prepaid_left:
        sums = replace(sums, prepaid=max(min(prepaid_left, sums.total), Decimal(0)))
    if rounds_to is None:
        return sums
    return replace(sums, payable_rounding=payable_rounding(sums.payable, to=rounds_to))


def payable_rounding(payable: Decimal, *, to: Decimal) -> Decimal:
    """What brings the amount to the nearest multiple of `to`, half away from zero (BT-114)."""
    with rounding.exactly():
        whole, rest = divmod(abs(payable), to)
        rounded = (whole + 1 if 2 * rest >= to else whole) * to
        return rounded.copy_sign(payable) - payable


def _parts(
    term: Agreed, groups: Sequence[tuple[TaxTerms, Decimal]], *, taxes: TaxTerms, currency: str
) -> Iterator[AllowanceCharge]:
    if term.amount:
        yield _fixed(term, amount=term.amount, groups=groups, taxes=taxes)
    elif term.percent:
        yield from (_share(term, percent=term.percent, base=group, currency=currency) for group in groups)


def _share(term: Agreed, *, percent: Decimal, base: tuple[TaxTerms, Decimal], currency: str) -> AllowanceCharge:
    terms, net = base
    with rounding.exactly():
        amount = money.round_amount(net * percent / 100, currency=currency)
    return AllowanceCharge(
        kind=term.kind,
        reason=term.reason,
        taxes=terms,
        amount=amount,
        percent=percent,
        base=net,
        term_id=term.term_id,
    )


def _fixed(
    term: Agreed, *, amount: Decimal, groups: Sequence[tuple[TaxTerms, Decimal]], taxes: TaxTerms
) -> AllowanceCharge:
    """Under the customer's own tax; an allowance takes off no more than there is."""
    there = max(sum((net for _, net in groups), Decimal(0)), Decimal(0))
    taken = min(amount, there) if term.kind == "allowance" else amount
    return AllowanceCharge(kind=term.kind, reason=term.reason, taxes=taxes, amount=taken, term_id=term.term_id)
