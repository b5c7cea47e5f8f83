"""What people and exports ask of the books: balances, and the postings of a stretch of days."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, Q, Sum, Value
from django.db.models.functions import Coalesce

from invoicing.ledger.models import GeneralLedgerNumber, Posting
from invoicing.ledger.rules import chart

STREAM_ROWS = 2000
NOTHING = Value(Decimal(0), output_field=DecimalField(max_digits=30, decimal_places=4))


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """One account in one currency: what stood before, what moved on either side, and what stands after.

    Balances are on the account's own side: debit less credit for assets and expenses, the other way for the rest.
    """

    account: str
    currency: str
    opening: Decimal
    debit: Decimal
    credit: Decimal
    closing: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedLine:
    """A posting with what an accountant needs beside it."""

    entry_id: int
    key: str
    booked_on: date
    memo: str
    customer: str
    currency: str
    account: str
    general_ledger_number: str
    debit: Decimal
    credit: Decimal


def trial_balance(*, start: date, end: date) -> list[BalanceRow]:
    """Every account that was ever moved before `end`, by currency and in the order of the chart; `end` is outside."""
    before, within = Q(entry__booked_on__lt=start), Q(entry__booked_on__gte=start)
    sums = (
        Posting.objects.filter(entry__booked_on__lt=end)
        .values("account", "entry__currency")
        .order_by("entry__currency", "account")
        .annotate(
            debit_before=Coalesce(Sum("debit", filter=before), NOTHING),
            credit_before=Coalesce(Sum("credit", filter=before), NOTHING),
            debit_within=Coalesce(Sum("debit", filter=within), NOTHING),
            credit_within=Coalesce(Sum("credit", filter=within), NOTHING),
        )
    )
    places = {str(account): place for place, account in enumerate(chart.Account)}
    ordered = sorted(sums, key=lambda row: (row["entry__currency"], places[row["account"]]))
    return [_balance(row) for row in ordered]


def _balance(row: Mapping[str, Any]) -> BalanceRow:
    account, debit, credit = str(row["account"]), Decimal(row["debit_within"]), Decimal(row["credit_within"])
    before = (Decimal(row["debit_before"]), Decimal(row["credit_before"]))
    opening, moved = (
        (before[0] - before[1], debit - credit)
        if chart.is_debit_side(account)
        else (before[1] - before[0], credit - debit)
    )
    return BalanceRow(
        account=account,
        currency=str(row["entry__currency"]),
        opening=opening,
        debit=debit,
        credit=credit,
        closing=opening + moved,
    )


def owed_by_customers(customer_ids: Sequence[int]) -> dict[tuple[int, str], Decimal]:
    """What the books say that these customers owe, by customer and currency: receivables less their balances."""
    sums = (
        Posting.objects.filter(
            entry__customer__in=customer_ids,
            account__in=[chart.Account.ACCOUNTS_RECEIVABLE, chart.Account.CUSTOMER_BALANCE],
        )
        .values_list("entry__customer", "entry__currency")
        .annotate(owed=Sum("debit") - Sum("credit"))
        .order_by()
    )
    return {(customer_id, currency): Decimal(owed) for customer_id, currency, owed in sums}


def booked_lines(*, start: date, end: date) -> Iterator[BookedLine]:
    """Every posting of these days in the order of the journal, in bounded memory; `end` is outside."""
    numbers = dict(GeneralLedgerNumber.objects.values_list("account", "number"))
    rows = (
        Posting.objects.filter(entry__booked_on__gte=start, entry__booked_on__lt=end)
        .order_by("entry__booked_on", "entry_id", "id")
        .values_list(
            "entry_id",
            "entry__key",
            "entry__booked_on",
            "entry__memo",
            "entry__customer__code",
            "entry__currency",
            "account",
            "debit",
            "credit",
        )
    )
    for entry_id, key, booked_on, memo, customer, currency, account, debit, credit in rows.iterator(STREAM_ROWS):
        yield BookedLine(
            entry_id=entry_id,
            key=key,
            booked_on=booked_on,
            memo=memo,
            customer=customer,
            currency=currency,
            account=account,
            general_ledger_number=numbers.get(account, ""),
            debit=debit,
            credit=credit,
        )
